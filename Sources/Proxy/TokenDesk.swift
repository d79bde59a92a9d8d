// What a worker asks about user tokens that it does not know; `claviger` joins it.

package import Gateway

package protocol TokenDesk: Sendable {
    /// Whom the token names, by that rule.
    ///
    /// - Throws: `unauthenticated` where it proves nothing, `bad_email` where it names nobody, `store_unavailable` where that cannot be said now, and
    ///   `overloaded` where too many wait.
    func user(of token: Secret, by rule: UserTokenRule) async throws(Refusal) -> VouchedUser
}
