// Proof Key for Code Exchange (RFC 7636): a secret that only who began an authorization can show at its end. S256, always.

package import Gateway
internal import Kernel
internal import TLS

package struct ProofKey: Sendable {
    /// 43 characters of base64url: 256 bits.
    package let verifier: Secret
    /// Base64url of the verifier's SHA-256 (section 4.2).
    package let challenge: String

    /// A new one, of the kernel's generator.
    package init() {
        self.init(verifier: Base64.url(Secret.random(count: 32).bytes))
    }

    init(verifier: Secret) {
        self.verifier = verifier
        challenge = String(decoding: Base64.url(Digest256(hashing: verifier.bytes).bytes.span.raw).bytes.copied(), as: UTF8.self)
    }
}
