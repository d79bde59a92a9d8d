// Tokens as issuers make them, and as others would: keys of every kind, headers and claims of the test's choosing.

import Foundation
import JWTKit
import Kernel
@testable import OAuth

/// A private key, its public half as a JWK, and what is signed with it.
struct Mint: Sendable {
    let signer: any JWTAlgorithm
    let kid: String?
    /// Of the public key.
    let jwk: [String: String]

    static let issuer = "https://login.example"
    static let audience = "claviger"
    /// The tests' moment, in seconds since 1970.
    static let now = 1_790_000_000

    static func es256(_ kid: String? = "k1") async throws -> Mint {
        let key = ES256PrivateKey()
        return try await Mint(JWTKeyCollection().add(ecdsa: key, kid: "k"), kid, point(key.publicKey.parameters, "P-256"))
    }

    static func es384(_ kid: String? = "k1") async throws -> Mint {
        let key = ES384PrivateKey()
        return try await Mint(JWTKeyCollection().add(ecdsa: key, kid: "k"), kid, point(key.publicKey.parameters, "P-384"))
    }

    static func es512(_ kid: String? = "k1") async throws -> Mint {
        let key = ES512PrivateKey()
        return try await Mint(JWTKeyCollection().add(ecdsa: key, kid: "k"), kid, point(key.publicKey.parameters, "P-521"))
    }

    static func edDSA(_ kid: String? = "k1") async throws -> Mint {
        let key = try EdDSA.PrivateKey()
        return try await Mint(
            JWTKeyCollection().add(eddsa: key, kid: "k"), kid, ["kty": "OKP", "crv": "Ed25519", "x": url(key.publicKey.rawRepresentation)])
    }

    static func rsa(_ digest: DigestAlgorithm, pss: Bool = false, _ kid: String? = "k1") async throws -> Mint {
        let collection = JWTKeyCollection()
        if pss {
            await collection.add(pss: try Insecure.RSA.PrivateKey(pem: rsaKey), digestAlgorithm: digest, kid: "k")
        } else {
            await collection.add(rsa: try Insecure.RSA.PrivateKey(pem: rsaKey), digestAlgorithm: digest, kid: "k")
        }
        return try await Mint(collection, kid, ["kty": "RSA", "n": modulus, "e": "AQAB"])
    }

    private init(_ collection: JWTKeyCollection, _ kid: String?, _ jwk: [String: String]) async throws {
        signer = try await collection.getKey(for: "k")
        self.kid = kid
        self.jwk = jwk.merging(kid.map { ["kid": $0] } ?? [:]) { $1 }
    }

    /// - Parameters:
    ///   - claims: beside or instead of a good token's; one that is NSNull is left out.
    ///   - header: beside or instead of `alg` and `kid`; the same.
    func token(_ claims: [String: Any] = [:], header: [String: Any] = [:]) throws -> String {
        var fields: [String: Any] = ["alg": signer.name, "typ": "JWT"]
        if let kid { fields["kid"] = kid }
        let usual: [String: Any] = [
            "iss": Mint.issuer, "aud": Mint.audience, "exp": Mint.now + 3600, "iat": Mint.now, "sub": "1", "email": "Ana@Acme.com", "email_verified": true,
        ]
        let signed = "\(try Mint.part(fields.merging(header) { $1 })).\(try Mint.part(usual.merging(claims) { $1 }))"
        return "\(signed).\(Mint.url(Data(try signer.sign(Data(signed.utf8)))))"
    }

    static func part(_ members: [String: Any]) throws -> String {
        url(try JSONSerialization.data(withJSONObject: members.filter { !($0.value is NSNull) }, options: [.sortedKeys]))
    }

    /// A key set of those keys, with members beside each key's own.
    static func document(_ mints: [Mint], adding members: [String: String] = [:]) throws -> [UInt8] {
        Array(try JSONSerialization.data(withJSONObject: ["keys": mints.map { $0.jwk.merging(members) { $1 } }]))
    }

    static func keys(_ mints: Mint...) async throws -> KeySet { try await KeySet(document(mints)) }

    static func url(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    private static func point(_ parameters: ECDSAParameters?, _ curve: String) -> [String: String] {
        func url(_ text: String?) -> String { Mint.url(text.flatMap { Data(base64Encoded: $0) } ?? Data()) }
        return ["kty": "EC", "crv": curve, "x": url(parameters?.x), "y": url(parameters?.y)]
    }

    /// Made for these tests; good for nothing else.
    private static let rsaKey = """
        -----BEGIN PRIVATE KEY-----
        MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQCv5/54Et7YE+MR
        i6zMP+uKFX+55AHJQfYQtCgwLUC/A8KxasalzRqv8nmRPvNeeTQQ8KMb+8Vngr8G
        cQC+v/nODJgnDBCjT4gfjfwarcUusj2Mo3hwZOgbAIkwqJ5Jzes+6E7yGcdkS6Ep
        zovBhOXlU2Dd5tdisLFNNWKBFdAD6BMp4W7uJwgQlWhSBer9vzpcGKgFm5uw37O8
        Dsxp2RIg4kJ9c2HWCOj15ygHnsp1FMg6fqmY8iGZXFuw+2oRYWPQO3QVkxbdtD8r
        0W6UHonN+nQMAuSuKuREZShcriN5NptZ0dP5ZymIpxIVgEfW0qLtptW6UFEQzxwt
        MZcL3AtJAgMBAAECggEAFXGoCTtDr1O9UAZBqnn1sipXcnHj8IT6BPnxbENtVoaU
        Ksy5gBI2OVIglR73dtePtqufNr9v8TkfJcng2ArPM9nqh9gQry1NiuCO5dxejV1t
        OMKKNtQWTN8OhRVei+DD14dlGF520DiSt7tWOOEv+s+PSiiPWUNGWgMytEnUcfqa
        SETr1jZyMn61fKhJkbAMG7FZNqWu7VlgRhGrp6EnkTGdDzm50cSIbYvqbpS1Gj/d
        aOUjahZWSZmhcYmiDGm7KghWI+IxnhHHMIot4joldmYRvus95uL5Oi5e1eDGxrHa
        JBtInwHLZpB0SaWlZBmGJBooCyfBDDiqj0UnLMQFgQKBgQDWMw+E+DSmVqX+3lH8
        pZ7KlNiFYlhnnQPC8FaH6/hNjtjvc57yTgYwmuz9ZwC/HmxtW/8iQhEKcbL4erH4
        9mKzyEanVOSm6gMNpttp1c2GEAAwEgt2JgpMYpCBC9Taggsz0UZFjW/6j9a2CdN2
        lZ+EkdcmoWSdJdDADSJf6ANj5wKBgQDSO+MK7au0JxuWt3LKpkJYKRVs5DzfYzrc
        /WNHGVLHvgEBqmyVcYFeOjJ6GUvlmq91P3wO4jAIHkPdNvUTbrKRUgMmQGoS+hPN
        TQjeEMWo+snP8zouuEqhM53ZbDRO4NkBqQMd0HWnWwpJb6v+Zn1M6wLnqgRDK8sL
        jO2vN6cxTwKBgAb833K9DiqnBP9NjWsqlAWT2YRwcuXeb3L6mDgS8KTHFjipkvPg
        q78GLtkNdS7G9U6UA7zAXwHyN553kjrG/u1SiUuIL3VqiPL3EI1hVjUbbIYk8I7I
        KunXBVPQaP8/4tGr8BjwxkhsTNrfczCZLP0MLPKrrTabNzYst4Rdc07dAoGAaqVA
        dkG8cUXJY/opPA186DXnDXb2PiebK5FKND3vVS3YWtz1+hU7F+6TvoZojs+aI/MR
        Xod08BlSObxwM+xanwcoW9YfOQMs2l8ymVuOuTqG93sdz6djDEUf1LRkEINU8den
        og8mL8AqBrikWgfplgQ9VAFV6jEj7fcOd2zW3lcCgYBZviy2XCaKgjaYwgv+P4Y9
        3sMaKuSK47Ultxt6ogUKYuhl1vt+nYEMD2vFqzlwqdYj9Us9EjFrIojo0igVajnY
        0kdKnBC9Va2TklBbscK6Tva6l2NzOfcnS1yiQODesYNI4XY+SI6pm2VRlPk8qJy5
        sQdldY0Uoi0SGiFSGgHHyg==
        -----END PRIVATE KEY-----
        """

    static let modulus =
        "r-f-eBLe2BPjEYuszD_rihV_ueQByUH2ELQoMC1AvwPCsWrGpc0ar_J5kT7zXnk0EPCjG_vFZ4K_BnEAvr_5zgyYJwwQo0-IH438Gq3FLrI9jKN4cGToGwCJMKieSc3rPuhO8hnHZEuhKc6LwYTl5VNg3ebXYrCxTTVigRXQA-gTKeFu7icIEJVoUgXq_b86XBioBZubsN-zvA7MadkSIOJCfXNh1gjo9ecoB57KdRTIOn6pmPIhmVxbsPtqEWFj0Dt0FZMW3bQ_K9FulB6Jzfp0DALkrirkRGUoXK4jeTabWdHT-WcpiKcSFYBH1tKi7abVulBREM8cLTGXC9wLSQ"
    /// Of 1,024 bits.
    static let smallModulus =
        "-QZ8-7F3CouE-JYM6PyVmCOx0MYrTzT1qN6tiecllf6ZllSp-MsyaO3ar8YZ77LowVkLpAnOc28JLgZiNrv62jvBfXCQBL4r8-VmU9kZD1SipoqFDO_SXcugxcBWr2CA6lk8yISHbleT0Oeo3KsoV3Gb6fUWBeCmsBLxugcczEU"
}

extension SignedToken {
    init(_ text: String) throws(SignedTokenFault) {
        try self.init(Array(text.utf8).span.raw)
    }
}
