// A response's head: what is read, what is refused, and when its connection may serve again.

internal import HTTP1
internal import Kernel
internal import Testing

@Suite struct `Response head` {
    private func response(
        _ lines: String..., answering method: Method = .post, at location: SourceLocation = #_sourceLocation
    ) throws -> ReadResponse {
        let reading = readResponse(bytes(lines.map { $0 + "\r\n" }.joined() + "\r\n"), answering: method)
        guard case .read(let head) = reading else {
            throw Failure(description: "\(reading)")
        }
        return head
    }

    private struct Failure: Error, CustomStringConvertible { var description: String }

    @Test func `an answer as a server sends it`() throws {
        let read = try response(
            "HTTP/1.1 200 OK", "Content-Type: application/json", "content-length: 7", "Mcp-Session-Id: s", "Keep-Alive: max=9, Timeout=5",
            "Set_Cookie: a")
        #expect(read.status == 200 && read.reason == "OK" && read.minorVersion == 1 && read.body == .exactly(7))
        #expect(read.keepAlive && read.keepAliveTimeout == 5 && !read.isInterim)
        #expect(read.fields.map(\.id) == [.contentType, .contentLength, .mcpSessionID, .keepAlive, .setCookie])
        #expect(read.fields.last?.hasUnderscore == true)
    }

    @Test(arguments: [
        ("HTTP/1.1 200", 200, ""), ("HTTP/1.1 200 ", 200, ""), ("HTTP/1.0 404 Not Found", 404, "Not Found"), ("HTTP/1.1 599 \u{E9}\tx", 599, "\u{E9}\tx"),
        ("HTTP/1.1 100  ", 100, " "),
    ])
    func `a status line may lack its reason`(line: String, status: Int, reason: String) throws {
        let read = try response(line)
        #expect(read.status == status && read.reason == reason)
    }

    @Test(arguments: [
        (200, [], Method.get, BodyLength.untilClose, false), (200, ["Content-Length: 3"], .get, .exactly(3), true), (200, ["Transfer-Encoding: Chunked"], .get, .chunked, true),
        (200, ["Content-Length: 0"], .get, .exactly(0), true), (200, ["Content-Length: 3"], .head, .none, true), (200, ["Transfer-Encoding: chunked"], .head, .none, true), (200, [], .head, .none, true),
        (304, ["Content-Length: 3"], .get, .none, true), (304, ["Transfer-Encoding: chunked"], .get, .none, true), (304, [], .get, .none, true),
        (204, [], .get, .none, true), (204, ["Content-Length: 0"], .get, .none, true),
        // A body announced where none can be would be read as the next response.
        (204, ["Content-Length: 3"], .get, .none, false), (204, ["Transfer-Encoding: chunked"], .get, .none, false),
        (100, [], .post, .none, true), (103, ["Content-Length: 1"], .post, .none, false), (101, ["Upgrade: x", "Connection: upgrade"], .get, .none, false),
        (200, ["Content-Length: 3", "Connection: close"], .get, .exactly(3), false), (205, [], .get, .untilClose, false), (500, ["Content-Length: 1"], .delete, .exactly(1), true),
    ])
    func `status, method and fields frame the body`(
        status: Int, fields: [String], method: Method, body: BodyLength, keepAlive: Bool
    ) throws {
        let lines = ["HTTP/1.1 \(status) X"] + fields
        let message = bytes(lines.map { $0 + "\r\n" }.joined() + "\r\n")
        guard case .read(let read) = readResponse(message, answering: method) else { Issue.record("not read"); return }
        #expect(read.body == body)
        #expect(read.keepAlive == keepAlive)
    }

    @Test func `HTTP 1.0 keeps alive only if it says so`() throws {
        #expect(try !response("HTTP/1.0 200 OK", "Content-Length: 1").keepAlive)
        #expect(try response("HTTP/1.0 200 OK", "Content-Length: 1", "Connection: keep-alive").keepAlive)
        #expect(try !response("HTTP/1.0 200 OK", "Connection: keep-alive").keepAlive)
    }

    @Test func `interim heads precede the final one, a switch of protocols is none`() throws {
        let message = bytes("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        var head = ResponseHead()
        var start = 0
        var statuses: [Int] = []
        repeat {
            var scan = HeadScan()
            let done = try head.parse(message.span.raw.extracting(start..<message.count), scan: &scan, limits: HeadLimits(), answering: .post)
            guard done else { break }
            start += head.length
            statuses.append(head.status)
        } while head.isInterim
        #expect(statuses == [100, 103, 200])
        #expect(message[start...] == bytes("hi")[...])
        #expect(try !response("HTTP/1.1 101 Switching Protocols", "Upgrade: h2c").isInterim)
    }

    @Test(arguments: [
        ("timeout=5", 5), ("TIMEOUT=0", 0), ("max=1 , timeout=60 ", 60), ("timeout=", nil), ("timeout=x", nil), ("timeout=-1", nil), ("timeout", nil),
        ("timeout=99999999999999999999", nil), ("", nil), ("xtimeout=5", nil), ("timeout=5;", nil),
    ] as [(String, Int?)])
    func `Keep-Alive says how long`(value: String, seconds: Int?) throws {
        #expect(try response("HTTP/1.1 200 OK", "Keep-Alive: \(value)").keepAliveTimeout == seconds)
    }

    @Test(arguments: refusedResponses)
    func `is refused for what it is, in whatever pieces`(case refused: Refused) {
        let message = bytes(refused.message)
        #expect(readResponse(message) == .fault(refused.fault))
        #expect(readResponse(message, at: Array(0..<message.count)) == .fault(refused.fault))
        for size in 0..<message.count { #expect(readResponse(message, at: [size]) == .fault(refused.fault)) }
    }

    @Test func `limits hold`() {
        let limits = HeadLimits(line: 20, head: 20, fields: 2)
        #expect(readResponse(bytes("HTTP/1.1 200 a reason phrase\r\n\r\n"), limits: limits) == .fault(.lineTooLong))
        #expect(readResponse(bytes("HTTP/1.1 200\r\nX: yyyyyyyyyyyyyyyyyyyyyyyy\r\n\r\n"), limits: limits) == .fault(.headTooLarge))
        #expect(readResponse(bytes("HTTP/1.1 200\r\nX:y\r\nX:y\r\nX:y\r\n\r\n"), limits: limits) == .fault(.headTooLarge))
    }
}

private let refusedResponses: [Refused] = refusedStatusLines + refusedResponseFields + [
        Refused("HTTP/2.0 200 OK\r\n\r\n", .unsupportedVersion), Refused("HTTP/1.2 200 OK\r\n\r\n", .unsupportedVersion), Refused("HTTP/0.9 200 OK\r\n\r\n", .unsupportedVersion),
        Refused("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .transferEncodingInHTTP10), Refused("HTTP/1.1 200 OK\n\n", .bareLineFeed),
        Refused("HTTP/1.1 304 X\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", .bothLengths),
    ]

private let refusedStatusLines: [Refused] = ([
        ("HTTP/1.1", .statusLine), ("HTTP/1.1 ", .statusLine), ("HTTP/1.1 20", .statusLine), ("HTTP/1.1 20 OK", .statusLine), ("HTTP/1.1 2000 OK", .statusLine), ("HTTP/1.1 200OK", .statusLine),
        ("HTTP/1.1 099 X", .statusLine), ("HTTP/1.1 600 X", .statusLine), ("HTTP/1.1 000 X", .statusLine), ("HTTP/1.1 +20 X", .statusLine), ("HTTP/1.1 2x0 X", .statusLine),
        ("HTTP/1.1  200 OK", .statusLine), ("HTTP/1.1\t200 OK", .statusLine), ("HTTP/1.1 200\tOK", .statusLine), (" HTTP/1.1 200 OK", .statusLine), ("ICY 200 OK", .statusLine),
        ("http/1.1 200 OK", .statusLine), ("", .statusLine), ("HTTP/1.1 200 a\0", .controlByte), ("HTTP/1.1 200 a\rb", .bareCarriageReturn), ("HTTP/1.1 200 a\nb", .bareLineFeed),
        ("HTTP/1.1 200 \u{7F}", .controlByte), ("HTTP/1.1-200 OK", .statusLine),
    ] as [(String, Malformation)]).map { Refused("\($0)\r\n\r\n", $1) }

private let refusedResponseFields: [Refused] = ([
        ("Content-Length: 1\r\nTransfer-Encoding: chunked", .bothLengths), ("Transfer-Encoding: chunked\r\nContent-Length: 1", .bothLengths), ("Content-Length: 1\r\nContent-Length: 1", .contentLengthRepeated),
        ("Content-Length: 1, 1", .contentLength), ("Content-Length: -1", .contentLength), ("Content-Length:", .contentLength), ("Transfer-Encoding: gzip, chunked", .transferCoding),
        ("Transfer-Encoding: identity", .transferCoding), ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", .transferEncodingRepeated), ("transfer_encoding: chunked", .underscoredFraming),
        ("Content_Length: 1", .underscoredFraming), ("X : y", .whitespaceBeforeColon), ("X: a\r\n b", .leadingWhitespace), ("X: a\nY: b", .bareLineFeed), ("X: a\rb", .bareCarriageReturn),
        ("X: a\0", .controlByte), ("X", .missingColon), (": y", .emptyName), ("X\u{E9}: y", .fieldName), ("Connection: a b", .connectionOption),
    ] as [(String, Malformation)]).map { Refused("HTTP/1.1 200 OK\r\n\($0)\r\n\r\n", $1) }
