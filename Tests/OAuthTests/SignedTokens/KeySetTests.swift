// Who signed a token, and everything that is none of its issuer's signatures.

import Foundation
import JWTKit
@testable import OAuth
import Testing

@Suite struct KeySetTests {
    @Test func `every algorithm with a private key is verified, and by its own key alone`() async throws {
        var mints = [try await Mint.es256(), try await Mint.es384(), try await Mint.es512(), try await Mint.edDSA()]
        for pss in [false, true] {
            mints += [try await Mint.rsa(.sha256, pss: pss), try await Mint.rsa(.sha384, pss: pss), try await Mint.rsa(.sha512, pss: pss)]
        }
        #expect(Set(mints.map(\.signer.name)) == Set(SigningAlgorithm.allCases.map(\.rawValue)))
        let stranger = try await Mint.es256()
        for mint in mints {
            let token = try SignedToken(mint.token())
            #expect(try await Mint.keys(mint).verdict(on: token) == .signed, "\(mint.signer.name)")
            #expect(try await Mint.keys(stranger).verdict(on: token) != .signed, "\(mint.signer.name)")
        }
    }

    @Test(arguments: ["none", "None", "HS256", "HS384", "HS512", "RSA-OAEP", "ES256K", "rs256", "", "ML-DSA-65"])
    func `no other algorithm is taken, whatever the signature`(_ algorithm: String) async throws {
        let token = try await Mint.es256().token(header: ["alg": algorithm])
        #expect(throws: SignedTokenFault.self) { try SignedToken(token) }
        #expect(throws: SignedTokenFault.self) { try SignedToken(token.split(separator: ".").dropLast().joined(separator: ".") + ".") }
    }

    @Test func `what was changed by one character is forged, or no token`() async throws {
        let mint = try await Mint.es256()
        let keys = try await Mint.keys(mint)
        let good = Array(try mint.token())
        for at in good.indices {
            var changed = good
            changed[at] = changed[at] == "A" ? "B" : "A"
            let verdict: KeySet.Verdict?
            do { verdict = keys.verdict(on: try SignedToken(String(changed))) } catch { verdict = nil }
            #expect(verdict != .signed, "at \(at)")
        }
    }

    @Test func `what is no compact token is refused in words that repeat nothing of it`() async throws {
        let good = try await Mint.es256().token()
        let parts = good.split(separator: ".").map(String.init)
        let wrong = [
            "", ".", "..", "...", "a.b.c", parts[0], "\(parts[0]).\(parts[1])", good + ".", good + ".\(parts[2])", good + "=", " " + good, good + "\n",
            "\(parts[0])=.\(parts[1]).\(parts[2])", good.replacing(".", with: ".."), "e30.\(parts[1]).\(parts[2])", "W10.\(parts[1]).\(parts[2])",
            String(repeating: "A", count: 20_000),
        ]
        for text in wrong {
            do {
                _ = try SignedToken(text)
                Issue.record("\(text.prefix(40))")
            } catch {
                guard case .invalid(let words) = error else {
                    Issue.record("\(error)")
                    continue
                }
                #expect(!words.contains(parts[2]) && !words.contains("eyJ"))
            }
        }
    }

    @Test func `a header that must be understood is refused, and keys that it brings or points to are nobody's`() async throws {
        let mint = try await Mint.es256()
        #expect(throws: SignedTokenFault.self) { try SignedToken(mint.token(header: ["crit": ["exp"]])) }
        #expect(throws: SignedTokenFault.self) { try SignedToken(mint.token(header: ["crit": [String]()])) }
        let thief = try await Mint.es256("k1")
        for header in [["jwk": thief.jwk], ["jku": "https://evil.example/keys"], ["x5u": "https://evil.example/c.pem"], ["x5c": ["MII="]]] as [[String: Any]] {
            #expect(try await Mint.keys(mint).verdict(on: SignedToken(thief.token(header: header))) == .forged)
        }
    }

    @Test func `the key is the one that the token names`() async throws {
        let (one, other) = (try await Mint.es256("one"), try await Mint.es256("other"))
        let both = try await Mint.keys(one, other)
        #expect(both.verdict(on: try SignedToken(one.token())) == .signed)
        #expect(both.verdict(on: try SignedToken(one.token(header: ["kid": "other"]))) == .forged)
        #expect(both.verdict(on: try SignedToken(one.token(header: ["kid": "neither"]))) == .unknownKey)
        #expect(both.verdict(on: try SignedToken(one.token(header: ["kid": "ONE"]))) == .unknownKey)
        #expect(both.verdict(on: try SignedToken(one.token(header: ["kid": NSNull()]))) == .unknownKey)
        #expect(try await Mint.keys(one).verdict(on: SignedToken(one.token(header: ["kid": NSNull()]))) == .signed)
        let nameless = try await Mint.es256(nil)
        #expect(try await Mint.keys(nameless).verdict(on: SignedToken(nameless.token(header: ["kid": "one"]))) == .unknownKey)
    }

    @Test func `a key is used for what its set says, and no more`() async throws {
        let mint = try await Mint.rsa(.sha256)
        let token = try SignedToken(mint.token())
        func verdict(_ members: [String: String]) async throws -> KeySet.Verdict { try await KeySet(Mint.document([mint], adding: members)).verdict(on: token) }
        #expect(try await verdict(["use": "sig", "alg": "RS256"]) == .signed)
        #expect(try await verdict(["alg": "PS256"]) == .unknownKey)
        await #expect(throws: NotUsable.self) { try await verdict(["use": "enc"]) }
        await #expect(throws: NotUsable.self) { try await verdict(["alg": "RSA-OAEP-256"]) }
        let pss = try await Mint.rsa(.sha256, pss: true)
        #expect(try await KeySet(Mint.document([mint], adding: ["alg": "RS256"])).verdict(on: SignedToken(pss.token())) == .unknownKey)
    }

    @Test func `keys that are not known here, too small or broken leave the others as they are`() async throws {
        let mint = try await Mint.es256()
        let good = String(decoding: try JSONSerialization.data(withJSONObject: mint.jwk), as: UTF8.self)
        let others = [
            #"{"kty":"oct","k":"AAAA","kid":"k1"}"#, #"{"kty":"AKP","kid":"k1","alg":"ML-DSA-65"}"#, #"{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA","kid":"k1"}"#,
            #"{"kty":"RSA","n":"\#(Mint.smallModulus)","e":"AQAB","kid":"k1"}"#, #"{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA","kid":"k1"}"#,
            #"{"kty":"OKP","crv":"X25519","x":"AAAA"}"#, #"{"kty":"OKP","crv":"Ed25519","x":"AAAA"}"#, #"{"kty":7}"#, "7", "null", #"{"kty":"RSA"}"#, #"{"kty":"RSA","n":"!","e":"!"}"#,
        ]
        let set = try await KeySet(Array("{\"keys\":[\((others + [good]).joined(separator: ","))]}".utf8))
        #expect(set.count == 1)
        #expect(set.algorithms == ["ES256"])
        #expect(set.verdict(on: try SignedToken(mint.token())) == .signed)
        await #expect(throws: NotUsable.self) { try await KeySet(Array("{\"keys\":[\(others.joined(separator: ","))]}".utf8)) }
        for none in ["", "{}", "[]", "{\"keys\":[]}", "{\"keys\":7}", "<html>"] {
            await #expect(throws: NotUsable.self) { try await KeySet(Array(none.utf8)) }
        }
    }

    /// The attack of the confused algorithm: the public key, which everybody has, as a shared secret.
    @Test func `a token signed with the public key's bytes is refused before any key is looked at`() async throws {
        let mint = try await Mint.rsa(.sha256)
        let signed = "\(try Mint.part(["alg": "HS256", "kid": "k1"])).\(try mint.token().split(separator: ".")[1])"
        #expect(throws: SignedTokenFault.self) { try SignedToken("\(signed).\(Mint.modulus.prefix(43))") }
    }
}
