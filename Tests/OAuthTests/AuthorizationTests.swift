// To the provider and back: what is sent, and who may come back with what.

import Gateway
import Kernel
@testable import OAuth
import Outbound
import Testing

@Suite struct AuthorizationTests {
    private func secret(_ text: String) -> Secret { Secret(copying: Array(text.utf8).span.raw) }

    private func text(_ secret: Secret?) -> String { secret.map { String(decoding: $0.bytes.copied(), as: UTF8.self) } ?? "" }

    private func pending(
        server: String = "crm", metadata: String = ",\"code_challenge_methods_supported\":[\"S256\"]",
        endpoint: String = "https://login.example/a", resource: String? = "https://mcp.example/mcp", scopes: [String] = ["a", "b c"]
    ) throws -> PendingAuthorization {
        let document = "{\"issuer\":\"https://login.example\",\"authorization_endpoint\":\"\(endpoint)\"\(metadata)}"
        let plan = TokenPlan(
            OAuthServer(name: server, title: server, url: try ServiceURL("https://mcp.example/mcp"), settings: OAuthSettings()), .grant)
        return PendingAuthorization(
            errand: ConnectErrand(
                reference: try #require(Reference(path: "/acme/shared/crm.grant")), plan: plan, project: try #require(ProjectName("acme")),
                server: try #require(ServerName("crm")), user: nil, tag: ""),
            provider: try ProviderMetadata(Array(document.utf8), of: try ServiceURL("https://login.example")),
            terms: GrantTerms(
                tokenEndpoint: try ServiceURL("https://login.example/t"), client: OAuthClient(identifier: "me & you", proof: .none), resource: resource),
            redirectURI: "https://connect.example/connect/callback/crm", scopes: scopes)
    }

    @Test func `the person is sent with everything the provider needs, encoded`() throws {
        let pending = try pending()
        let url = try pending.url(state: secret("st"))
        #expect(
            url == "https://login.example/a?response_type=code&client_id=me+%26+you&redirect_uri=https%3A%2F%2Fconnect.example%2Fconnect%2Fcallback%2Fcrm"
                + "&code_challenge=\(pending.proofKey.challenge)&code_challenge_method=S256&scope=a+b+c&resource=https%3A%2F%2Fmcp.example%2Fmcp&state=st")
        #expect(!url.contains(text(pending.proofKey.verifier)))
    }

    @Test func `an endpoint's own query stays, and what is not wanted is not sent`() throws {
        let url = try pending(endpoint: "https://login.example/a?tenant=1", resource: nil, scopes: []).url(state: secret("st"))
        #expect(url.hasPrefix("https://login.example/a?tenant=1&response_type=code"))
        #expect(!url.contains("resource=") && !url.contains("scope="))
    }

    @Test func `who asks for offline access asks for consent, without which OpenID providers give no refresh token`() throws {
        #expect(try pending(scopes: ["openid", "offline_access"]).url(state: secret("st")).contains("&prompt=consent&"))
        #expect(try !pending(scopes: ["openid"]).url(state: secret("st")).contains("prompt="))
    }

    @Test func `nobody is sent to a provider without S256, unless that is configured`() throws {
        for metadata in ["", ",\"code_challenge_methods_supported\":[\"plain\"]"] {
            let pending = try pending(metadata: metadata)
            #expect(throws: NotUsable.self) { try pending.url(state: secret("st")) }
            #expect(try pending.url(state: secret("st"), requiresProofKey: false).contains("code_challenge_method=S256"))
        }
    }

    @Test func `the code is exchanged with the verifier, where it came back to`() throws {
        let pending = try pending()
        let request = try pending.exchange(of: secret("c/1")).request(to: try ServiceURL("https://login.example/t"), by: pending.terms.client, limits: .init())
        #expect(
            text(request.body) == "grant_type=authorization_code&code=c%2F1&redirect_uri=https%3A%2F%2Fconnect.example%2Fconnect%2Fcallback%2Fcrm"
                + "&code_verifier=\(text(pending.proofKey.verifier))&resource=https%3A%2F%2Fmcp.example%2Fmcp&client_id=me+%26+you")
    }

    @Test func `an issuer that is named must be the provider's, and must be named where that was promised`() throws {
        let silent = try pending()
        #expect(silent.accepts(issuer: nil))
        #expect(silent.accepts(issuer: "https://login.example"))
        #expect(!silent.accepts(issuer: "https://login.example/"))
        let promising = try pending(metadata: ",\"authorization_response_iss_parameter_supported\":true")
        #expect(!promising.accepts(issuer: nil))
    }
}

@Suite struct RegistrationTests {
    private let metadata = ClientMetadata(name: "Claviger", redirectURI: "https://c.example/cb", scopes: ["a"])

    private func read(_ status: Int, _ body: String) throws -> Registration {
        try Registration(status: status, body: Array(body.utf8).span.raw)
    }

    @Test func `the metadata document names itself, and no secret`() {
        let document = String(decoding: metadata.document(at: "https://c.example/.well-known/oauth-client/crm.json"), as: UTF8.self)
        #expect(
            document == "{\"client_id\":\"https://c.example/.well-known/oauth-client/crm.json\",\"client_name\":\"Claviger\","
                + "\"grant_types\":[\"authorization_code\",\"refresh_token\"],\"redirect_uris\":[\"https://c.example/cb\"],\"response_types\":[\"code\"],"
                + "\"token_endpoint_auth_method\":\"none\"}")
    }

    @Test(arguments: [(["none", "client_secret_basic"], "none"), (["client_secret_post", "client_secret_basic"], "client_secret_post"), (["client_secret_basic"], "client_secret_basic"), (["client_secret_post"], "client_secret_post")])
    func `a registration asks for the simplest proof that is taken`(_ methods: [String], _ expected: String) throws {
        let request = metadata.registration(at: try ServiceURL("https://login.example/r"), methods: methods)
        let body = request.body.map { String(decoding: $0.bytes.copied(), as: UTF8.self) } ?? ""
        #expect(body.contains("\"token_endpoint_auth_method\":\"\(expected)\""))
        #expect(body.contains("\"scope\":\"a\"") && !body.contains("client_id\""))
        #expect(!request.isRepeatable)
    }

    @Test func `a client that was registered is read, 200 or 201`() throws {
        for status in [200, 201] {
            let client = try read(status, "{\"client_id\":\"me\",\"client_secret\":\"hidden\",\"client_secret_expires_at\":1893456000,\"redirect_uris\":[]}")
            #expect(client.identifier == "me")
            #expect(client.secret?.count == 6)
            #expect(client.secretExpires == 1_893_456_000)
        }
        let open = try read(201, "{\"client_id\":\"me\",\"client_secret_expires_at\":0}")
        #expect(open.secret == nil && open.secretExpires == nil)
    }

    @Test func `a client that is to show no secret has none, whatever it was given`() throws {
        let client = try read(201, "{\"client_id\":\"me\",\"client_secret\":\"hidden\",\"client_secret_expires_at\":1893456000,\"token_endpoint_auth_method\":\"none\"}")
        #expect(client.secret == nil && client.secretExpires == nil && client.method == "none")
    }

    @Test func `a refusal is said in the provider's words`() {
        #expect(throws: NotUsable("refused to register a client: invalid_redirect_uri: not there")) {
            try read(400, "{\"error\":\"invalid_redirect_uri\",\"error_description\":\"not there\"}")
        }
        #expect(throws: NotUsable("refused to register a client: status 403")) { try read(403, "{}") }
        for (status, body) in [(201, ""), (201, "{}"), (201, "{\"client_id\":\"\"}"), (200, "<html>")] {
            #expect(throws: NotUsable.self) { try read(status, body) }
        }
    }
}
