// The signed tokens by which a navigator's users are known: whose they are, for whom, and where in them the address is.

package import Kernel
package import TLS

/// `users.token` of a navigator. What is remembered of a token is remembered under one such object: with another configuration it is proven anew.
package final class UserTokenRule: Sendable {
    /// Where the issuer's keys are.
    package enum Keys: Hashable, Sendable {
        /// Where the issuer's own metadata says.
        case discovered
        case url(String)
        /// An absolute path.
        case file(String)
    }

    /// As written: a token's `iss` is compared to the byte.
    package let issuer: String
    /// One of the token's `aud`.
    package let audience: String
    /// The name of the claim that holds the address.
    package let claim: String
    package let keys: Keys
    /// The same for rules that say the same, whatever configuration they are of.
    package let digest: Digest256

    package init(issuer: String, audience: String, claim: String = "email", keys: Keys = .discovered) {
        self.issuer = issuer
        self.audience = audience
        self.claim = claim
        self.keys = keys
        // No part has a line break in it: no two rules read alike.
        digest = Digest256(hashing: "\(issuer)\n\(audience)\n\(claim)\n\(keys)".utf8Span.span.raw)
    }
}

/// Whom a verified token names.
package struct VouchedUser: Sendable {
    package let user: UserEmail
    /// Until when nobody has to verify it again: its own end, and before that the time within which a key that is taken back must be missed.
    package let until: MonotonicTime

    package init(_ user: UserEmail, until: MonotonicTime) {
        self.user = user
        self.until = until
    }
}
