// What providers and servers say, in the forms that are met with.

import Gateway
import Kernel
@testable import OAuth
import Outbound
import Testing

@Suite struct ChallengeTests {
    @Test(arguments: [
        ("Bearer", [Challenge(scheme: "bearer", parameters: [:])]),
        ("BEARER realm=\"a, b\", Scope=\"x y\"", [Challenge(scheme: "bearer", parameters: ["realm": "a, b", "scope": "x y"])]),
        ("Bearer resource_metadata=\"https://h/.well-known/x\"",
         [Challenge(scheme: "bearer", parameters: ["resource_metadata": "https://h/.well-known/x"])]),
        ("Basic realm=one, Bearer error=invalid_token ,error_description = \"it \\\"is\\\" old\"",
         [Challenge(scheme: "basic", parameters: ["realm": "one"]),
          Challenge(scheme: "bearer", parameters: ["error": "invalid_token", "error_description": "it \"is\" old"])]),
        ("Negotiate abc/d==, Bearer realm=x", [Challenge(scheme: "negotiate", parameters: [:]), Challenge(scheme: "bearer", parameters: ["realm": "x"])]),
        ("Bearer scope=a, scope=b", [Challenge(scheme: "bearer", parameters: ["scope": "a"])]),
        (", ,Bearer realm=x,,", [Challenge(scheme: "bearer", parameters: ["realm": "x"])]),
        ("Negotiate, Bearer realm=\"unclosed", [Challenge(scheme: "negotiate", parameters: [:]), Challenge(scheme: "bearer", parameters: [:])]),
        ("", []),
        ("=x", []),
    ]) func `challenges are told apart from parameters`(_ field: String, _ expected: [Challenge]) {
        #expect(Challenge.read([field]) == expected)
    }

    @Test func `the first that says it counts, over all fields`() {
        let challenges = Challenge.read(["Basic realm=x", "Bearer scope=\"a b  a\"", "Bearer resource_metadata=\"https://m\", scope=c, error=insufficient_scope"])
        #expect(Challenge.resourceMetadata(in: challenges) == "https://m")
        #expect(Challenge.scopes(in: challenges) == ["a", "b"])
        #expect(Challenge.missingScopes(in: challenges) == ["c"])
        #expect(Challenge.missingScopes(in: Challenge.read(["Bearer error=invalid_token, scope=a"])) == nil)
    }

    @Test func `whatever the bytes are, reading ends`() {
        var random = SystemRandomNumberGenerator()
        let alphabet = Array("ab =,\"\\/\u{e9}\t".utf8)
        for _ in 0..<3000 {
            let bytes = (0..<Int.random(in: 0..<40, using: &random)).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
            #expect(Challenge.read([String(decoding: bytes, as: UTF8.self)]).count <= 40)
        }
    }
}

@Suite struct ServiceURLTests {
    @Test(arguments: [
        ("https://a.example", "https://a.example", ""), ("https://A.example:443/x/", "https://a.example", "/x/"),
        ("https://a.example:8443/x?y=z", "https://a.example:8443", "/x"), ("http://localhost:9/cb", "http://localhost:9", "/cb"),
        ("http://127.0.0.1/", "http://127.0.0.1", "/"), ("http://[::1]:80/", "http://[::1]", "/"), ("https://[2001:db8::1]/", "https://[2001:db8::1]", "/"),
    ]) func `what may be asked is taken apart`(_ text: String, _ origin: String, _ path: String) throws {
        let url = try ServiceURL(text)
        #expect(url.origin == origin)
        #expect(url.path == path)
        #expect(url.text == text)
    }

    @Test(arguments: [
        "", "a.example", "//a.example/", "ftp://a.example/", "http://a.example/", "http://10.0.0.1/", "http://127.0.0.1.evil.example/", "https://",
        "https://user@a.example/", "https://user:p@a.example/", "https://a.example/#x", "https://a.example/\\x", "https://a.example /", "https://ä.example/",
        "https://a.example:0/", "https://a.example:99999/", "https://a%2eexample/", "https://a.example/\u{7f}", "https://localhost.evil%00.example/",
    ]) func `what could lead astray is refused`(_ text: String) {
        #expect(throws: NotUsable.self) { try ServiceURL(text) }
    }
}

@Suite struct MetadataTests {
    private static let issuer = "https://login.example/tenant"

    private func provider(_ members: String, of issuer: String = issuer) throws -> ProviderMetadata {
        try ProviderMetadata(Array("{\"issuer\":\"https://login.example/tenant\"\(members)}".utf8), of: try ServiceURL(issuer))
    }

    @Test func `metadata of a provider is read, and what it leaves out has the meaning that the RFC gives it`() throws {
        let bare = try provider("")
        #expect(bare.authenticationMethods == ["client_secret_basic"])
        #expect(!bare.offersS256)
        #expect(!bare.answersWithIssuer)
        #expect(bare.tokenEndpoint == nil)
        let full = try provider(
            ",\"token_endpoint\":\"https://login.example/t\",\"code_challenge_methods_supported\":[\"plain\",\"S256\"],\"authorization_response_iss_parameter_supported\":true,\"scopes_supported\":[\"a\",\"b\"],\"more\":{}")
        #expect(full.tokenEndpoint?.text == "https://login.example/t")
        #expect(full.offersS256)
        #expect(full.answersWithIssuer)
        #expect(full.scopes == ["a", "b"])
    }

    @Test(arguments: ["https://login.example/tenant/", "https://login.example", "https://LOGIN.example/tenant", "https://login.example/tenant?"])
    func `an issuer that is not equal to the byte is another's`(_ asked: String) {
        #expect(throws: NotUsable.self) { try provider("", of: asked) }
    }

    @Test func `an endpoint in plain text is refused by name`() {
        #expect(throws: NotUsable("has a token_endpoint that is http, which is for loopback only")) {
            try provider(",\"token_endpoint\":\"http://login.example/t\"")
        }
    }

    @Test(arguments: [
        ("https://a.example/mcp", "https://a.example/mcp", true), ("https://a.example", "https://a.example/mcp", true),
        ("https://a.example/", "https://a.example/mcp", true), ("https://a.example/mcp/", "https://a.example/mcp", true),
        ("https://a.example/m", "https://a.example/mcp", false), ("https://b.example/mcp", "https://a.example/mcp", false),
        ("https://a.example/mcp/deeper", "https://a.example/mcp", false), ("https://a.example:444/mcp", "https://a.example/mcp", false),
    ]) func `a resource covers the server or speaks of another`(_ resource: String, _ server: String, _ covers: Bool) throws {
        let document = Array("{\"resource\":\"\(resource)\",\"authorization_servers\":[\"nonsense\",\"https://login.example\"]}".utf8)
        let server = try ServiceURL(server)
        if covers {
            #expect(try ResourceMetadata(document, of: server).issuers.map(\.text) == ["https://login.example"])
        } else {
            #expect(throws: NotUsable.self) { try ResourceMetadata(document, of: server) }
        }
    }

    @Test func `documents are looked for where the RFCs put them, in their order`() throws {
        #expect(WellKnown.resource(of: try ServiceURL("https://a.example/x/mcp/")) == [
            "https://a.example/.well-known/oauth-protected-resource/x/mcp", "https://a.example/.well-known/oauth-protected-resource",
        ])
        #expect(WellKnown.provider(of: try ServiceURL("https://a.example/t")) == [
            "https://a.example/.well-known/oauth-authorization-server/t", "https://a.example/.well-known/openid-configuration/t",
            "https://a.example/t/.well-known/openid-configuration",
        ])
        #expect(WellKnown.provider(of: try ServiceURL("https://a.example/")) == [
            "https://a.example/.well-known/oauth-authorization-server", "https://a.example/.well-known/openid-configuration",
        ])
    }
}

@Suite struct TokenAnswerTests {
    private func read(_ status: Int, _ body: String) -> TokenAnswer {
        TokenAnswer.read(status: status, body: Array(body.utf8).span.raw)
    }

    private func kind(_ status: Int, _ body: String) -> TokenAnswer.Refused.Kind? {
        if case .refused(let refused) = read(status, body) { refused.kind } else { nil }
    }

    private func text(_ secret: Secret?) -> String? {
        secret.map { String(decoding: $0.bytes.copied(), as: UTF8.self) }
    }

    @Test func `tokens are read with everything about them`() throws {
        guard case .tokens(let tokens) = read(
            200, "{\"access_token\":\"a\\u002Fb\",\"token_type\":\"bearer\",\"expires_in\":3600,\"refresh_token\":\"r\",\"scope\":\"x y\",\"extra\":[1,{}]}")
        else { throw NotUsable("no tokens") }
        #expect(text(tokens.access) == "a/b")
        #expect(text(tokens.refresh) == "r")
        #expect(tokens.life == .seconds(3600))
        #expect(tokens.scopes == ["x", "y"])
    }

    @Test(arguments: [
        ("\"expires_in\":\"300\"", Duration.seconds(300)), ("\"expires_in\":1e3", nil), ("\"expires_in\":59.9", .seconds(59)), ("\"expires_in\":0", nil), ("\"expires_in\":-5", nil),
        ("\"expires_in\":1000000000000", nil), ("\"expires_in\":99999999999999999999999", nil), ("\"expires_in\":null", nil), ("\"expires_in\":\"soon\"", nil),
        ("\"expires_in\":{}", nil), ("\"x\":1", nil),
    ]) func `a life that makes no sense says nothing`(_ member: String, _ life: Duration?) throws {
        guard case .tokens(let tokens) = read(200, "{\"access_token\":\"a\",\(member)}") else { throw NotUsable("no tokens") }
        #expect(tokens.life == life)
    }

    @Test func `an empty or missing refresh token is none`() throws {
        for member in ["\"refresh_token\":\"\"", "\"refresh_token\":null", "\"y\":1"] {
            guard case .tokens(let tokens) = read(201, "{\"access_token\":\"a\",\(member)}") else { throw NotUsable("no tokens") }
            #expect(tokens.refresh == nil)
        }
    }

    @Test(arguments: [
        (400, "{\"error\":\"invalid_grant\"}", TokenAnswer.Refused.Kind.invalidGrant), (401, "{\"error\":\"invalid_grant\"}", .invalidGrant),
        (403, "{\"error\":\"invalid_code\"}", .invalidGrant), (400, "", .invalidGrant), (401, "{\"error\":\"invalid_client\"}", .invalidClient),
        (401, "", .unintelligible), (400, "{\"error\":\"invalid_scope\"}", .invalidScope), (400, "{\"error\":\"invalid_request\"}", .invalidRequest),
        (429, "{\"error\":\"rate\"}", .passing), (503, "<html>", .passing), (500, "{\"error\":\"server_error\"}", .passing), (400, "{\"error\":\"server_error\"}", .passing),
        (200, "", .unintelligible), (200, "{}", .unintelligible), (200, "{\"access_token\":\"\"}", .unintelligible), (200, "{\"access_token\":\"a\"", .unintelligible),
        (302, "", .unintelligible), (404, "not here", .unintelligible), (400, "<html>400 Bad Request</html>", .unintelligible), (400, "{\"message\":\"?\"}", .unintelligible),
    ]) func `a no is told from a failure`(_ status: Int, _ body: String, _ expected: TokenAnswer.Refused.Kind) {
        #expect(kind(status, body) == expected)
    }

    @Test func `the words of a refusal are bounded and printable`() throws {
        let words = String(repeating: "é\u{1}", count: 400)
        guard case .refused(let refused) = read(400, "{\"error\":\"invalid_request\",\"error_description\":\"\(words.replacingOccurrences("\u{1}", with: "x"))\"}") else {
            throw NotUsable("tokens")
        }
        #expect(refused.words.utf8.count <= 200)
        #expect(refused.words.utf8.allSatisfy { (0x20..<0x7F).contains($0) })
    }

    @Test func `a provider's words do not hold what it was shown`() async throws {
        let shown = "refreshtoken-0123456789abcdef"
        let words = "Invalid refresh token: \(shown) of this refresh"
        let hidden = TokenAnswer.hide([Secret(copying: Array(shown.utf8).span.raw)], in: words)
        #expect(hidden == "Invalid refresh token: *** of this refresh")
        #expect(TokenAnswer.hide([Secret(copying: Array(shown.utf8).span.raw)], in: "cut off: " + shown.prefix(12)) == "cut off: ***")
        #expect(TokenAnswer.hide([], in: words) == words)
    }
}

private extension String {
    func replacingOccurrences(_ character: Character, with other: Character) -> String {
        String(map { $0 == character ? other : $0 })
    }
}

@Suite struct TokenFormTests {
    private func text(_ secret: Secret?) -> String {
        secret.map { String(decoding: $0.bytes.copied(), as: UTF8.self) } ?? ""
    }

    private func secret(_ text: String) -> Secret { Secret(copying: Array(text.utf8).span.raw) }

    @Test func `a form is encoded, and bears the client's proof once`() throws {
        let endpoint = try ServiceURL("https://login.example/t")
        func sent(_ proof: OAuthClient.Proof) throws -> (body: String, authorization: String) {
            var form = TokenForm(grant: "refresh_token")
            form.add("refresh_token", secret("a b&c=é"))
            let request = try form.request(to: endpoint, by: OAuthClient(identifier: "me:1", proof: proof), limits: .init())
            let field = request.fields.first { $0.name == "Authorization" }
            guard case .secret(let value)? = field?.value else { return (text(request.body), "") }
            return (text(request.body), text(value))
        }
        let plain = "grant_type=refresh_token&refresh_token=a+b%26c%3D%C3%A9"
        #expect(try sent(.none).body == plain + "&client_id=me%3A1")
        #expect(try sent(.post(secret("s+t"))).body == plain + "&client_id=me%3A1&client_secret=s%2Bt")
        #expect(try sent(.basic(secret("s+t"))).body == plain)
        #expect(try sent(.basic(secret("s+t"))).authorization == "Basic bWUlM0ExOnMlMkJ0")
    }

    @Test func `a token in plain text goes to this machine only, past any proxy`() throws {
        func usesProxy(_ endpoint: String) throws -> Bool {
            try TokenForm(grant: "x").request(to: try ServiceURL(endpoint), by: OAuthClient(identifier: "x", proof: .none), limits: .init()).usesProxy
        }
        #expect(try usesProxy("https://a.example/t"))
        #expect(try !usesProxy("http://localhost/t"))
    }

    @Test func `a request that spends something is not sent twice`() throws {
        let form = TokenForm(grant: "authorization_code")
        #expect(try !form.request(to: try ServiceURL("https://a.example"), by: OAuthClient(identifier: "x", proof: .none), limits: .init()).isRepeatable)
    }

    @Test func `a client proves itself in the first way that both know`() throws {
        func name(_ secret: Secret?, _ methods: [String]) throws -> String {
            switch try OAuthClient(identifier: "x", secret: secret, methods: methods).proof {
            case .none: "none"
            case .assertion: "assertion"
            case .basic: "basic"
            case .post: "post"
            }
        }
        #expect(try name(secret("s"), ["client_secret_post", "client_secret_basic"]) == "basic")
        #expect(try name(secret("s"), ["client_secret_post"]) == "post")
        #expect(try name(nil, ["none"]) == "none")
        #expect(throws: NotUsable.self) { try name(secret("s"), ["private_key_jwt"]) }
    }

    @Test func `the challenge of a proof key is RFC 7636's`() {
        let key = ProofKey()
        #expect(key.verifier.count == 43)
        #expect(key.challenge.utf8.count == 43)
        #expect(ProofKey().challenge != key.challenge)
    }
}
