// What a server gets of a request, and what it does not.

import Gateway
import HTTP1
import Kernel
import Testing

@Suite struct UpstreamHeadTests {
    static let first = ["POST /mcp/x HTTP/1.1", "Host: gw.example.com"]
    static let id = "x-request-id: \(Sample.requestID)"

    static func plain(_ lines: [String], body: BodyLength = .none) throws -> [String] {
        Sample.lines(try Sample.upstream(first + lines, to: Sample.instance(Sample.server("docs")), body: body))
    }

    /// The kept lines of a request that has these.
    static func kept(_ lines: [String]) throws -> [String] {
        let head = try plain(lines)
        #expect(Array(head.prefix(2)) == ["POST /mcp HTTP/1.1", "Host: up.example.com"])
        #expect(head.last == id)
        return Array(head.dropFirst(2).dropLast())
    }

    @Test(arguments: [
        ("/mcp", nil, "/mcp"), ("/mcp", "a=1", "/mcp?a=1"), ("/mcp/", nil, "/mcp/"), ("/", "x", "/?x"), ("/mcp?t=1", nil, "/mcp?t=1"),
        ("/mcp?t=1", "a=2&t=3", "/mcp?t=1&a=2"), ("/mcp?t=1", "%74=3", "/mcp?t=1"), ("/mcp?", "a=1", "/mcp?a=1"), ("/mcp?", nil, "/mcp?"),
        ("/m%20p?a%5b%5d=1", "a[]=2&b", "/m%20p?a%5b%5d=1&b"), ("/mcp", "", "/mcp"),
    ] as [(String, String?, String)])
    func `the request line is exactly the server's URL, then the client's query`(_ url: String, _ query: String?, _ target: String) throws {
        for slash in ["", "/"] {
            let lines = ["DELETE /mcp/docs\(slash)\(query.map { "?" + $0 } ?? "") HTTP/1.1", "Host: gw.example.com"]
            let head = try Sample.upstream(lines, to: Sample.instance(Sample.server("docs", url: url)))
            #expect(Sample.lines(head)[0] == "DELETE \(target) HTTP/1.1")
        }
    }

    @Test func `a port that is not the scheme's own stands in Host`() throws {
        let instance = try Sample.instance(Sample.server("docs", host: "::1", port: 8443))
        #expect(Sample.lines(try Sample.upstream(Self.first, to: instance))[1] == "Host: [::1]:8443")
    }

    @Test func `a stream to be rewritten is asked for without encoding`() throws {
        let legacy = try Sample.instance(Sample.server("legacy", url: "/sse", transport: .sse))
        func asked(_ first: String, _ lines: [String], of instance: ServerInstance, suffix: String? = nil) throws -> [String] {
            let head = try Sample.upstream([first, "Host: gw.example.com"] + lines, to: instance, suffix: suffix)
            return Sample.lines(head).filter { $0.lowercased().hasPrefix("accept") }
        }
        let sent = ["Accept: text/event-stream", "accept-encoding: gzip", "ACCEPT-Encoding: br", "Accept_Encoding: zstd"]
        let stream = "GET /mcp/legacy HTTP/1.1"
        #expect(try asked(stream, sent, of: legacy) == ["Accept: text/event-stream", "Accept-Encoding: identity"])
        #expect(try asked(stream, [], of: legacy) == ["Accept-Encoding: identity"])
        #expect(try asked("POST /mcp/legacy/~/m HTTP/1.1", sent, of: legacy, suffix: "~/m") == sent)
        #expect(try asked("POST /mcp/legacy HTTP/1.1", sent, of: legacy) == sent)
        #expect(try asked("GET /mcp/docs HTTP/1.1", sent, of: Sample.instance(Sample.server("docs"))) == sent)
    }

    @Test func `what MCP needs goes through untouched and in order`() throws {
        let lines = [
            "Accept: application/json, text/event-stream", "Accept-Encoding: gzip", "Content-Type: application/json", "Mcp-Session-Id: s1",
            "mcp-protocol-version: 2026-07-28", "Mcp-Method: tools/call", "Mcp-Name: =?base64?eA==?=", "Mcp-Param-City: Ulm",
            "Last-Event-ID: 7", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "X-Accel-Buffering: no",
            "User-Agent: test", "X-Other: a", "X-Other: b", "X-Spaced:   a  b  ",
        ]
        #expect(try Self.kept(lines) == lines)
    }

    @Test(arguments: [
        "x-api-key: k", "X-API-Key: k", "x_api_key: k", "X_Api-Key: k", "x-user-email: a@b.c", "x_user_email: a@b.c", "x-user-token: t",
        "x_user-token: t", "Authorization: Bearer t", "authorization: t", "Cookie: a=b", "cookie: a", "Origin: https://x", "Expect: 100-continue",
        "Connection: close", "Connection: keep-alive", "Keep-Alive: timeout=5", "Proxy-Authorization: x", "Proxy-Connection: x",
        "proxy_authorization: x", "Proxy-Anything: x", "TE: gzip", "TE: trailers, gzip", "Trailer: X", "Upgrade: h2c", "HTTP2-Settings: x",
        "http2_settings: x", "Forwarded: for=x", "Via: 1.1 x", "X-Forwarded-For: x", "X-Forwarded-Host: x", "x_forwarded_proto: x",
        "X-Forwarded-Anything: x", "X-Real-IP: x", "x-claviger-door: x", "X_Claviger_Uid: 0", "x-claviger-anything: x", "x-request-id: theirs",
        "X_Request_Id: theirs", "Content-Length: 5",
    ])
    func `what is not for the server does not reach it`(_ line: String) throws {
        let others = ["Accept: a", "X-Between: b"]
        #expect(try Self.kept([others[0], line, others[1]]) == others)
        #expect(try Self.kept([line] + others) == others)
        #expect(try Self.kept(others + [line]) == others)
    }

    @Test func `TE stays where it only asks for trailers`() throws {
        #expect(try Self.kept(["TE: Trailers"]) == ["TE: Trailers"])
    }

    @Test func `what Connection names is removed before anything is injected`() throws {
        #expect(try Self.kept(["Connection: X-Hop, accept", "x-hop: 1", "Accept: a", "X-Stays: b"]) == ["X-Stays: b"])
        let instance = try Sample.instance(Sample.server("crm", injector: RenderedCredentialTests.header))
        let credential = try RenderedCredential.render(Sample.values(["token": "t0ken", "account": "acme"]), for: instance.server)
        let head = try Sample.upstream(
            Self.first + ["Connection: authorization, x-account, host, x-request-id, content-length"], to: instance, with: credential)
        #expect(Sample.lines(head) == ["POST /mcp HTTP/1.1", "Host: up.example.com", Self.id, "Authorization: Bearer t0ken", "X-Account: acme"])
    }

    @Test(arguments: ["X-Account", "x-account", "X_ACCOUNT", "x_account", "X-aCcOuNt"])
    func `an injected name is the injector's alone, however it is spelt`(_ name: String) throws {
        let instance = try Sample.instance(Sample.server("crm", injector: RenderedCredentialTests.header))
        let credential = try RenderedCredential.render(Sample.values(["token": "t0ken", "account": "acme"]), for: instance.server)
        let head = try Sample.upstream(Self.first + ["\(name): evil", "\(name): evil", "X-Accounts: kept"], to: instance, with: credential)
        #expect(Sample.lines(head).filter { $0.lowercased().hasPrefix("x-account") } == ["X-Accounts: kept", "X-Account: acme"])
        #expect(!head.contains("evil"))
    }

    @Test func `a name injected with an underscore meets its dashed spelling too`() throws {
        let instance = try Sample.instance(Sample.server("crm", injector: .header([("api_key", Sample.template("{key}"))])))
        let credential = try RenderedCredential.render(Sample.values(["key": "secret"]), for: instance.server)
        let head = try Sample.upstream(Self.first + ["API-Key: evil"], to: instance, with: credential)
        #expect(Sample.lines(head).suffix(2) == [Self.id, "api_key: secret"])
    }

    @Test func `the body is framed as it is given, once`() throws {
        #expect(try Self.plain(["Content-Length: 7"], body: .exactly(7)).suffix(1) == ["Content-Length: 7"])
        #expect(try Self.plain(["Transfer-Encoding: chunked"], body: .chunked).suffix(1) == ["Transfer-Encoding: chunked"])
        #expect(try Self.plain(["Content-Length: 7"], body: .chunked).count { $0.contains("7") && $0.hasPrefix("Content") } == 0)
        #expect(try Self.plain([], body: .exactly(0)).suffix(1) == ["Content-Length: 0"])
    }

    @Test func `a path's value is one encoded segment of the URL`() throws {
        let instance = try Sample.instance(Sample.server("maps", url: "/v1/{key}/mcp?u=1", injector: .path))
        let credential = try RenderedCredential.render(Sample.values(["key": "a b?c#d%é"]), for: instance.server)
        let head = try Sample.upstream(["GET /mcp/maps?u=2&x=3 HTTP/1.1", "Host: gw"], to: instance, with: credential)
        #expect(Sample.lines(head)[0] == "GET /v1/a%20b%3Fc%23d%25%C3%A9/mcp?u=1&x=3 HTTP/1.1")
    }

    @Test(arguments: [
        ("/mcp", nil, "/mcp?api_key=s%26x%3D1&v=a-1"), ("/mcp?u=1", "x=2", "/mcp?u=1&api_key=s%26x%3D1&v=a-1&x=2"),
        ("/mcp?", "v=evil;api%5Fkey=evil&x", "/mcp?api_key=s%26x%3D1&v=a-1&x"), ("/mcp", "API_KEY=y", "/mcp?api_key=s%26x%3D1&v=a-1&API_KEY=y"),
    ] as [(String, String?, String)])
    func `injected pairs stand between the URL's and the client's`(_ url: String, _ query: String?, _ target: String) throws {
        let injector = Injector.query([("api_key", Sample.template("{key}")), ("v", Sample.template("a-{n}"))])
        let instance = try Sample.instance(Sample.server("weather", url: url, injector: injector))
        let credential = try RenderedCredential.render(Sample.values(["key": "s&x=1", "n": "1"]), for: instance.server)
        let head = try Sample.upstream(["GET /mcp/weather\(query.map { "?" + $0 } ?? "") HTTP/1.1", "Host: gw"], to: instance, with: credential)
        #expect(Sample.lines(head)[0] == "GET \(target) HTTP/1.1")
    }
}
