// Whatever a client sends: one request comes out, with one value of its own user under each injected name, and nobody else's.

@testable import Gateway
import HTTP1
import Kernel
import Testing

@Suite struct InjectionPropertyTests {
    struct Person {
        let values: [String: String]
        let credential: RenderedCredential
    }

    /// What clients try: the injected names in every spelling, the gateway's own fields, hop-by-hop ones, and bytes changed at random.
    static let lines = [
        "Authorization: evil", "AUTHORIZATION: evil", "X-Account: evil", "x_account: evil", "X_aCCOUNT: evil", "Connection: x-account, authorization",
        "Connection: close", "TE: trailers", "Keep-Alive: 5", "x-api-key: \(Sample.key)", "x_user_email: a@b.c", "x-user-email: ana@acme.com",
        "Cookie: evil", "Accept: text/event-stream", "Mcp-Session-Id: s", "X-Forwarded-For: 1.2.3.4", "x-request-id: evil", "Content-Type: a/b",
        "X-Claviger-Door: evil", "Origin: https://evil", "X-Long: \(String(repeating: "x", count: 90))", "X-Empty:",
    ]
    static let queries = ["", "?api_key=evil", "?a=1;api%5Fkey=evil&b", "?key[]=evil", "?api_key", "?+api_key=evil&own=evil", "?x=%zz&%61pi_key=evil"]

    static func request(_ random: inout SeededRandom) -> [UInt8] {
        var lines = ["POST /mcp/x/rest\(Self.queries.randomElement(using: &random) ?? "") HTTP/1.1", "Host: gw.example.com"]
        for _ in 0..<Int.random(in: 0...8, using: &random) { lines.append(Self.lines.randomElement(using: &random) ?? "") }
        var bytes = Sample.bytes(lines)
        if Bool.random(using: &random) { random.mutate(&bytes) }
        return bytes
    }

    static func people(_ server: Server, _ random: inout SeededRandom) throws -> [Person] {
        try ["ana", "bob"].map { name in
            let values = ["token": "tok-\(name)-\(random.next())", "account": "acc-\(name)-\(random.next())", "key": "key-\(name)-\(random.next())"]
            return Person(values: values, credential: try RenderedCredential.render(Sample.values(values), for: server))
        }
    }

    @Test(arguments: ["header", "path", "query"], [Server.Transport.http, .sse])
    func `one request comes out, injected once, with its own user's values alone`(_ kind: String, _ transport: Server.Transport) throws {
        let injector: Injector =
            switch kind {
            case "header": RenderedCredentialTests.header
            case "path": .path
            default: .query([("api_key", Sample.template("{key}")), ("x-account", Sample.template("{account}"))])
            }
        let url = kind == "path" ? "/v1/{key}/mcp?own=1" : "/v1/mcp?own=1"
        let instance = try Sample.instance(Sample.server("x", url: url, transport: transport, injector: injector))
        var random = SeededRandom(seed: 2)
        let people = try Self.people(instance.server, &random)
        // One head and one buffer for everybody, as a worker has them.
        var head = RequestHead()
        var again = RequestHead()
        let out = ByteBuffer(capacity: 64)
        var written = 0
        for round in 0..<1200 {
            let input = Self.request(&random)
            var scan = HeadScan()
            guard (try? head.parse(input.span.raw, scan: &scan, limits: HeadLimits())) == true else { continue }
            let (mine, others) = (people[round % 2], people[1 - round % 2])
            var suffix: ByteRange?
            if transport == .sse, head.path.count > 8, RequestPath.isUnambiguous(input.span.raw[head.path]) {
                suffix = ByteRange(Int(head.path.lower) + 7, Int(head.path.upper))
            }
            out.clear()
            try UpstreamHead.write(
                head, input.span.raw, to: instance, suffix: suffix, with: mine.credential, body: head.body, requestID: Sample.requestID, into: out)
            written += 1

            var fresh = HeadScan()
            let isWhole = try again.parse(out.bytes, scan: &fresh, limits: HeadLimits())
            let isSame = again.length == out.count && again.body == head.body && again.methodName.count == head.methodName.count
            #expect(isWhole && isSame)
            let text = String(decoding: out.bytes.copied(), as: UTF8.self)
            #expect(!others.values.values.contains { text.contains($0) })
            let host = String(decoding: out.bytes[again.host].copied(), as: UTF8.self)
            let (hosts, ids, nominated) = (again.count(of: .host), again.count(of: .requestID), again.nominated.count)
            #expect(host == "up.example.com" && hosts == 1 && ids == 1 && nominated == 0)
            for id in [FieldID.apiKey, .userEmail, .cookie, .origin, .connection, .clavigerDoor, .forwarded, .forwardedFor] {
                let isThere = again.has(id)
                #expect(!isThere, "\(id)")
            }
            try Self.checkInjected(kind, text, mine, isMessage: suffix != nil)
        }
        #expect(written > 600)
    }

    static func checkInjected(_ kind: String, _ text: String, _ person: Person, isMessage: Bool) throws {
        let lines = Sample.lines(text)
        let names = lines.dropFirst().map { $0.prefix { $0 != ":" }.lowercased().split(separator: "_", omittingEmptySubsequences: false).joined(separator: "-") }
        let target = try #require(lines[0].split(separator: " ").dropFirst().first)
        let pieces = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let query = pieces.count > 1 ? Array(pieces[1].utf8) : []
        let pairs = query.split { $0 == UInt8(ascii: "&") || $0 == UInt8(ascii: ";") }.map { String(decoding: QueryPairs.canonical(Array($0).span.raw, isEncoded: true), as: UTF8.self) }
        #expect(!lines[0].contains("own=evil") || isMessage)
        switch kind {
        case "header":
            #expect(names.count { $0 == "authorization" } == 1 && names.count { $0 == "x-account" } == 1)
            #expect(lines.contains("Authorization: Bearer \(person.values["token"] ?? "")") && lines.contains("X-Account: \(person.values["account"] ?? "")"))
        case "path":
            #expect(!names.contains("authorization"))
            #expect(isMessage || pieces[0] == "/v1/\(person.values["key"] ?? "")/mcp")
        default:
            #expect(!names.contains("authorization"))
            #expect(pairs.count { $0 == "api_key" } == 1 && pairs.count { $0 == "x-account" } == 1)
            #expect(target.contains("api_key=\(person.values["key"] ?? "")&x-account=\(person.values["account"] ?? "")"))
        }
        if !isMessage { #expect(pairs.count { $0 == "own" } == 1) }
    }

    @Test func `whatever a server echoes, one response comes out, without its user's values`() throws {
        let instance = try Sample.instance(Sample.server("x", injector: RenderedCredentialTests.header))
        var random = SeededRandom(seed: 8)
        let people = try Self.people(instance.server, &random)
        var head = ResponseHead()
        var again = ResponseHead()
        let out = ByteBuffer(capacity: 64)
        var written = 0
        for round in 0..<1200 {
            let person = people[round % 2]
            let secret = person.values["token"] ?? ""
            let names = ["Location", "Link", "Refresh", "X-Echo", "Set-Cookie", "Content-Location", "Mcp-Session-Id", "X-\(secret)"]
            let values = [secret, "https://up.example.com/a?t=\(secret)", "/\(secret)/x", "<\(secret)>", "a\(secret)\(secret)b", "plain", ""]
            var lines = ["HTTP/1.1 \([200, 307, 401, 500].randomElement(using: &random) ?? 200) \(Bool.random(using: &random) ? secret : "OK")", "Content-Length: 3"]
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                lines.append("\(names.randomElement(using: &random) ?? ""): \(values.randomElement(using: &random) ?? "")")
            }
            var input = Sample.bytes(lines)
            if Bool.random(using: &random) { random.mutate(&input) }
            var scan = HeadScan()
            guard (try? head.parse(input.span.raw, scan: &scan, limits: HeadLimits(), answering: .post)) == true else { continue }
            out.clear()
            DownstreamHead.write(
                head, input.span.raw, from: instance, redacting: person.credential, body: head.body, keepAlive: true, requestID: Sample.requestID,
                allowedOrigin: nil, into: out)
            written += 1
            var fresh = HeadScan()
            let isWhole = try again.parse(out.bytes, scan: &fresh, limits: HeadLimits(), answering: .post)
            let isSame = again.length == out.count && again.status == head.status
            let (ids, cookies) = (again.count(of: .requestID), again.count(of: .setCookie))
            #expect(isWhole && isSame && ids == 1 && cookies == 0)
            #expect(!String(decoding: out.bytes.copied(), as: UTF8.self).contains(secret))
        }
        #expect(written > 600)
    }
}
