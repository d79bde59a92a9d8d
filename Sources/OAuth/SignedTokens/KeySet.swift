// An issuer's public keys, as it publishes them, and whether one of them signed a token.

internal import FoundationEssentials
internal import JWTKit

/// A JSON Web Key Set (RFC 7517), those of its keys that verify signatures. A token's own header never adds one.
package struct KeySet: Sendable {
    private struct Key: Sendable {
        let id: String?
        /// By what it can be used for; one, unless the set leaves that open.
        let verifiers: [SigningAlgorithm: any JWTAlgorithm]
    }

    private let keys: [Key]

    enum Verdict {
        case signed
        /// A key that the set does not have, or not for this.
        case unknownKey
        case forged
    }

    /// In a document of 256 KiB there is room for more keys than anybody has.
    private static let mostKeys = 100

    /// How many keys it has.
    package var count: Int { keys.count }

    /// What may be signed with its keys, for whoever runs the gateway.
    package var algorithms: [String] {
        SigningAlgorithm.allCases.filter { algorithm in keys.contains { $0.verifiers[algorithm] != nil } }.map(\.rawValue)
    }

    /// - Parameter document: JSON. Keys of kinds that are not known here, or for other uses, are left out.
    /// - Throws: where it is no key set, or has no key that verifies anything.
    package init(_ document: [UInt8]) async throws(NotUsable) {
        let read: Document
        do { read = try JSONDecoder().decode(Document.self, from: Data(document)) } catch { throw NotUsable("is no JSON Web Key Set") }
        var keys: [Key] = []
        for written in read.keys.prefix(KeySet.mostKeys) {
            guard let key = written.key else { continue }
            var verifiers: [SigningAlgorithm: any JWTAlgorithm] = [:]
            for algorithm in key.algorithms { verifiers[algorithm] = await KeySet.verifier(key, algorithm) }
            if !verifiers.isEmpty { keys.append(Key(id: key.kid, verifiers: verifiers)) }
        }
        guard !keys.isEmpty else { throw NotUsable("has no key that verifies signatures (RSA of 2,048 bits or more, P-256, P-384, P-521 or Ed25519)") }
        self.keys = keys
    }

    /// Whether the key that the token names signed it. A token that names none is the only key's, where there is only one.
    func verdict(on token: SignedToken) -> Verdict {
        let fitting = keys.compactMap { key -> (any JWTAlgorithm)? in
            guard let wanted = token.keyID else { return key.verifiers[token.algorithm] }
            guard let id = key.id, id.utf8.elementsEqual(wanted.utf8) else { return nil }
            return key.verifiers[token.algorithm]
        }
        guard let first = fitting.first, token.keyID != nil || fitting.count == 1 else { return .unknownKey }
        for verifier in [first] + fitting.dropFirst() {
            // What cannot be a signature of this kind is thrown at, and is none.
            if (try? verifier.verify(token.signature, signs: token.signed)) == true { return .signed }
        }
        return .forged
    }

    /// A collection of one key, since one of several gives its first where it is asked for what it does not have.
    private static func verifier(_ key: WrittenKey, _ algorithm: SigningAlgorithm) async -> (any JWTAlgorithm)? {
        guard let named = JWK.Algorithm(rawValue: algorithm.rawValue) else { return nil }
        let id = JWKIdentifier(string: "the key")
        let jwk: JWK
        switch key.kty {
        case "RSA": jwk = .rsa(named, identifier: id, modulus: key.n, exponent: key.e)
        case "EC": jwk = .ecdsa(named, identifier: id, x: key.x, y: key.y, curve: key.crv.flatMap(ECDSACurve.init(rawValue:)))
        case "OKP": jwk = .octetKeyPair(named, identifier: id, x: key.x, y: nil, curve: key.crv.flatMap(EdDSACurve.init(rawValue:)))
        default: return nil
        }
        guard let collection = try? await JWTKeyCollection().add(jwk: jwk), let verifier = try? await collection.getKey(for: id, alg: algorithm.rawValue),
            verifier.name == algorithm.rawValue
        else { return nil }
        return verifier
    }
}

private struct Document: Decodable {
    let keys: [Lenient]

    /// One that is not as it should be does not spoil the others.
    struct Lenient: Decodable {
        let key: WrittenKey?

        init(from decoder: any Decoder) throws {
            key = try? WrittenKey(from: decoder)
        }
    }
}

/// A key as it is written (RFC 7517, section 4; RFC 7518, section 6), its public members alone.
private struct WrittenKey: Decodable {
    let kty: String
    let use: String?
    let key_ops: [String]?
    let alg: String?
    let kid: String?
    let crv: String?
    let n: String?
    let e: String?
    let x: String?
    let y: String?

    /// What signatures it may verify; none where it is for something else.
    var algorithms: [SigningAlgorithm] {
        guard use == nil || use == "sig", key_ops?.contains("verify") != false else { return [] }
        let possible: [SigningAlgorithm]
        switch (kty, crv) {
        // 8,192 bits: a larger one only costs whoever verifies.
        case ("RSA", _): possible = (n?.utf8.count ?? 0) <= 1400 ? [.rs256, .rs384, .rs512, .ps256, .ps384, .ps512] : []
        case ("EC", "P-256"): possible = [.es256]
        case ("EC", "P-384"): possible = [.es384]
        case ("EC", "P-521"): possible = [.es512]
        case ("OKP", "Ed25519"): possible = [.edDSA]
        default: possible = []
        }
        guard let alg else { return possible }
        // RFC 9864 names the curve.
        return possible.filter { $0.rawValue == alg || $0 == .edDSA && alg == "Ed25519" }
    }
}
