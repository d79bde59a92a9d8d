// A request's head that is refused: every class of security.md's table on message framing, and that a refusal does not wait.

internal import HTTP1
internal import Testing

/// A message as an argument of a test: shown escaped, for it may hold anything.
struct Raw: ExpressibleByStringLiteral, CustomTestStringConvertible, Sendable {
    var text: String

    init(stringLiteral text: String) { self.text = text }

    var testDescription: String { text.debugDescription }
}

/// A refused message and what it is refused for.
struct Refused: Sendable, CustomTestStringConvertible {
    var message: String
    var fault: MessageFault

    init(_ message: String, _ malformation: Malformation) {
        self.message = message
        fault = .malformed(malformation)
    }

    init(_ message: String, _ fault: MessageFault) {
        self.message = message
        self.fault = fault
    }

    /// A whole head with `fields` after a sound request line and Host.
    static func fields(_ fields: String, _ malformation: Malformation) -> Refused {
        Refused("POST / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\r\n", malformation)
    }

    /// A whole head with this request line.
    static func line(_ line: String, _ malformation: Malformation) -> Refused {
        Refused("\(line)\r\nHost: a\r\n\r\n", malformation)
    }

    var testDescription: String { message.debugDescription }
}

@Suite struct `Refused request heads` {
    @Test(arguments: refusedRequests)
    func `is refused for what it is`(case refused: Refused) {
        #expect(readRequest(bytes(refused.message)) == .fault(refused.fault))
    }

    @Test(arguments: refusedRequests)
    func `is refused alike in whatever pieces it comes`(case refused: Refused) {
        let message = bytes(refused.message)
        for size in 0..<message.count {
            #expect(readRequest(message, at: [size]) == .fault(refused.fault))
        }
        #expect(readRequest(message, at: Array(0..<message.count)) == .fault(refused.fault))
    }

    /// Nothing that begins so can become a sound head: the last byte is the one that is wrong.
    @Test(arguments: [
        "\n", "\r\n", "\rG", "\0", "GET / HTTP/1.1\n", "GET /\r\r", "GET /\u{80}", "GET\t", "\u{16}", "GET / HTTP/1.1\r\n\n", "GET / HTTP/1.1\r\n ",
        "GET / HTTP/1.1\r\n\t", "GET / HTTP/1.1\r\nHost ",
        "GET / HTTP/1.1\r\n:", "GET / HTTP/1.1\r\nA\r", "GET / HTTP/1.1\r\nA\n", "GET / HTTP/1.1\r\nA: b\n", "GET / HTTP/1.1\r\nA: b\rc",
        "GET / HTTP/1.1\r\nA: b\0", "GET / HTTP/1.1\r\nA: b\u{7F}", "GET / HTTP/1.1\r\nA(", "GET / HTTP/1.1\r\nA\u{80}",
        "GET / HTTP/2.0\r\n", "PRI * HTTP/2.0\r\n", "GET / HTTP/1.1\r\n\rA", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n",
    ] as [Raw])
    func `a byte that spoils the head is refused when it comes`(message: Raw) {
        let message = bytes(message.text)
        guard case .fault = readRequest(message) else { Issue.record("not refused"); return }
        #expect(readRequest(Array(message.dropLast()), at: Array(0..<message.count)) == .notYet)
    }

    @Test func `an unfinished head is none`() {
        let message = bytes("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n")
        for size in 0..<message.count { #expect(readRequest(Array(message[..<size])) == .notYet) }
    }

    @Test func `the request line has its limit`() {
        func line(_ count: Int) -> [UInt8] {
            bytes("GET /\(String(repeating: "a", count: count - 14)) HTTP/1.1\r\nHost: a\r\n\r\n")
        }
        let limits = HeadLimits(line: 64)
        guard case .read = readRequest(line(64), limits: limits) else { Issue.record("not read"); return }
        for message in [line(65), line(66), line(1000), Array(line(1000)[..<66])] {
            #expect(readRequest(message, limits: limits) == .fault(.lineTooLong))
            #expect(readRequest(message, at: Array(0..<message.count), limits: limits) == .fault(.lineTooLong))
        }
        #expect(readRequest(Array(line(1000)[..<65]), limits: limits) == .notYet)
    }

    @Test func `the fields have their limit, the empty line included`() {
        func message(_ count: Int) -> [UInt8] {
            bytes("GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "a", count: count - 16))\r\n\r\n")
        }
        let limits = HeadLimits(head: 64)
        guard case .read = readRequest(message(64), limits: limits) else { Issue.record("not read"); return }
        for message in [message(65), message(66), message(67), message(68), message(1000), Array(message(1000)[..<80])] {
            #expect(readRequest(message, limits: limits) == .fault(.headTooLarge))
            #expect(readRequest(message, at: Array(0..<message.count), limits: limits) == .fault(.headTooLarge))
        }
        #expect(readRequest(Array(message(1000)[..<79]), limits: limits) == .notYet)
        let name = bytes("GET / HTTP/1.1\r\n\(String(repeating: "n", count: 100))")
        #expect(readRequest(name, at: Array(0..<name.count), limits: limits) == .fault(.headTooLarge))
    }

    @Test func `there are so many fields and nominated names`() {
        func message(_ count: Int) -> [UInt8] {
            bytes("GET / HTTP/1.1\r\nHost: a\r\n\(String(repeating: "X: y\r\n", count: count - 1))\r\n")
        }
        guard case .read = readRequest(message(100)) else { Issue.record("not read"); return }
        #expect(readRequest(message(101)) == .fault(.headTooLarge))
        func nominating(_ count: Int) -> [UInt8] {
            bytes("GET / HTTP/1.1\r\nHost: a\r\nConnection: \(String(repeating: "x,", count: count))\r\n\r\n")
        }
        guard case .read = readRequest(nominating(100)) else { Issue.record("not read"); return }
        #expect(readRequest(nominating(101)) == .fault(.headTooLarge))
    }

    @Test func `limits are kept within bounds`() {
        let limits = HeadLimits(line: 0, head: .max, fields: -1)
        #expect(limits.line == 1 && limits.head == 16 << 20 && limits.fields == 1)
        #expect(HeadLimits().longest == 8194 + 32768)
    }

    @Test func `a method is judged after the head's form`() {
        for method in ["TRACE /", "CONNECT a:443"] {
            #expect(readRequest(bytes("\(method) HTTP/1.1\r\nHost: a\r\n\r\n")) == .fault(.methodNotAllowed))
            #expect(readRequest(bytes("\(method) HTTP/1.1\r\n\r\n")) == .fault(.malformed(.hostMissing)))
            #expect(readRequest(bytes("\(method) HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n")) == .fault(.methodNotAllowed))
        }
    }
}

/// Every class of the table, several forms of each.
let refusedRequests: [Refused] =
    refusedLines + refusedHosts + refusedFraming + refusedFields + [
        Refused("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", .methodNotAllowed),
        Refused("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", .methodNotAllowed),
        Refused("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continu\r\n\r\n", .expectationFailed),
        Refused("POST / HTTP/1.1\r\nHost: a\r\nExpect:\r\n\r\n", .expectationFailed),
        Refused("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue, 100-continue\r\n\r\n", .expectationFailed),
        Refused("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nExpect: 100-continue\r\n\r\n", .expectationFailed),
        Refused("POST / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n", .expectationFailed),
    ]

private let refusedLines: [Refused] = [
    // The three parts and the spaces between
    .line("GET", .requestLine), .line("GET /", .requestLine), .line("GET HTTP/1.1", .requestLine), .line("GET  HTTP/1.1", .requestLine),
    .line("GET  / HTTP/1.1", .target), .line("GET /  HTTP/1.1", .target), .line("GET / HTTP/1.1 ", .requestLine), .line(" GET / HTTP/1.1", .requestLine),
    .line("GET / HTTP/1.1 HTTP/1.1", .target), .line("GET /a b HTTP/1.1", .target), .line("G(T / HTTP/1.1", .requestLine), .line("GET:/ HTTP/1.1", .requestLine),
    .line("/ HTTP/1.1", .requestLine), .line("GET / HTTP/1.1x", .requestLine), .line("GET / http/1.1", .requestLine), .line("GET / HTTP/1,1", .requestLine),
    .line("GET / HTTP/11", .requestLine), .line("GET / HTTP/1.", .requestLine), .line("GET / ICY/1.1", .requestLine), .line("GET / HTTPS/1.1", .requestLine),
    .line("GET / HTTP /1.1", .requestLine), .line("G / HTTP/1.+", .requestLine),
    // Versions
    Refused("GET / HTTP/2.0\r\n", .unsupportedVersion), Refused("GET / HTTP/0.9\r\n", .unsupportedVersion), Refused("GET / HTTP/1.2\r\n", .unsupportedVersion),
    Refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .unsupportedVersion), Refused("GET / HTTP/9.1\r\n", .unsupportedVersion),
    // Bytes before and in the line
    Refused("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .requestLine), Refused("\nGET / HTTP/1.1\r\n", .bareLineFeed), Refused("\tGET / HTTP/1.1\r\n", .controlByte),
    .line("GET\t/ HTTP/1.1", .controlByte), .line("GET /\t HTTP/1.1", .controlByte), .line("GET /\0 HTTP/1.1", .controlByte), .line("GET /\u{7F} HTTP/1.1", .controlByte),
    .line("GET /\u{B} HTTP/1.1", .controlByte), .line("GET /\u{C} HTTP/1.1", .controlByte), .line("GET /\u{85} HTTP/1.1", .nonASCII), .line("GET /\u{E9} HTTP/1.1", .nonASCII),
    .line("GET /\u{A0}HTTP/1.1", .nonASCII), Refused("GET / HTTP/1.1\nHost: a\n\n", .bareLineFeed), Refused("GET / HTTP/1.1\rHost: a\r\n\r\n", .bareCarriageReturn),
    Refused("GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", .bareCarriageReturn), Refused("GET /\rHTTP/1.1\r\nHost: a\r\n\r\n", .bareCarriageReturn),
    Refused("\u{16}\u{3}\u{1}\u{2}\0\u{1}", .controlByte),
    // Targets
    .line("GET /# HTTP/1.1", .target), .line("GET /a?b#c HTTP/1.1", .target), .line("GET #/ HTTP/1.1", .target), .line("GET a HTTP/1.1", .target),
    .line("GET ? HTTP/1.1", .target), .line("GET * HTTP/1.1", .target), .line("OPTIONS ** HTTP/1.1", .target), .line("OPTIONS *?a HTTP/1.1", .target),
    .line("GET a:443 HTTP/1.1", .target), .line("CONNECT / HTTP/1.1", .target), .line("CONNECT u@a:443 HTTP/1.1", .target), .line("CONNECT http://a HTTP/1.1", .target),
    .line("GET ftp://a/ HTTP/1.1", .target), .line("GET http:/a HTTP/1.1", .target), .line("GET http:a HTTP/1.1", .target), .line("GET http:// HTTP/1.1", .authority),
    .line("GET http:///a HTTP/1.1", .authority), .line("GET http://?a HTTP/1.1", .authority), .line("GET http://u@a/ HTTP/1.1", .authority), .line("GET http://u:p@a/ HTTP/1.1", .authority),
    .line("GET http://a:b/ HTTP/1.1", .authority), .line("GET http://a:/ HTTP/1.1", .authority), .line("GET http://a:65536/ HTTP/1.1", .authority), .line("GET http://a\\b/ HTTP/1.1", .authority),
    .line("GET \\a HTTP/1.1", .target), .line("GET http\u{17F}://a HTTP/1.1", .nonASCII),
]

private let refusedHosts: [Refused] =
    [
        Refused("GET / HTTP/1.1\r\n\r\n", .hostMissing), Refused("GET / HTTP/1.0\r\n\r\n", .hostMissing), Refused("GET http://a/ HTTP/1.1\r\n\r\n", .hostMissing),
        Refused("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", .hostRepeated), Refused("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nhOST: b\r\n\r\n", .hostRepeated),
        Refused("GET / HTTP/1.1\r\nHost: \r\n\r\n", .host),
    ]
    + [
        "a b", "a,b", "a/", "u@a", "a:", "a:x", "a:-1", "a:65536", "a:80:80", "a:99999999999999999999", ":80", "[::1", "::1", "[::1]x", "[]", "[:]", "[::1]80", "[g::1]",
        "[::1%25eth0]", "a\\b", "a%2e", "a?b", "a#b", "\"a\"", "a\u{E9}", "a;b", "(a)", "a\tb", "*",
    ].map { Refused("GET / HTTP/1.1\r\nHost: \($0)\r\n\r\n", .host) }

private let lengthsNotNumbers = [
    "", "+1", "-1", "-0", "0x1", "1,1", "1, 1", "1 1", "1.0", "1e3", "a", "1a", "4611686018427387904", "9223372036854775807", "9223372036854775808",
    "18446744073709551617", "99999999999999999999", "00000000000000000001", "\u{B2}", "1\u{A0}", "1;", "\"1\"", "1\t1", "٣",
]

private let codingsNotChunked = [
    "", "identity", "gzip", "gzip, chunked", "chunked, gzip", "chunked, chunked", "chunked,", ",chunked", "chunked;q=1", "chunked; a=b", "\"chunked\"", "'chunked'", "xchunked", "chunkedx",
    "chunke", "c hunked", "chun\tked", "chunked identity", "chun\u{212A}ed", "chun\u{F0}ed", "\u{A0}chunked", "chunked\u{A0}", "\u{85}chunked", "chunked\u{FF}", "[chunked]", "chunked=", ":chunked",
]

private let refusedFraming: [Refused] =
    lengthsNotNumbers.map { .fields("Content-Length: \($0)", .contentLength) }
    + codingsNotChunked.map { .fields("Transfer-Encoding: \($0)", .transferCoding) }
    + [
        .fields("Content-Length: 1\r\nContent-Length: 1", .contentLengthRepeated), .fields("Content-Length: 1\r\nX: y\r\ncontent-length: 2", .contentLengthRepeated),
        .fields("Content-Length: 0\r\nContent-Length: ", .contentLengthRepeated), .fields("Content-Length: 1\r\nContent_Length: 1", .underscoredFraming),
        .fields("Content_Length: 1", .underscoredFraming), .fields("TRANSFER_ENCODING: x", .underscoredFraming), .fields("transfer_Encoding: chunked\r\nX: y", .underscoredFraming),
        .fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", .transferEncodingRepeated), .fields("Transfer-Encoding: chunked\r\ntransfer-encoding: identity", .transferEncodingRepeated),
        .fields("Transfer-Encoding: chunked\r\nContent-Length: 0", .bothLengths), .fields("Content-Length: 5\r\nTransfer-Encoding: chunked", .bothLengths),
        .fields("Content-Length: 5\r\nX: y\r\nTransfer-Encoding: Chunked", .bothLengths), .fields("Content-Length: 5\r\nTransfer-Encoding: identity", .transferCoding),
        Refused("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", .transferEncodingInHTTP10),
        Refused("POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", .bothLengths),
        .fields("Transfer-Encoding: \u{B}chunked", .controlByte), .fields("Transfer-Encoding: \u{C}chunked", .controlByte), .fields("Transfer-Encoding: chunked\0", .controlByte),
        .fields("Transfer-Encoding\u{B}: chunked", .controlByte), .fields("Transfer-Encoding:\rchunked", .bareCarriageReturn), .fields("Transfer-Encoding: chunked\r", .bareCarriageReturn),
        .fields("Transfer-Encoding:\n chunked", .bareLineFeed), .fields("Transfer-Encoding:\r\n chunked", .transferCoding), .fields("Transfer-Encoding: chunked\r\n gzip", .leadingWhitespace),
        .fields("Transfer-Encoding : chunked", .whitespaceBeforeColon), .fields("Transfer-Encoding\t: chunked", .whitespaceBeforeColon), .fields("Content-Length : 1", .whitespaceBeforeColon),
        .fields(" Transfer-Encoding: chunked", .leadingWhitespace), .fields("\u{0}Transfer-Encoding: chunked", .controlByte), .fields("Transfer-Encoding", .missingColon),
        .fields("Tran\u{17F}fer-Encoding: chunked", .fieldName), .fields("X: y\rTransfer-Encoding: chunked", .bareCarriageReturn), .fields("X: y\nTransfer-Encoding: chunked", .bareLineFeed),
    ]

private let refusedFields: [Refused] =
    [
        .fields("X: a\r\n b", .leadingWhitespace), .fields("X: a\r\n\tb", .leadingWhitespace), .fields("X: a\r\n \r\n", .leadingWhitespace), .fields(" X: a", .leadingWhitespace),
        Refused("GET / HTTP/1.1\r\n Host: a\r\n\r\n", .leadingWhitespace), Refused("GET / HTTP/1.1\r\n\tHost: a\r\n\r\n", .leadingWhitespace),
        .fields("X : a", .whitespaceBeforeColon), .fields("X\t: a", .whitespaceBeforeColon), .fields("X Y: a", .whitespaceBeforeColon), .fields(": a", .emptyName), .fields(":", .emptyName),
        .fields("X", .missingColon), .fields("X: a\nY: b", .bareLineFeed), .fields("X\n: a", .bareLineFeed), .fields("\nX: a", .bareLineFeed), .fields("X: a\r\rY: b", .bareCarriageReturn),
        .fields("X: a\rb", .bareCarriageReturn), .fields("X: \r", .bareCarriageReturn), .fields("\rX: a", .bareCarriageReturn), .fields("X\r: a", .missingColon),
        .fields("X\u{E9}: a", .fieldName), .fields("\u{E9}: a", .fieldName), .fields("X\u{80}\u{80}: a", .fieldName),
        Refused("GET / HTTP/1.1\r\nHost: a\r\n\n", .bareLineFeed), Refused("GET / HTTP/1.1\r\nHost: a\r\n\r\r\n", .bareCarriageReturn), Refused("GET / HTTP/1.1\r\nHost: a\n\r\n", .bareLineFeed),
        .fields("Connection: a b", .connectionOption), .fields("Connection: \"close\"", .connectionOption), .fields("Connection: a;b", .connectionOption), .fields("Connection: \u{E9}", .connectionOption),
        .fields("Connection: a\tb", .connectionOption), .fields("Connection: keep-alive:", .connectionOption),
    ]
    + bytesNowhere

private let bytesNowhere: [Refused] =
    "()<>@,;\\\"/[]?={}".map { .fields("a\($0)b: c", .fieldName) }
    + controlBytes.map { .fields("X: a\($0)b", .controlByte) }
    + controlBytes.map { .fields("X\($0): b", .controlByte) }

private let controlBytes: [Character] = "\u{0}\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}\u{8}\u{B}\u{C}\u{E}\u{F}\u{10}\u{11}\u{1B}\u{1E}\u{1F}\u{7F}".map { $0 }
