// The two eras of MCP over HTTP: which one a request belongs to, what it must carry there, and how its results differ.

internal import HTTPTypes

enum Era: Sendable {
    /// 2026-07-28: no session; method and name stand in headers too.
    case stateless
    /// 2025-03-26 to 2025-11-25: `initialize`, then `Mcp-Session-Id`.
    case session

    static let statelessVersion = "2026-07-28"
    static let sessionVersions = ["2025-03-26", "2025-06-18", "2025-11-25"]

    /// Throws `Complaint` (-32022, which names what is spoken here) for a version of neither.
    init(version: String?) throws(Complaint) {
        switch version {
        case Self.statelessVersion: self = .stateless
        case nil: self = .session
        case let version? where Self.sessionVersions.contains(version): self = .session
        case let version?:
            let supported = Self.sessionVersions + [Self.statelessVersion]
            throw Complaint(
                .badRequest, -32022, "Unsupported protocol version",
                detail: ["supported": .list(supported.map(JSON.text)), "requested": .text(version)])
        }
    }

    /// Holds a 2026-07-28 request's headers to its body, as the specification demands of a server. Throws -32020 or -32602.
    static func check(_ message: Message, against headers: HTTPFields) throws(Complaint) {
        let meta = message.params["_meta"]
        let prefix = "io.modelcontextprotocol/"
        guard let version = meta?[prefix + "protocolVersion"], meta?[prefix + "clientCapabilities"] != nil else {
            throw Complaint(.badRequest, -32602, "params._meta lacks protocolVersion or clientCapabilities")
        }
        var expected = ["MCP-Protocol-Version": version.text ?? "", "Mcp-Method": message.method]
        if message.method == "tools/call" { expected["Mcp-Name"] = message.params["name"]?.text }
        for (name, value) in expected {
            guard let name = HTTPField.Name(name), headers[values: name] == [value] else {
                throw Complaint(.badRequest, -32020, "\(name) does not stand in the head once and as in the body")
            }
        }
    }

    /// A result with what this era adds to it. `isCacheable` is for lists and discovery; ours may always be asked again.
    func complete(_ result: [String: JSON], isCacheable: Bool = false) -> JSON {
        guard self == .stateless else { return .object(result) }
        var result = result
        result["resultType"] = "complete"
        if isCacheable {
            result["ttlMs"] = 0
            result["cacheScope"] = "private"
        }
        return .object(result)
    }
}
