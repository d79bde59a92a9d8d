// A client that proves itself by signing: `private_key_jwt` (RFC 7521, 7523; OpenID Connect Core, section 9).

internal import FoundationEssentials
package import Gateway
internal import Kernel
package import TLS

/// What it takes to sign a proof for each request: every one is fresh, names one audience, and is good for a minute.
package struct ClientAssertion: Sendable {
    private let key: SigningKey
    private let keyID: String?
    private let audience: String?
    private let clock: @Sendable () -> Int64

    /// How long a proof is good, in seconds.
    static let life: Int64 = 60

    /// - Parameters:
    ///   - keyID: the key's id at the provider; nil where it has but one.
    ///   - audience: the issuer, where the provider wants its own name; nil for the endpoint that is asked.
    ///   - clock: seconds since 1970: the other side has no other clock to compare with.
    package init(key: SigningKey, keyID: String? = nil, audience: String? = nil, clock: @escaping @Sendable () -> Int64) {
        self.key = key
        self.keyID = keyID
        self.audience = audience
        self.clock = clock
    }

    /// - Parameter privateKey: in PEM.
    /// - Throws: what is wrong with the key.
    package init(privateKey: Secret, keyID: String? = nil, audience: String? = nil, clock: @escaping @Sendable () -> Int64) throws(NotUsable) {
        do {
            self.init(key: try SigningKey(pem: privateKey.bytes), keyID: keyID, audience: audience, clock: clock)
        } catch {
            throw NotUsable("the private key \(error.words)")
        }
    }

    private struct Header: Encodable {
        let alg: String
        let kid: String?
        let typ = "JWT"
    }

    private struct Claims: Encodable {
        let aud: String
        let exp: Int64
        let iat: Int64
        let iss: String
        let jti: String
        let sub: String
    }

    /// The form's `client_assertion`.
    ///
    /// - Parameter id: 128 bits and more, never used twice.
    /// - Throws: where OpenSSL does not sign.
    func token(for client: String, at endpoint: ServiceURL, id: Secret = Secret.random(count: 16)) throws(NotUsable) -> Secret {
        let now = clock()
        let claims = Claims(
            aud: audience ?? endpoint.text, exp: now + ClientAssertion.life, iat: now, iss: client,
            jti: String(decoding: Base64.url(id.bytes).bytes.copied(), as: UTF8.self), sub: client)
        let header = try ClientAssertion.encoded(Header(alg: key.algorithm.rawValue, kid: keyID))
        let payload = try ClientAssertion.encoded(claims)
        var token = LockedBuffer(capacity: 1024)
        token.append(header.bytes)
        token.append(byte: UInt8(ascii: "."))
        token.append(payload.bytes)
        let signature: [UInt8]
        do { signature = try key.sign(token.bytes) } catch { throw NotUsable("the private key \(error.words)") }
        let proof = Base64.url(signature.span.raw)
        token.append(byte: UInt8(ascii: "."))
        token.append(proof.bytes)
        return Secret(token)
    }

    private static func encoded(_ part: some Encodable) throws(NotUsable) -> Secret {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Base64.url(Array(try encoder.encode(part)).span.raw)
        } catch {
            throw NotUsable("the client's proof cannot be written as JSON")
        }
    }
}
