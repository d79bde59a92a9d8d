// What goes over the wire in the cases: one MCP call as an SDK makes it, its answer, and events of a stream.

enum Text {
    static let user = "anna.schmidt@acme.com"
    static let secret = "Zm9vYmFyYmF6cXV4LTAxMjM0NTY3ODlfYWJjZGVmZ2g"
    static let keyID = "7q2m4k"
    static let key = "ck_\(keyID).\(secret)"
    static let token = "xoxp-8f14e45fceea167a5a36dedd4bea2543"
    static let host = "gateway.acme.com"

    /// A `tools/call` of the 2026-07-28 protocol: 13 lines, 425 bytes.
    static let request = head(
        "POST /mcp/crm HTTP/1.1",
        "Host: \(host)",
        "Accept-Encoding: gzip, deflate",
        "Connection: keep-alive",
        "User-Agent: python-httpx/0.28.1",
        "x-api-key: \(key)",
        "x-user-email: \(user)",
        "Accept: application/json, text/event-stream",
        "Content-Type: application/json",
        "mcp-protocol-version: 2026-07-28",
        "mcp-method: tools/call",
        "mcp-name: search_contacts",
        "Content-Length: 250")

    /// As the Python SDK's server answers behind uvicorn: 215 bytes.
    static let response = head(
        "HTTP/1.1 200 OK",
        "date: Sat, 21 Nov 2026 05:00:00 GMT",
        "server: uvicorn",
        "content-type: application/json",
        "cache-control: no-cache, no-transform",
        "mcp-session-id: 4f6b2f0c9d1e4c0f8f5a7f6a4e1b2c3d",
        "content-length: 300")

    /// One progress notification of an event stream.
    static let event = Array(
        """
        event: message\r
        data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"7","progress":42,"total":100,\
        "message":"42 of 100 contacts searched"}}\r
        \r\n
        """.utf8)

    /// The same as a chunk.
    static let chunk = Array("\(String(event.count, radix: 16))\r\n".utf8) + event + Array("\r\n".utf8)

    /// The beginning of a stream of the old HTTP+SSE transport.
    static let endpointEvent = Array("event: endpoint\r\ndata: /messages/?session_id=4f6b2f0c9d1e4c0f8f5a7f6a4e1b2c3d\r\n\r\n".utf8)

    private static func head(_ lines: String...) -> [UInt8] {
        Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }
}
