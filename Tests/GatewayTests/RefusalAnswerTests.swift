// What a refusal is on the wire: status, fields and body, for each form.

import Gateway
import HTTP1
import Kernel
import Testing

@Suite struct RefusalAnswerTests {
    static let id = RequestID(random: (0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210))
    static let idText = "0123456789abcdeffedcba9876543210"
    static let connect = ConnectPointer(url: "https://c.example/connect/acme/crm", needsAdministrator: false, serverTitle: "CRM \"1\"")

    struct Answer {
        let lines: [String]
        let body: String
        let keepsAlive: Bool
        let status: Int

        func value(_ name: String) -> String? {
            lines.first { $0.hasPrefix(name + ": ") }.map { String($0.dropFirst(name.count + 2)) }
        }
    }

    static func answer(
        _ refusal: Refusal, _ form: RefusalForm = .plain, origin: String? = nil, isHead: Bool = false, keepsAlive: Bool = true
    ) throws -> Answer {
        let buffer = ByteBuffer(capacity: 16)
        let frame = AnswerFrame(requestID: id, allowedOrigin: origin, isHead: isHead, keepsAlive: keepsAlive)
        let (status, goesOn) = RefusalAnswer.write(refusal, form: form, frame: frame, into: buffer)
        let text = String(decoding: buffer.bytes.copied(), as: UTF8.self)
        let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        try #require(parts.count == 2)
        return Answer(lines: parts[0].split(separator: "\r\n").map(String.init), body: String(parts[1]), keepsAlive: goesOn, status: status)
    }

    static func jsonRPC(_ era: ProtocolEra, _ ids: [String] = ["1"], mayAsk: Bool = false, isBatch: Bool = false) -> RefusalForm {
        .jsonRPC(era: era, calls: ids.map { .init(id: Array($0.utf8), mayAskForInput: mayAsk) }, isBatch: isBatch)
    }

    @Test(arguments: RefusalCode.allCases) func `every refusal is a whole response that parses, with its code and its sentence`(_ code: RefusalCode) throws {
        let buffer = ByteBuffer(capacity: 16)
        RefusalAnswer.write(
            Refusal(code, "for the log"), form: .plain, frame: AnswerFrame(requestID: Self.id, allowedOrigin: nil, isHead: false, keepsAlive: true), into: buffer)
        var head = ResponseHead()
        var scan = HeadScan()
        #expect(try head.parse(buffer.bytes, scan: &scan, limits: HeadLimits(), answering: .post))
        #expect(head.status == code.status && head.keepAlive == !code.endsConnection)
        let answer = try Self.answer(Refusal(code, "for the log"))
        #expect(answer.status == code.status && answer.keepsAlive == !code.endsConnection)
        #expect(answer.body == #"{"error":{"code":"\#(code.rawValue)","message":"\#(code.sentence)"}}"#)
        #expect(answer.value("Content-Length") == "\(answer.body.utf8.count)")
        #expect(answer.value("x-claviger-refusal") == code.rawValue && answer.value("x-request-id") == Self.idText)
        #expect(answer.value("Content-Type") == "application/json" && answer.value("Cache-Control") == "no-store")
        #expect(answer.value("Connection") == (code.endsConnection ? "close" : nil))
        #expect(answer.value("WWW-Authenticate") == (code == .unauthenticated ? #"X-API-Key realm="claviger""# : nil))
        #expect((answer.value("Allow") != nil) == (code == .methodNotAllowed))
        #expect((answer.value("Retry-After") != nil) == [.rateLimited, .overloaded, .storeUnavailable].contains(code))
        #expect(answer.lines.first?.hasPrefix("HTTP/1.1 \(code.status) ") == true && answer.lines.first?.hasSuffix(" ") == false)
        #expect(answer.value("Access-Control-Allow-Origin") == nil)
    }

    @Test func `a HEAD gets the head alone, an exchange that cannot go on closes, an allowed origin may read`() throws {
        let head = try Self.answer(Refusal(.unknownServer, ""), isHead: true)
        let whole = try Self.answer(Refusal(.unknownServer, ""))
        #expect(head.body.isEmpty && head.value("Content-Length") == "\(whole.body.utf8.count)")
        let closing = try Self.answer(Refusal(.unknownServer, ""), origin: "https://app.example", keepsAlive: false)
        #expect(closing.value("Connection") == "close" && !closing.keepsAlive)
        #expect(closing.value("Access-Control-Allow-Origin") == "https://app.example" && closing.value("Vary") == "Origin")
        #expect(closing.value("Access-Control-Expose-Headers") == "Mcp-Session-Id, x-request-id, x-claviger-refusal")
    }

    @Test(arguments: [(Duration.zero, "1"), (.milliseconds(1), "1"), (.milliseconds(1001), "2"), (.seconds(30), "30"), (.seconds(Int64.max), "86400"), (.seconds(-5), "1")])
    func `Retry-After is in whole seconds, rounded up`(_ duration: Duration, _ expected: String) throws {
        #expect(try Self.answer(Refusal(.rateLimited, "", retryAfter: duration)).value("Retry-After") == expected)
    }

    @Test(arguments: [ProtocolEra.sessions, .stateless]) func `to a JSON-RPC request a refusal is an error with the table's status`(_ era: ProtocolEra) throws {
        let answer = try Self.answer(Refusal(.storeUnavailable, ""), Self.jsonRPC(era, [#""a\u00e9""#]))
        #expect(answer.status == 503 && answer.value("Retry-After") == "1")
        #expect(answer.body == #"{"jsonrpc":"2.0","id":"a\u00e9","error":{"code":-32010,"message":"The credential cannot be fetched now; try again later.","data":{"refusal":"store_unavailable","request_id":"\#(Self.idText)"}}}"#)
    }

    @Test func `a batch gets an array, each call its own answer`() throws {
        let answer = try Self.answer(Refusal(.denied, ""), Self.jsonRPC(.sessions, ["1", "-2.5e3"], isBatch: true))
        let rest = #","error":{"code":-32010,"message":"This tool is denied to this agent.","data":{"refusal":"denied","request_id":"\#(Self.idText)"}}}"#
        #expect(answer.body == #"[{"jsonrpc":"2.0","id":1\#(rest),{"jsonrpc":"2.0","id":-2.5e3\#(rest)]"#)
    }

    @Test(arguments: [RefusalCode.credentialMissing, .credentialRejected]) func `before 2026-07-28 a missing credential is -32042 with one URL elicitation`(_ code: RefusalCode) throws {
        let answer = try Self.answer(Refusal(code, "", connect: Self.connect), Self.jsonRPC(.sessions))
        let words = code == .credentialMissing
            ? #"No credential for CRM \"1\" is connected. Open https://c.example/connect/acme/crm to connect it, then try once more."#
            : #"CRM \"1\" did not accept the connected credential. Open https://c.example/connect/acme/crm to connect it again, then try once more."#
        #expect(answer.status == 200 && answer.lines.first == "HTTP/1.1 200 OK" && answer.value("x-claviger-refusal") == code.rawValue)
        #expect(answer.body == #"{"jsonrpc":"2.0","id":1,"error":{"code":-32042,"message":"\#(words)","data":{"elicitations":[{"elicitationId":"claviger-\#(Self.idText)","mode":"url","url":"https://c.example/connect/acme/crm","message":"\#(words)"}],"refusal":"\#(code.rawValue)","request_id":"\#(Self.idText)"}}}"#)
    }

    @Test func `from 2026-07-28 it is an InputRequiredResult for who may be asked, and -32010 with the URL for the rest`() throws {
        let words = #"No credential for CRM \"1\" is connected. Open https://c.example/connect/acme/crm to connect it, then try once more."#
        let asked = try Self.answer(Refusal(.credentialMissing, "", connect: Self.connect), Self.jsonRPC(.stateless, mayAsk: true))
        #expect(asked.status == 200 && asked.value("x-claviger-refusal") == "credential_missing")
        #expect(asked.body == #"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","inputRequests":{"claviger_connect":{"method":"elicitation/create","params":{"mode":"url","url":"https://c.example/connect/acme/crm","message":"\#(words)"}}}}}"#)
        let told = try Self.answer(Refusal(.credentialMissing, "", connect: Self.connect), Self.jsonRPC(.stateless))
        #expect(told.status == 403)
        #expect(told.body == #"{"jsonrpc":"2.0","id":1,"error":{"code":-32010,"message":"\#(words)","data":{"url":"https://c.example/connect/acme/crm","refusal":"credential_missing","request_id":"\#(Self.idText)"}}}"#)
    }

    @Test func `two elicitations of one batch have two ids`() throws {
        let answer = try Self.answer(Refusal(.credentialMissing, "", connect: Self.connect), Self.jsonRPC(.sessions, ["1", "2"], isBatch: true))
        #expect(answer.body.contains(#""claviger-\#(Self.idText)""#) && answer.body.contains(#""claviger-\#(Self.idText)-1""#))
    }

    @Test func `in the plain form it is 403 with the URL in the message; for project level it names the administrator`() throws {
        let user = try Self.answer(Refusal(.credentialMissing, "", connect: Self.connect))
        #expect(user.status == 403 && user.body.contains("Open https://c.example/connect/acme/crm to connect it"))
        let shared = ConnectPointer(url: Self.connect.url, needsAdministrator: true, serverTitle: "crm")
        let project = try Self.answer(Refusal(.credentialRejected, "", connect: shared))
        #expect(project.body.contains("An administrator must connect it again at https://c.example/connect/acme/crm "))
    }

    @Test func `a title with every kind of character stays one JSON string`() throws {
        let odd = ConnectPointer(url: "https://c.example/", needsAdministrator: false, serverTitle: "a\"\\\n\u{1f}\u{0}é\u{2028}😀")
        let body = try Self.answer(Refusal(.credentialMissing, "", connect: odd)).body
        #expect(body.contains(#"a\"\\\u000a\u001f\u0000é"# + "\u{2028}😀"))
    }

    @Test(arguments: [
        ("2026-07-28", ProtocolEra.stateless), ("2026-07-29", .stateless), ("2027-01-01", .stateless), ("2026-07-27", .sessions), ("2025-11-25", .sessions),
        ("2024-11-05", .sessions), ("2025-12-31", .sessions), ("", .sessions), ("DRAFT-2026", .sessions), ("2026-07-2x", .sessions), ("2026x07-28", .sessions), ("2026-07-288", .sessions),
    ])
    func `the era shows in the version`(_ version: String, _ era: ProtocolEra) {
        #expect(ProtocolEra(version: Array(version.utf8).span.raw) == era)
    }

    @Test func `a glimpse decides the form`() {
        let calls = [JSONRPCGlimpse.Call(id: [0x31], mayAskForInput: true)]
        #expect(RefusalForm(.calls(calls, isBatch: false), version: nil) == .jsonRPC(era: .sessions, calls: calls, isBatch: false))
        #expect(RefusalForm(.calls(calls, isBatch: true), version: Array("2026-07-28".utf8).span.raw) == .jsonRPC(era: .stateless, calls: calls, isBatch: true))
        #expect(RefusalForm(.nothingToAnswer, version: nil) == .plain && RefusalForm(.unreadable, version: nil) == .plain)
    }

    @Test func `health and readiness are plain words`() {
        func text(_ write: (AnswerFrame, ByteBuffer) -> Void, isHead: Bool = false) -> String {
            let buffer = ByteBuffer(capacity: 16)
            write(AnswerFrame(requestID: Self.id, allowedOrigin: nil, isHead: isHead, keepsAlive: true), buffer)
            return String(decoding: buffer.bytes.copied(), as: UTF8.self)
        }
        let start = "\r\nx-request-id: \(Self.idText)\r\nCache-Control: no-store\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: "
        #expect(text { OwnAnswer.writeHealth(frame: $0, into: $1) } == "HTTP/1.1 200 OK" + start + "3\r\n\r\nok\n")
        #expect(text { OwnAnswer.writeReadiness(isReady: true, frame: $0, into: $1) } == "HTTP/1.1 200 OK" + start + "6\r\n\r\nready\n")
        #expect(text({ OwnAnswer.writeReadiness(isReady: false, frame: $0, into: $1) }, isHead: true) == "HTTP/1.1 503 Service Unavailable" + start + "10\r\n\r\n")
    }
}
