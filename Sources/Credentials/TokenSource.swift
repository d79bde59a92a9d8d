// What the broker asks where a server's credential is an OAuth bearer. `OAuth` has the tokens; `claviger` joins the two.

package import Gateway
package import Kernel

/// A token that is good now.
package struct BearerToken: Sendable {
    package let value: Secret
    /// Tokens of one credential are told apart by it.
    package let number: Int
    /// Nothing of it is served from then on; nil where nobody said when it ends.
    package let expiry: MonotonicTime?
    /// From when on the source may have another.
    package let refreshFrom: MonotonicTime

    package init(value: Secret, number: Int, expiry: MonotonicTime?, refreshFrom: MonotonicTime) {
        self.value = value
        self.number = number
        self.expiry = expiry
        self.refreshFrom = refreshFrom
    }
}

/// Why there is no token.
package enum TokenFault: Error, Equatable, Sendable {
    /// Nobody has connected it.
    case missing
    /// It was connected, and only connecting it again helps; why.
    case disconnected(String)
    /// Nobody can tell now.
    case unavailable(StoreFault)
}

package protocol TokenSource: Sendable {
    /// A token for what `instance` uses for `user`. It is had once however many ask.
    func token(at instance: ServerInstance, user: UserEmail?) async throws(TokenFault) -> BearerToken

    /// Upstream answered 401 to the token of that number: it is dropped, where none was of late.
    func rejected(_ number: Int, at instance: ServerInstance, user: UserEmail?) async

    /// Upstream answered that the token does not reach far enough.
    ///
    /// - Parameter challenges: the values of its `WWW-Authenticate` fields.
    /// - Returns: what it wants, and whether that is remembered, in words for the log.
    func needsMore(_ challenges: [String], at instance: ServerInstance, user: UserEmail?) async -> String

    /// Deletes the grant durably, and has its provider revoke it as far as that can be done.
    ///
    /// - Returns: nil where there was none; else what came of the revocation, in words.
    func remove(at instance: ServerInstance, user: UserEmail?) async throws(StoreFault) -> String?
}
