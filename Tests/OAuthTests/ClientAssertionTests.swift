// A client that signs: what stands in its proof, and how the proof travels.

import Foundation
import Gateway
import Kernel
@testable import OAuth
import Outbound
import TLS
import Testing

/// P-256, made for these tests.
let testKey = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgtXbeJQ0Ht/Y+pRRO
    czpcGNnOW0q8GxfqAvYZhndR9u6hRANCAATdJPLtcz3dwr8llyQoqhJWRjkc6ieJ
    wN4mZ94XecPpl6wfYRZtdmT7k8a3zpgFA3NFOV0Ihd/NegBT8Jw5naez
    -----END PRIVATE KEY-----
    """

@Suite struct ClientAssertionTests {
    private let endpoint = { try ServiceURL("https://login.example/t?tenant=1") }

    private func secret(_ text: String) -> Secret { Secret(copying: Array(text.utf8).span.raw) }

    private func part(_ text: Substring) throws -> [String: Any] {
        var base64 = text.replacing("-", with: "+").replacing("_", with: "/")
        while base64.count % 4 != 0 { base64 += "=" }
        let data = try #require(Data(base64Encoded: String(base64)))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test func `a proof names the client twice, one audience, and a minute`() throws {
        let assertion = try ClientAssertion(privateKey: secret(testKey), keyID: "k/1", clock: { 1_790_000_000 })
        let token = try assertion.token(for: "me:\"1\"", at: try endpoint())
        let parts = String(decoding: token.bytes.copied(), as: UTF8.self).split(separator: ".", omittingEmptySubsequences: false)
        #expect(parts.count == 3 && parts[2].utf8.count == 86)
        let header = try part(parts[0])
        #expect(header as? [String: String] == ["alg": "ES256", "kid": "k/1", "typ": "JWT"])
        let claims = try part(parts[1])
        #expect(Set(claims.keys) == ["aud", "exp", "iat", "iss", "jti", "sub"])
        #expect(claims["aud"] as? String == "https://login.example/t?tenant=1")
        #expect(claims["iss"] as? String == "me:\"1\"" && claims["sub"] as? String == "me:\"1\"")
        #expect(claims["iat"] as? Int == 1_790_000_000 && claims["exp"] as? Int == 1_790_000_060)
        #expect((claims["jti"] as? String)?.utf8.count == 22)
    }

    @Test func `no two proofs are one, and the issuer is the audience where it wants to be`() throws {
        let assertion = try ClientAssertion(privateKey: secret(testKey), audience: "https://login.example/", clock: { 0 })
        var identities: Set<String> = []
        for _ in 0..<50 {
            let token = try assertion.token(for: "me", at: try endpoint())
            let parts = String(decoding: token.bytes.copied(), as: UTF8.self).split(separator: ".")
            let claims = try part(parts[1])
            #expect(claims["aud"] as? String == "https://login.example/")
            #expect(try part(parts[0])["kid"] == nil)
            identities.insert(try #require(claims["jti"] as? String))
        }
        #expect(identities.count == 50)
    }

    @Test func `a form bears a proof made for its endpoint`() throws {
        let client = OAuthClient(identifier: "me", proof: .assertion(try ClientAssertion(privateKey: secret(testKey), clock: { 7 })))
        let request = try TokenForm(grant: "client_credentials").request(to: try endpoint(), by: client, limits: .init())
        let sent = try #require(request.body)
        let body = String(decoding: sent.bytes.copied(), as: UTF8.self)
        let pairs = body.split(separator: "&").map { $0.split(separator: "=", maxSplits: 1) }
        #expect(pairs.map { String($0[0]) } == ["grant_type", "client_id", "client_assertion_type", "client_assertion"])
        #expect(pairs[2][1] == "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer")
        #expect(!request.fields.contains { $0.name == "Authorization" })
        let claims = try part(pairs[3][1].split(separator: ".")[1])
        #expect(claims["aud"] as? String == "https://login.example/t?tenant=1" && claims["exp"] as? Int == 67)
    }

    @Test func `a key that cannot sign is refused in words that hold nothing of it`() throws {
        #expect(throws: NotUsable("the private key holds no private key in PEM that can be read without a passphrase")) {
            try ClientAssertion(privateKey: secret("hunter2"), clock: { 0 })
        }
    }
}
