// The fields of the log's records, each declared once: its names, where it stands, and the sentence that documents it.

/// A field has one name in plain lines and JSON, and one in the journal.
package struct LogField: Sendable {
    package let name: StaticString
    /// As `journalctl FIELD=VALUE` asks for it.
    package let journal: StaticString
    /// The records it stands in.
    package let records: String
    package let documentation: String

    private init(_ name: StaticString, _ journal: StaticString, in records: String, _ documentation: String) {
        self.name = name
        self.journal = journal
        self.records = records
        self.documentation = documentation
    }
}

extension LogField {
    /// In the order they are written.
    package static let all: [LogField] = [
        record, requestID, trace, action, actor, method, door, project, server, navigator, key, user, link, client, operation, tool, status, refusal, why, ending, use,
        total, upstream, credential, received, sent, connection, replayed, detail,
    ]

    static let record = LogField("message", "CLAVIGER_RECORD", in: "all", "Which record it is: `exchange`, `portal` or `audit`. Other lines have none.")
    static let requestID = LogField("request_id", "CLAVIGER_REQUEST_ID", in: "exchange, portal", "What the answer's `x-request-id` says.")
    static let trace = LogField(
        "trace", "CLAVIGER_TRACE", in: "exchange", "The trace's id, where the request came with a `traceparent` or `trace` is configured.")
    static let action = LogField("action", "CLAVIGER_ACTION", in: "audit", "What was done: `deposit`, `revocation`, `link_created` and so on, as `claviger audit` has it.")
    static let actor = LogField(
        "by", "CLAVIGER_BY", in: "audit", "Who did it: `uid:0`, `token:ID`, `gateway`, or a person as `log.user` says; absent where it is `off`.")
    static let method = LogField("method", "CLAVIGER_METHOD", in: "exchange, portal", "The request's method; `OTHER` for one that HTTP does not define.")
    static let door = LogField(
        "door", "CLAVIGER_DOOR", in: "portal",
        "Where it came in: `public`, the pages at `gateway.listen`; `admin`, `admin.address`; `socket`, `admin.sock`.")
    static let project = LogField(
        "project", "CLAVIGER_PROJECT", in: "exchange, audit", "The project the key belongs to, absent before a key was accepted; in the audit, the project concerned.")
    static let server = LogField("server", "CLAVIGER_SERVER", in: "exchange, audit", "The server's name in the project; absent before one was found.")
    static let navigator = LogField("navigator", "CLAVIGER_NAVIGATOR", in: "exchange", "The navigator the key belongs to.")
    static let key = LogField(
        "key", "CLAVIGER_KEY", in: "exchange",
        "The id of the API key, its public half; where `navigator` is absent, of one that was not accepted (`why` says whether it is unknown, wrong or expired).")
    static let user = LogField(
        "user", "CLAVIGER_USER", in: "exchange, audit", "For whom, as `log.user` says: the address, its keyed hash, or nothing.")
    static let link = LogField("link", "CLAVIGER_LINK", in: "audit", "The auth link that it was done by, or to.")
    static let client = LogField(
        "client", "CLAVIGER_CLIENT", in: "all",
        "The client's address; behind a trusted proxy, the one that proxy names. In the audit also `admin.sock`.")
    static let operation = LogField(
        "mcp_method", "CLAVIGER_MCP_METHOD", in: "exchange", "`Mcp-Method`, where the client speaks 2026-07-28 or later; at most 64 bytes.")
    static let tool = LogField(
        "mcp_name", "CLAVIGER_MCP_NAME", in: "exchange",
        "`Mcp-Name` of `tools/call` and `prompts/get`: the tool or the prompt, at most 128 bytes. A resource's URI is not written: it may hold anything.")
    static let status = LogField("status", "CLAVIGER_STATUS", in: "exchange, portal", "The answer's status; 0 where the client left before one was begun.")
    static let refusal = LogField(
        "refusal", "CLAVIGER_REFUSAL", in: "exchange, portal", "The code of the gateway's own no; absent where the upstream answered.")
    static let why = LogField("why", "CLAVIGER_WHY", in: "exchange, portal", "Which of the refusal's cases it was, or why the answer broke off.")
    static let ending = LogField(
        "ending", "CLAVIGER_ENDING", in: "exchange, portal", "`client_left`, `upstream_broke` or `cut`; absent where the exchange ran to its end.")
    static let use = LogField(
        "use", "CLAVIGER_USE", in: "exchange",
        "A credential was used: `user`, the user's own for that server, or `project`, the shared one. Project, server and user say which; absent where none was sent.")
    static let total = LogField("total_ms", "CLAVIGER_TOTAL_MS", in: "exchange, portal", "From the request's head to the end, in milliseconds.")
    static let upstream = LogField(
        "upstream_ms", "CLAVIGER_UPSTREAM_MS", in: "exchange", "From the first byte sent upstream to the head of its answer, in milliseconds.")
    static let credential = LogField(
        "credential_ms", "CLAVIGER_CREDENTIAL_MS", in: "exchange", "Time spent waiting for a credential, in milliseconds; absent where it was at hand.")
    static let received = LogField("in", "CLAVIGER_IN", in: "exchange, portal", "Bytes from the client, heads included.")
    static let sent = LogField("out", "CLAVIGER_OUT", in: "exchange, portal", "Bytes to the client, heads included.")
    static let connection = LogField("connection", "CLAVIGER_CONNECTION", in: "exchange", "`reused` or `new`: where the upstream connection came from.")
    static let replayed = LogField(
        "replayed", "CLAVIGER_REPLAYED", in: "exchange",
        "`yes`: the server rejected the cached credential, and the request was sent again with the store's; absent otherwise.")
    static let detail = LogField("detail", "CLAVIGER_DETAIL", in: "audit", "What changed, in words; people in it stand as `log.user` says.")

    /// The reference: every field with its names, as a page of Markdown.
    package static var reference: String {
        var text = """
            # Log fields

            What stands in the log's records, by name. This page is made from the declarations by `make reference`; <doc:Observing> says how to ask for them.

            Beside these an entry of the journal has `MESSAGE`, `PRIORITY` and `SYSLOG_IDENTIFIER=claviger`, and the journal's own; a plain line begins with
            time, level and message, and a line of JSON with `time`, `level` and `message`. A record of an exchange or of a request to the portal is written when it ends; the time in a
            plain or JSON line is when its head came. Other lines have fields of their own by the same rule: `server` is `CLAVIGER_SERVER`.

            | plain, JSON | journal | records | |
            |---|---|---|---|

            """
        for field in all { text += "| `\(field.name)` | `\(field.journal)` | \(field.records) | \(field.documentation) |\n" }
        return text
    }
}
