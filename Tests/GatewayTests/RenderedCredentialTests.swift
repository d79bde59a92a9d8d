// Which values may be injected, and what is wrong with the others.

import Gateway
import HTTP1
import Kernel
import Testing

@Suite struct RenderedCredentialTests {
    static let header = Injector.header([("Authorization", Sample.template("Bearer {token}")), ("X-Account", Sample.template("{account}"))])
    static let query = Injector.query([("api_key", Sample.template("{key}"))])

    static func server(_ kind: String) throws -> (Server, [String: String], FieldName) {
        switch kind {
        case "header": (try Sample.server("crm", injector: header), ["account": "acme-1"], try #require(FieldName("token")))
        case "path": (try Sample.server("maps", url: "/v1/{key}/mcp", injector: .path), [:], try #require(FieldName("key")))
        default: (try Sample.server("weather", injector: query), [:], try #require(FieldName("key")))
        }
    }

    static func problems(_ kind: String, _ value: String?, bytes: [UInt8]? = nil) throws -> [CredentialFault.Problem] {
        let (server, others, field) = try server(kind)
        var values = try Sample.values(others)
        if let bytes { values[field] = Secret(copying: bytes.span.raw) }
        if let value { values[field] = Secret(copying: Array(value.utf8).span.raw) }
        let found = RenderedCredential.problems(with: values, for: server) { _, _ in true }
        // What deposit lets pass can be injected, and what it refuses cannot.
        do {
            _ = try RenderedCredential.render(values, for: server)
            #expect(found.isEmpty)
        } catch {
            #expect(!found.isEmpty)
            #expect(found.contains(error))
        }
        #expect(found.allSatisfy { $0.field == field && $0.sentence.hasPrefix(field.text) })
        return found.map(\.problem)
    }

    @Test(arguments: ["header", "path", "query"])
    func `the same values inject the same, and no others do`(_ kind: String) throws {
        let (server, others, field) = try Self.server(kind)
        func rendered(_ text: String) throws -> RenderedCredential {
            var values = try Sample.values(others)
            values[field] = Secret(copying: Array(text.utf8).span.raw)
            return try RenderedCredential.render(values, for: server)
        }
        let one = try rendered("value-1")
        #expect(try one.injectsSame(as: one) && one.injectsSame(as: rendered("value-1")))
        for other in ["value-2", "value-11", "value-", "Value-1"] { #expect(try !one.injectsSame(as: rendered(other))) }
        let (elsewhere, more, another) = try Self.server(kind == "header" ? "query" : "header")
        var values = try Sample.values(more)
        values[another] = Secret(copying: Array("value-1".utf8).span.raw)
        #expect(try !one.injectsSame(as: RenderedCredential.render(values, for: elsewhere)))
    }

    @Test(arguments: ["header", "path", "query"])
    func `a value that could change the request's shape is refused`(_ kind: String) throws {
        #expect(try Self.problems(kind, nil) == [.missing])
        #expect(try Self.problems(kind, "") == [.empty])
        #expect(try Self.problems(kind, String(repeating: "x", count: 8193)) == [.tooLong])
        #expect(try Self.problems(kind, String(repeating: "x", count: 8192)) == [])
        for control in (0...0x1f).map({ UInt8($0) }) + [0x7f] {
            #expect(try Self.problems(kind, nil, bytes: [0x61, control, 0x62]) == [.controlCharacter])
        }
        #expect(try Self.problems(kind, "abc\r\nX-Evil: 1") == [.controlCharacter])
        #expect(try Self.problems(kind, "sk-Plain.Value_1~2") == [])
    }

    @Test func `a header carries ASCII without spaces around it`() throws {
        for byte in UInt8(0x80)...0xff { #expect(try Self.problems("header", nil, bytes: [0x61, byte]) == [.notASCII]) }
        #expect(try Self.problems("header", " a") == [.surroundingSpace])
        #expect(try Self.problems("header", "a ") == [.surroundingSpace])
        #expect(try Self.problems("header", "a b:c,d;e=\"f\"%0d%0a") == [])
    }

    @Test func `a path's value is one segment and no dot segment`() throws {
        for value in ["a/b", "/", "a\\b", "\\"] { #expect(try Self.problems("path", value) == [.slash]) }
        for value in [".", "..", "..;", "..;a", ".;"] { #expect(try Self.problems("path", value) == [.dotSegment]) }
        for value in ["...", "a..", "..a", "?", "#", "%", ";", "%2e%2e", "%2f", "é", "a b", ":@", "~"] { #expect(try Self.problems("path", value) == []) }
        #expect(try Self.problems("path", nil, bytes: [0xc0, 0xae, 0xc0, 0xae]) == [.dotSegment])
    }

    @Test func `literal and value together make no dot segment`() throws {
        let server = try Sample.server("maps", url: "/.{key}/mcp", injector: .path)
        let found = RenderedCredential.problems(with: try Sample.values(["key": "."]), for: server) { _, _ in true }
        #expect(found.map(\.problem) == [.dotSegment])
    }

    @Test func `deposit asks for the pattern and names unknown fields`() throws {
        let server = try Sample.server("crm", injector: .header([("X-Key", Sample.template("{key}"))]), pattern: "sk-.+")
        let values = try Sample.values(["key": "abc", "other": "1"])
        let found = RenderedCredential.problems(with: values, for: server) { pattern, value in pattern == "sk-.+" && value.count == 4 }
        #expect(found.map(\.problem) == [.unknownField, .pattern])
    }

    @Test func `a token of OAuth's enters as a bearer, is nobody's to type, and does not come back`() throws {
        let server = try Sample.server("github", injector: OAuthSettings.injector, oauth: OAuthSettings())
        #expect(server.fields.isEmpty)
        let values = try Sample.values(["access_token": "gho_16C7e42F292c6912E7"])
        let credential = try RenderedCredential.render(values, for: server)
        let request = try Sample.lines(
            Sample.upstream(
                ["POST /mcp/github HTTP/1.1", "Host: gw", "Authorization: Bearer stolen", "Content-Length: 0"], to: Sample.instance(server), with: credential))
        #expect(request.filter { $0.lowercased().hasPrefix("authorization") } == ["Authorization: Bearer gho_16C7e42F292c6912E7"])
        let answer = try Sample.downstream(
            ["HTTP/1.1 200 OK", "X-Echo: gho_16C7e42F292c6912E7", "Content-Length: 0"], from: Sample.instance(server), redacting: credential)
        #expect(answer.contains("X-Echo: ***") && !answer.contains("gho_"))

        #expect(throws: CredentialFault(field: .accessToken, problem: .missing)) { try RenderedCredential.render([:], for: server) }
        let odd = try Sample.values(["access_token": "a\r\nX-Evil: 1"])
        #expect(throws: CredentialFault(field: .accessToken, problem: .controlCharacter)) { try RenderedCredential.render(odd, for: server) }
        let deposited = RenderedCredential.problems(with: values, for: server) { _, _ in true }
        #expect(deposited.map(\.problem) == [.unknownField])
    }

    @Test func `no bytes whatever are rendered into another number of lines, segments or pairs`() throws {
        var random = SeededRandom(seed: 41)
        for round in 0..<1500 {
            let kind = ["header", "path", "query"][round % 3]
            let (server, others, field) = try Self.server(kind)
            var bytes = Array("..;%2e/\\\r\n \u{0}é&=;?#secret".utf8.shuffled(using: &random).prefix(Int.random(in: 0...12, using: &random)))
            random.mutate(&bytes)
            var values = try Sample.values(others)
            values[field] = Secret(copying: bytes.span.raw)
            guard let credential = try? RenderedCredential.render(values, for: server) else { continue }
            let lines = Sample.lines(
                try Sample.upstream(["GET /mcp/x HTTP/1.1", "Host: gw"], to: Sample.instance(server), with: credential, body: BodyLength.none))
            let target = lines[0].split(separator: " ")[1]
            switch kind {
            case "header": #expect(lines.count == 5 && target == "/mcp")
            case "path": #expect(lines.count == 3 && target.utf8.count { $0 == UInt8(ascii: "/") } == 3 && !target.contains("?"))
            default: #expect(lines.count == 3 && target.hasPrefix("/mcp?api_key=") && !target.utf8.contains { $0 == UInt8(ascii: "&") || $0 == UInt8(ascii: ";") || $0 == UInt8(ascii: "#") })
            }
        }
    }

    @Test func `a rendering fits servers of the same form only`() throws {
        let values = try Sample.values(["key": "secret-value"])
        let one = try Sample.server("maps", url: "/{key}/mcp", injector: .path)
        let credential = try RenderedCredential.render(values, for: one)
        #expect(credential.fits(try Sample.server("maps", url: "/{key}/mcp", injector: .path)))
        for other in [
            try Sample.server("maps", url: "/{key}/mcp2", injector: .path), try Sample.server("maps", host: "evil.example.com", url: "/{key}/mcp", injector: .path),
            try Sample.server("maps", port: 8443, url: "/{key}/mcp", injector: .path), try Sample.server("maps", url: "/{key}/mcp?a=1", injector: .path),
            try Sample.server("maps", url: "/mcp", injector: Self.query),
        ] {
            #expect(!credential.fits(other))
            let refused = #expect(throws: Refusal.self) {
                try Sample.upstream(["GET /mcp/maps HTTP/1.1", "Host: gw"], to: Sample.instance(other), with: credential)
            }
            #expect(refused?.code == .credentialInvalid)
        }
        let none = #expect(throws: Refusal.self) { try Sample.upstream(["GET /mcp/maps HTTP/1.1", "Host: gw"], to: Sample.instance(one)) }
        #expect(none?.code == .credentialMissing)
    }
}
