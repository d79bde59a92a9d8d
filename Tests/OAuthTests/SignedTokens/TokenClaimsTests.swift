// For whom, by whom and when a token is good.

import Foundation
@testable import OAuth
import Testing

@Suite struct TokenClaimsTests {
    private static let now = Int64(Mint.now)

    /// What `check` says of claims, beside or instead of a good token's.
    private func check(_ changes: [String: Any], now: Int64 = TokenClaimsTests.now) throws -> String {
        let usual: [String: Any] = ["iss": Mint.issuer, "aud": Mint.audience, "exp": Mint.now + 300, "iat": Mint.now]
        let members = usual.merging(changes) { $1 }.filter { !($0.value is NSNull) }
        let data = try JSONSerialization.data(withJSONObject: members)
        do throws(SignedTokenFault) {
            try TokenClaims(Array(data), address: "email").check(issuer: Mint.issuer, audience: Mint.audience, now: now)
            return "good"
        } catch {
            return error.words
        }
    }

    @Test func `issuer and audience are compared to the byte`() throws {
        #expect(try check([:]) == "good")
        for issuer in ["https://login.example/", "https://LOGIN.example", "https://login.example\u{301}", "", NSNull(), 7, ["https://login.example"]] as [Any] {
            #expect(try check(["iss": issuer]) != "good", "\(issuer)")
        }
        #expect(try check(["aud": ["other", "claviger"]]) == "good")
        for audience in ["Claviger", "claviger ", ["other"], [String](), "", NSNull(), 7, ["claviger": true], [["claviger"]]] as [Any] {
            #expect(try check(["aud": audience]) != "good", "\(audience)")
        }
    }

    @Test func `a token must end, and counts from its beginning to its end, with a minute for clocks that differ`() throws {
        let end = Mint.now + 300
        #expect(try check([:], now: Int64(end + 59)) == "good")
        #expect(try check([:], now: Int64(end + 60)).contains("expired"))
        for expires in [NSNull(), "\(end)", 0, -1] as [Any] { #expect(try check(["exp": expires]) != "good", "\(expires)") }
        #expect(try check(["exp": 1e300]) == "good")
        #expect(try check(["nbf": Mint.now + 60]) == "good")
        #expect(try check(["nbf": Mint.now + 61]).contains("nbf"))
        #expect(try check(["iat": Mint.now + 60]) == "good")
        #expect(try check(["iat": Mint.now + 61]).contains("clocks"))
        #expect(try check(["iat": NSNull()]) == "good")
    }

    @Test func `an ID token is this client's and this sign-in's`() throws {
        func check(_ changes: [String: Any]) throws -> Bool {
            let members = (["aud": "me", "nonce": "n"] as [String: Any]).merging(changes) { $1 }.filter { !($0.value is NSNull) }
            let claims = try TokenClaims(Array(JSONSerialization.data(withJSONObject: members)), address: "email")
            do { try claims.check(client: "me", nonce: "n") } catch { return false }
            return true
        }
        #expect(try check([:]))
        #expect(try check(["azp": "me", "aud": ["me", "other"]]))
        #expect(try !check(["azp": "other"]))
        #expect(try !check(["aud": ["me", "other"]]))
        for nonce in ["N", "", "nn", NSNull()] as [Any] { #expect(try !check(["nonce": nonce])) }
    }

    @Test func `an address is verified where the token says so, as a flag or as a word`() throws {
        func flag(_ text: String) throws -> Bool? { try TokenClaims(Array("{\(text)}".utf8), address: "email").isAddressVerified }
        #expect(try flag("\"email_verified\":true") == true)
        #expect(try flag("\"email_verified\":\"true\"") == true)
        for none in ["false", "\"false\"", "1", "\"yes\"", "null", "[true]"] { #expect(try flag("\"email_verified\":\(none)") == false, "\(none)") }
        #expect(try flag("") == nil)
    }

    @Test(arguments: ["", "[]", "7", "{", "{\"exp\":\"soon\"}", "{\"iss\":7}"])
    func `claims that cannot be read are none`(_ text: String) {
        #expect(throws: SignedTokenFault.self) { try TokenClaims(Array(text.utf8), address: "email") }
    }

    @Test func `base64url has one way to write something`() {
        #expect(Base64.bytes(Array("".utf8)) == [])
        #expect(Base64.bytes(Array("AA".utf8)) == [0])
        #expect(Base64.bytes(Array("__-_".utf8)) == [255, 255, 191])
        for wrong in ["A", "AB", "AA=", "AA==", "A+A", "A/A", "AAAAA", "A A", "AAB"] { #expect(Base64.bytes(Array(wrong.utf8)) == nil, "\(wrong)") }
    }
}
