// What an agent gets of a response, and what it does not.

import Gateway
import HTTP1
import Kernel
import Testing

@Suite struct DownstreamHeadTests {
    static let id = "x-request-id: \(Sample.requestID)"

    static func lines(_ input: [String], from instance: ServerInstance? = nil, keepAlive: Bool = true, allowedOrigin: String? = nil) throws -> [String] {
        let instance = try instance ?? Sample.instance(Sample.server("docs"))
        return Sample.lines(try Sample.downstream(input, from: instance, keepAlive: keepAlive, allowedOrigin: allowedOrigin))
    }

    static func kept(_ line: String, status: Int = 200) throws -> Bool {
        let head = try lines(["HTTP/1.1 \(status) X", "Content-Length: 2", "X-Before: 1", line, "X-After: 2"])
        #expect(head[0] == "HTTP/1.1 \(status) X" && head[1] == "X-Before: 1" && head.suffix(3) == ["X-After: 2", id, "Content-Length: 2"])
        return head.contains(line)
    }

    @Test(arguments: [
        "Content-Type: text/event-stream", "Mcp-Session-Id: s1", "Date: Sat, 21 Nov 2026 01:00:00 GMT", "Cache-Control: no-cache", "X-Accel-Buffering: no",
        "Content-Encoding: gzip", "Retry-After: 3", "ETag: \"x\"", "Server: uvicorn", "WWW-Authenticate: Bearer", "Link: </a>; rel=b", "Vary: Accept",
    ])
    func `an answer's own fields pass as they are`(_ line: String) throws {
        #expect(try Self.kept(line))
    }

    @Test(arguments: [
        "Set-Cookie: a=b", "set-cookie: a", "Clear-Site-Data: \"*\"", "Alt-Svc: h2=\":443\"", "Strict-Transport-Security: max-age=1",
        "Access-Control-Allow-Origin: *", "access-control-anything: x", "x-request-id: theirs", "x-claviger-refusal: unauthenticated",
        "X_Claviger_Refusal: x", "Connection: close", "Keep-Alive: timeout=5", "Proxy-Authenticate: Basic", "Trailer: X", "Upgrade: h2c", "TE: x",
    ])
    func `what is not for the agent does not reach it`(_ line: String) throws {
        #expect(try !Self.kept(line))
    }

    @Test func `what Connection names stays behind`() throws {
        let head = try Self.lines(["HTTP/1.1 200 OK", "Content-Length: 0", "Connection: x-hop", "X-Hop: 1", "X-Stays: 2"])
        #expect(head == ["HTTP/1.1 200 OK", "X-Stays: 2", Self.id, "Content-Length: 0"])
    }

    @Test func `a challenge passes but for a 401 of a server without credential`() throws {
        #expect(try !Self.kept("WWW-Authenticate: Bearer", status: 401))
        #expect(try Self.kept("WWW-Authenticate: Bearer", status: 403))
        let crm = try Sample.instance(Sample.server("crm", injector: RenderedCredentialTests.header))
        let head = try Sample.downstream(["HTTP/1.1 401 X", "WWW-Authenticate: Bearer", "Content-Length: 0"], from: crm)
        #expect(head.contains("WWW-Authenticate: Bearer"))
    }

    @Test func `framing, the end of the connection and the origin are said last`() throws {
        let head = try Self.lines(
            ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked"], keepAlive: false, allowedOrigin: "https://app.example.com")
        #expect(head == [
            "HTTP/1.1 200 OK", Self.id, "Access-Control-Allow-Origin: https://app.example.com",
            "Access-Control-Expose-Headers: Mcp-Session-Id, x-request-id, x-claviger-refusal", "Vary: Origin", "Transfer-Encoding: chunked",
            "Connection: close",
        ])
    }

    @Test func `a length tells of a body that is not sent, except where there can be none`() throws {
        let docs = try Sample.instance(Sample.server("docs"))
        let head = try Sample.downstream(["HTTP/1.1 200 OK", "Content-Length: 90"], from: docs, method: .head)
        #expect(Sample.lines(head) == ["HTTP/1.1 200 OK", "Content-Length: 90", Self.id])
        let empty = try Sample.downstream(["HTTP/1.1 204 No Content", "X: y"], from: docs)
        #expect(Sample.lines(empty) == ["HTTP/1.1 204 No Content", "X: y", Self.id])
    }

    @Test(arguments: [
        ("/mcp/", "/mcp/maps"), ("/mcp", "/mcp/maps"), ("https://up.example.com/v1/s3cr3t%2Fkey/mcp/", "/mcp/maps"), ("//up.example.com/login?x=1", "/mcp/maps?x=1"),
        ("?page=2", "/mcp/maps?page=2"), ("/a?u=9&b=1#top", "/mcp/maps?b=1#top"), ("../x", "/mcp/maps"), ("/a?k=s3cr3t-key", "/mcp/maps?k=***"),
        ("https://other.example.com/a?k=s3cr3t-key&b", "https://other.example.com/a?k=***&b"), ("https://other.example.com/a", "https://other.example.com/a"),
        ("https://up.example.com@other/s3cr3t-key", "https://up.example.com@other/***"), ("", "/mcp/maps"),
    ])
    func `a redirect to the same origin leads to the gateway, another goes without our secrets`(_ location: String, _ expected: String) throws {
        let maps = try Sample.instance(Sample.server("maps", url: "/v1/{key}/mcp?u=1", injector: .path))
        let credential = try RenderedCredential.render(Sample.values(["key": "s3cr3t-key"]), for: maps.server)
        let head = Sample.lines(try Sample.downstream(["HTTP/1.1 307 X", "Location: \(location)", "Content-Length: 0"], from: maps, redacting: credential))
        #expect(head == ["HTTP/1.1 307 X", "Location: \(expected)", Self.id, "Content-Length: 0"])
    }

    @Test func `a stream's redirect keeps the path below the server`() throws {
        let legacy = try Sample.instance(Sample.server("legacy", url: "/v1/sse?u=1", transport: .sse))
        func location(_ text: String) throws -> String {
            Sample.lines(try Sample.downstream(["HTTP/1.1 307 X", "Location: \(text)", "Content-Length: 0"], from: legacy))[1]
        }
        #expect(try location("/v1/sse?u=1&x=2") == "Location: /mcp/legacy?x=2")
        #expect(try location("messages/?u=1") == "Location: /mcp/legacy/v1/messages/?u=1")
    }

    static let secretForms = [
        "s3cr3t+key/9~", "s3cr3t%2Bkey%2F9~", "s3cr3t%2bkey%2f9%7E", "%733cr3t+key%2f9~", "czNjcjN0K2tleS85fg==", "czNjcjN0K2tleS85fg", "czNjcjN0K2tleS85fg%3D%3D",
        "YTpzM2NyM3Qra2V5Lzl+", "YTpzM2NyM3Qra2V5Lzl-", "YWI6czNjcjN0K2tleS85fg==",
    ]

    @Test(arguments: secretForms, ["Location", "Content-Location", "Link", "Refresh", "X-Echo", "Mcp-Session-Id", "WWW-Authenticate", "Content-Type"])
    func `a secret does not come back in any field, raw, encoded or in base64`(_ form: String, _ name: String) throws {
        let crm = try Sample.instance(Sample.server("crm", injector: RenderedCredentialTests.header))
        let credential = try RenderedCredential.render(Sample.values(["token": "s3cr3t+key/9~", "account": "0"]), for: crm.server)
        let head = Sample.lines(
            try Sample.downstream(["HTTP/1.1 200 OK \(form)", "A: 1", "\(name): https://x/<\(form)>", "B: 2", "Content-Length: 0"], from: crm, redacting: credential))
        #expect(head.count == 6 && head[1] == "A: 1" && head[3] == "B: 2")
        #expect(head[0].hasPrefix("HTTP/1.1 200 OK ") && head[0].hasSuffix("***"))
        #expect(head[2].hasPrefix("\(name): https://x/<") && head[2].hasSuffix("***>"))
        for core in ["s3cr3t", "czNjcjN", "M2NyM3"] { #expect(!head[2].contains(core) && !head[0].contains(core)) }
    }

    @Test func `what is too short to be a secret is let be`() throws {
        let crm = try Sample.instance(Sample.server("crm", injector: RenderedCredentialTests.header))
        let credential = try RenderedCredential.render(Sample.values(["token": "longer-one", "account": "2026"]), for: crm.server)
        let head = try Sample.downstream(["HTTP/1.1 200 OK", "Date: Sat, 21 Nov 2026 01:00:00 GMT", "Content-Length: 0"], from: crm, redacting: credential)
        #expect(head.contains("2026"))
    }
}
