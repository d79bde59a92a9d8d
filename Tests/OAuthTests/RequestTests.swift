// Exchange, client credentials and revocation: what is sent, and what the answers mean.

import Foundation
import Gateway
import Kernel
import OAuth
import Outbound
import Testing

@Suite struct RequestTests {
    private let endpoint = { try ServiceURL("https://login.example/t") }
    private let client = OAuthClient(identifier: "me", proof: .none)

    private func secret(_ text: String) -> Secret { Secret(copying: Array(text.utf8).span.raw) }

    /// The form's pairs, decoded.
    private func pairs(_ request: OutboundRequest) throws -> [String] {
        let sent = try #require(request.body)
        let body = String(decoding: sent.bytes.copied(), as: UTF8.self)
        return body.split(separator: "&").map { $0.replacing("+", with: " ").removingPercentEncoding ?? "?" }
    }

    private func exchange(_ parameters: [(String, String)] = [], resource: String? = "https://mcp.example/mcp") throws -> TokenExchange {
        try TokenExchange(OAuthSettings.Exchange(parameters: parameters.map { (name: $0.0, value: $0.1) }), resource: resource)
    }

    private static let kind = "urn:ietf:params:oauth:token-type:"

    // MARK: Exchange

    @Test func `an access token is exchanged for an access token for the server`() throws {
        let exchange = try exchange()
        #expect(exchange.subject == .accessToken)
        let request = try exchange.request(for: secret("s&1"), to: try endpoint(), by: client, limits: .init())
        #expect(
            try pairs(request) == [
                "grant_type=urn:ietf:params:oauth:grant-type:token-exchange", "subject_token_type=\(Self.kind)access_token",
                "requested_token_type=\(Self.kind)access_token", "subject_token=s&1", "resource=https://mcp.example/mcp", "client_id=me",
            ])
        #expect(!request.isRepeatable)
    }

    @Test func `parameters stand in place of ours, and repeat as they are written`() throws {
        let exchange = try exchange([("requested_token_type", "x"), ("audience", "one"), ("audience", "two"), ("scope", "a b")])
        let sent = try pairs(try exchange.request(for: secret("s"), to: try endpoint(), by: client, limits: .init()))
        #expect(
            sent == [
                "grant_type=urn:ietf:params:oauth:grant-type:token-exchange", "subject_token_type=\(Self.kind)access_token", "subject_token=s",
                "requested_token_type=x", "audience=one", "audience=two", "scope=a b", "client_id=me",
            ])
        let scoped = try TokenExchange(OAuthSettings.Exchange(), scopes: ["a", "b"], resource: nil)
        #expect(try pairs(try scoped.request(for: secret("s"), to: try endpoint(), by: client, limits: .init())).contains("scope=a b"))
        let named = try TokenExchange(OAuthSettings.Exchange(parameters: [(name: "scope", value: "c")]), scopes: ["a", "b"], resource: nil)
        #expect(try pairs(try named.request(for: secret("s"), to: try endpoint(), by: client, limits: .init())).filter { $0.hasPrefix("scope=") } == ["scope=c"])
        let own = try self.exchange([("resource", "urn:mine")])
        #expect(try pairs(try own.request(for: secret("s"), to: try endpoint(), by: client, limits: .init())).filter { $0.hasPrefix("resource=") } == ["resource=urn:mine"])
        let none = try self.exchange(resource: nil)
        #expect(try !pairs(try none.request(for: secret("s"), to: try endpoint(), by: client, limits: .init())).contains { $0.hasPrefix("resource=") })
    }

    @Test func `Auth0's vault is shown the refresh token by a grant of its own`() throws {
        let grant = "urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token"
        let requested = "http://auth0.com/oauth/token-type/federated-connection-access-token"
        let exchange = try exchange(
            [("grant_type", grant), ("subject_token_type", Self.kind + "refresh_token"), ("requested_token_type", requested), ("connection", "google-oauth2")], resource: nil)
        #expect(exchange.subject == .refreshToken)
        let sent = try pairs(try exchange.request(for: secret("r"), to: try endpoint(), by: client, limits: .init()))
        #expect(
            sent == [
                "subject_token=r", "grant_type=\(grant)", "subject_token_type=\(Self.kind)refresh_token", "requested_token_type=\(requested)",
                "connection=google-oauth2", "client_id=me",
            ])
        let answer = Array(#"{"access_token":"ya29.a","issued_token_type":"\#(requested)","token_type":"Bearer","expires_in":3600,"scope":"openid"}"#.utf8)
        guard case .tokens(let tokens) = exchange.answer(status: 200, body: answer.span.raw) else { throw NotUsable("no tokens") }
        #expect(tokens.access.isSame(as: secret("ya29.a")) && tokens.life == .seconds(3600) && tokens.refresh == nil)
    }

    @Test func `a subject that a grant has not is refused`() throws {
        #expect(try exchange([("subject_token_type", Self.kind + "id_token")]).subject == .identityToken)
        #expect(try exchange([("subject_token_type", Self.kind + "jwt")]).subject == .accessToken)
        let fault = #expect(throws: NotUsable.self) { try exchange([("subject_token_type", Self.kind + "saml2")]) }
        #expect(fault?.description.hasPrefix("cannot exchange a subject of type \(Self.kind)saml2: a person's grant has ") == true)
    }

    @Test(arguments: [
        (#"{"access_token":"t","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","token_type":"Bearer"}"#, true),
        (#"{"access_token":"t","issued_token_type":"urn:ietf:params:oauth:token-type:jwt","token_type":"N_A"}"#, true),
        (#"{"access_token":"t","token_type":"bearer"}"#, true), (#"{"access_token":"t"}"#, true), (#"{"access_token":"t","issued_token_type":7}"#, true),
        (#"{"access_token":"t","issued_token_type":"urn:ietf:params:oauth:token-type:refresh_token"}"#, false),
        (#"{"access_token":"t","issued_token_type":"urn:ietf:params:oauth:token-type:saml2","token_type":"N_A"}"#, false),
        (#"{"access_token":"t","issued_token_type":"urn:ietf:params:oauth:token-type:id-jag","token_type":"N_A"}"#, false),
        (#"{"access_token":"t","token_type":"N_A"}"#, false), (#"{"access_token":"t","token_type":"n_a"}"#, false),
        (#"{"access_token":"t","issued_token_type":""}"#, false), (#"{"access_token":"","issued_token_type":"urn:ietf:params:oauth:token-type:jwt"}"#, false),
        (#"{"access_token":"t""#, false), (#"[]"#, false), ("", false),
    ])
    func `only a token that a server takes is one`(_ body: String, _ isToken: Bool) throws {
        let answer = try exchange().answer(status: 200, body: Array(body.utf8).span.raw)
        if case .tokens = answer { #expect(isToken) } else { #expect(!isToken) }
    }

    @Test func `a token of the type that was asked for is one, too`() throws {
        let body = Array(#"{"access_token":"t","issued_token_type":"urn:ietf:params:oauth:token-type:id_token","token_type":"N_A"}"#.utf8)
        guard case .refused(let refused) = try exchange().answer(status: 200, body: body.span.raw) else { throw NotUsable("taken") }
        #expect(refused.kind == .invalidRequest && refused.words == "it issued a token of another type than an access token: \(Self.kind)id_token")
        guard case .tokens = try exchange([("requested_token_type", Self.kind + "id_token")]).answer(status: 200, body: body.span.raw) else { throw NotUsable("refused") }
    }

    @Test func `what an endpoint says of a type is printable and short in our words`() throws {
        let body = Array(#"{"access_token":"t","issued_token_type":"\n\u001b[31m\#(String(repeating: "é", count: 4000))"}"#.utf8)
        guard case .refused(let refused) = try exchange().answer(status: 200, body: body.span.raw) else { throw NotUsable("taken") }
        #expect(refused.words.utf8.count < 200 && refused.words.utf8.allSatisfy { (0x20..<0x7F).contains($0) })
    }

    @Test func `a refusal is the endpoint's own`() throws {
        let body = Array(#"{"error":"invalid_target","error_description":"no such audience"}"#.utf8)
        guard case .refused(let refused) = try exchange().answer(status: 400, body: body.span.raw) else { throw NotUsable("taken") }
        #expect(refused.kind == .invalidScope && refused.words == "invalid_target: no such audience")
    }

    // MARK: Client credentials

    @Test func `the gateway itself asks with its proof, scopes and resource`() throws {
        let me = OAuthClient(identifier: "me", proof: .post(secret("p")))
        let request = try ClientCredentials(scopes: ["a", "b"], resource: "https://mcp.example/mcp").request(to: try endpoint(), by: me, limits: .init())
        #expect(try pairs(request) == ["grant_type=client_credentials", "scope=a b", "resource=https://mcp.example/mcp", "client_id=me", "client_secret=p"])
        let bare = try ClientCredentials(scopes: [], resource: nil).request(to: try endpoint(), by: me, limits: .init())
        #expect(try pairs(bare) == ["grant_type=client_credentials", "client_id=me", "client_secret=p"])
    }

    @Test func `a client without proof asks for nothing of its own`() throws {
        #expect(throws: NotUsable.self) { try ClientCredentials(scopes: [], resource: nil).request(to: try endpoint(), by: client, limits: .init()) }
    }

    // MARK: Revocation

    @Test func `a token is given back with its kind and the client's proof`() throws {
        let me = OAuthClient(identifier: "me", proof: .basic(secret("p")))
        let request = try Revocation.request(of: secret("r/1"), .refreshToken, at: try endpoint(), by: me, limits: .init())
        #expect(try pairs(request) == ["token=r/1", "token_type_hint=refresh_token"])
        #expect(request.fields.contains { $0.name == "Authorization" })
        let other = try Revocation.request(of: secret("a"), .accessToken, at: try endpoint(), by: client, limits: .init())
        #expect(try pairs(other) == ["token=a", "token_type_hint=access_token", "client_id=me"])
    }

    @Test(arguments: [
        (200, "", nil), (200, "<html>", nil), (204, "", nil),
        (400, #"{"error":"unsupported_token_type"}"#, "the provider did not take the token back: unsupported_token_type"),
        (401, #"{"error":"invalid_client","error_description":"who?"}"#, "the provider did not take the token back: invalid_client: who?"),
        (503, "", "the provider did not take the token back: status 503"), (404, "<html>", "the provider did not take the token back: status 404 without tokens"),
        (400, "", "the provider did not take the token back: status 400 without a reason"),
        (201, #"{"access_token":"hunter2"}"#, "the provider did not take the token back: status 201"),
    ] as [(Int, String, String?)])
    func `what became of it is said`(_ status: Int, _ body: String, _ words: String?) {
        #expect(Revocation.outcome(status: status, body: Array(body.utf8).span.raw) == words.map(Revocation.Outcome.notRevoked) ?? .revoked)
    }
}
