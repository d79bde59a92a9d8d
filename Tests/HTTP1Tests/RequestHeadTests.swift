// A request's head that is sound: what is read out of it.

internal import HTTP1
internal import Kernel
internal import Testing

/// The head of `lines`, the empty line included.
func head(_ lines: String...) -> [UInt8] {
    bytes(lines.map { $0 + "\r\n" }.joined() + "\r\n")
}

/// What was read, or nil with an issue recorded.
func request(_ message: [UInt8], _ location: SourceLocation = #_sourceLocation) -> ReadRequest? {
    let reading = readRequest(message)
    guard case .read(let head) = reading else {
        Issue.record("not read: \(reading)", sourceLocation: location)
        return nil
    }
    return head
}

@Suite struct `Request head` {
    @Test func `a POST as an agent sends it`() throws {
        let message = head(
            "POST /mcp/crm?a=b?c HTTP/1.1", "Host: gateway:8080", "X-API-Key:  ck_a.b \t", "x_api_key: no",
            "Content-Length: 12", "X-Empty:", "Connection: x-a, keep-alive")
        let read = try #require(request(message + bytes("{}")))
        #expect(read.method == .post)
        #expect(read.methodName == "POST")
        #expect(read.target == "/mcp/crm?a=b?c")
        #expect(read.path == "/mcp/crm")
        #expect(read.query == "a=b?c")
        #expect(read.authority == nil)
        #expect(read.host == "gateway:8080")
        #expect(read.minorVersion == 1)
        #expect(read.body == .exactly(12))
        #expect(read.length == message.count)
        #expect(read.keepAlive)
        #expect(!read.expectsContinue)
        #expect(read.nominated == ["x-a"])
        #expect(
            read.fields == [
                ReadField(id: .host, name: "Host", value: "gateway:8080", line: "Host: gateway:8080\r\n", hasUnderscore: false),
                ReadField(id: .apiKey, name: "X-API-Key", value: "ck_a.b", line: "X-API-Key:  ck_a.b \t\r\n", hasUnderscore: false),
                ReadField(id: .apiKey, name: "x_api_key", value: "no", line: "x_api_key: no\r\n", hasUnderscore: true),
                ReadField(id: .contentLength, name: "Content-Length", value: "12", line: "Content-Length: 12\r\n", hasUnderscore: false),
                ReadField(id: .other, name: "X-Empty", value: "", line: "X-Empty:\r\n", hasUnderscore: false),
                ReadField(
                    id: .connection, name: "Connection", value: "x-a, keep-alive", line: "Connection: x-a, keep-alive\r\n",
                    hasUnderscore: false),
            ])
    }

    @Test(arguments: [
        ("GET", Method.get), ("HEAD", .head), ("POST", .post), ("PUT", .put), ("DELETE", .delete), ("OPTIONS", .options),
        ("PATCH", .patch), ("get", .other), ("GETS", .other), ("PROPFIND", .other), ("M-SEARCH", .other), ("!#$%&'*+-.^_`|~", .other),
    ])
    func `a method is told by its exact spelling`(name: String, method: Method) throws {
        let read = try #require(request(head("\(name) / HTTP/1.1", "Host: a")))
        #expect(read.method == method)
        #expect(read.methodName == name)
    }

    @Test(arguments: [
        ("GET /", "/", nil, nil), ("GET /?", "/", "", nil), ("GET /a/b?c=d&e=/?f", "/a/b", "c=d&e=/?f", nil),
        ("GET //a", "//a", nil, nil), ("GET /%00%2e", "/%00%2e", nil, nil), ("OPTIONS *", "*", nil, nil),
        ("GET http://h/p?q", "/p", "q", "h"), ("GET HTTPS://h:1/", "/", nil, "h:1"), ("GET http://h", "", nil, "h"),
        ("OPTIONS http://[::1]:80?q", "", "q", "[::1]:80"), ("GET http://h//?/", "//", "/", "h"),
    ] as [(String, String, String?, String?)])
    func `a target is taken apart`(line: String, path: String, query: String?, authority: String?) throws {
        let read = try #require(request(head("\(line) HTTP/1.1", "Host: a")))
        #expect(read.path == path)
        #expect(read.query == query)
        #expect(read.authority == authority)
        #expect(read.host == "a")
    }

    @Test(arguments: ["a", "a.b-c_d", "A.EXAMPLE:80", "10.0.0.1:0", "[::1]", "[2001:db8::1]:65535", "[::ffff:1.2.3.4]", "a:00080", "-"])
    func `a host with an optional port is an authority`(host: String) throws {
        #expect(try #require(request(head("GET / HTTP/1.1", "Host:\t\(host) "))).host == host)
    }

    @Test(arguments: [
        ([], BodyLength.none), (["Content-Length: 0"], .exactly(0)), (["content-length:  0042  "], .exactly(42)),
        (["CONTENT-LENGTH:4611686018427387903"], .exactly(Int.max / 2)), (["Transfer-Encoding: chunked"], .chunked),
        (["transfer-encoding:\t CHUNKED \t"], .chunked),
    ])
    func `framing is read`(fields: [String], body: BodyLength) throws {
        let lines = ["POST / HTTP/1.1", "Host: a"] + fields
        #expect(try #require(request(bytes(lines.map { $0 + "\r\n" }.joined() + "\r\n"))).body == body)
    }

    @Test(arguments: [
        ("1.1", nil, true), ("1.0", nil, false), ("1.1", "close", false), ("1.1", "CLOSE", false), ("1.0", "Keep-Alive", true),
        ("1.0", "keep-alive, close", false), ("1.1", "keep-alive", true), ("1.1", ", ,x , cLoSe,", false), ("1.1", "closed", true),
        ("1.1", "", true),
    ] as [(String, String?, Bool)])
    func `persistence follows version and Connection`(version: String, connection: String?, keepAlive: Bool) throws {
        let lines = ["GET / HTTP/\(version)", "Host: a"] + (connection.map { ["Connection: \($0)"] } ?? [])
        #expect(try #require(request(bytes(lines.map { $0 + "\r\n" }.joined() + "\r\n"))).keepAlive == keepAlive)
    }

    @Test func `every Connection line nominates`() throws {
        let read = try #require(
            request(head("GET / HTTP/1.1", "Host: a", "Connection: a , ,b,close", "Connection:", "connection: Authorization\t,\tx~")))
        #expect(read.nominated == ["a", "b", "Authorization", "x~"])
        #expect(!read.keepAlive)
    }

    @Test(arguments: [
        ("1.1", "Content-Length: 1", true), ("1.1", "Transfer-Encoding: chunked", true), ("1.1", "Content-Length: 0", false),
        ("1.1", "X: y", false), ("1.0", "Content-Length: 1", false),
    ])
    func `100-continue counts where a body follows in HTTP/1.1`(version: String, field: String, expects: Bool) throws {
        let read = try #require(request(head("POST / HTTP/\(version)", "Host: a", field, "Expect: 100-Continue")))
        #expect(read.expectsContinue == expects)
    }

    @Test func `text beyond ASCII and tabs stand in values`() throws {
        let read = try #require(request(head("GET / HTTP/1.1", "Host: a", "X: \u{80}a\tb\u{FF}", "Y:\t\t", "Z: \"q: \\\" ,;=\"")))
        #expect(read.fields.map(\.value) == ["a", "\u{80}a\tb\u{FF}", "", "\"q: \\\" ,;=\""])
    }

    @Test func `what follows the head is left alone`() throws {
        let first = head("GET /1 HTTP/1.1", "Host: a")
        let read = try #require(request(first + [0, 10, 13, 255] + first))
        #expect(read.length == first.count)
        #expect(read.target == "/1")
    }

    @Test func `a head reads one request after another`() throws {
        var head = RequestHead()
        var scan = HeadScan()
        let first = bytes("POST /a?b HTTP/1.0\r\nHost: a\r\nContent-Length: 3\r\nConnection: keep-alive, x\r\n\r\n")
        let second = bytes("GET http://h/c HTTP/1.1\r\nHost: b\r\n\r\n")
        let limits = HeadLimits()
        for _ in 0..<3 {
            var done = try head.parse(first.span.raw, scan: &scan, limits: limits)
            #expect(done && head.body == .exactly(3) && head.query != nil && head.authority == nil && head.nominated.count == 1)
            done = try head.parse(second.span.raw, scan: &scan, limits: limits)
            #expect(done && head.body == .none && head.query == nil && head.authority != nil && head.nominated.isEmpty)
            #expect(head.fields.count == 1 && head.minorVersion == 1 && head.method == .get)
            let hasLength = head.has(.contentLength)
            #expect(!hasLength)
        }
    }

    @Test func `a head that served another connection meanwhile starts over`() throws {
        let message = head("GET /long/enough HTTP/1.1", "Host: first", "X: y")
        let other = head("PUT / HTTP/1.1", "Host: b")
        var head = RequestHead()
        var scan = HeadScan()
        var others = HeadScan()
        let limits = HeadLimits()
        var done = try head.parse(message.span.raw.extracting(0..<45), scan: &scan, limits: limits)
        #expect(!done)
        done = try head.parse(other.span.raw, scan: &others, limits: limits)
        #expect(done)
        done = try head.parse(message.span.raw, scan: &scan, limits: limits)
        #expect(done && head.method == .get && head.fields.count == 2)
    }

    @Test func `doubles are seen, spellings with an underscore are not`() throws {
        var head = RequestHead()
        var scan = HeadScan()
        let message = bytes("GET / HTTP/1.1\r\nHost: a\r\nx_user_email: 0\r\nX-User-Email: 1\r\nx-user-email: 2\r\nx-user_token: 3\r\n\r\n")
        let done = try head.parse(message.span.raw, scan: &scan, limits: HeadLimits())
        let counts = [head.count(of: .userEmail), head.count(of: .userToken), head.count(of: .host), head.count(of: .cookie)]
        let first = head.first(.userEmail)
        let token = head.first(.userToken)
        #expect(done && counts == [2, 0, 1, 0])
        #expect(first == head.fields[2])
        #expect(token == nil)
    }
}
