// The company's identity provider, as the pages need it; `claviger` joins it.

package import Gateway
package import OAuth

package protocol SignInProvider: Sendable {
    /// Where the person's browser is to be sent.
    ///
    /// - Parameters:
    ///   - session: the digest of what the browser must show when it comes back.
    ///   - tag: what the portal knows the sign-in by at its end.
    func begin(_ settings: OIDCSettings, redirectURI: String, session: Secret, tag: String) async throws(SignInFault) -> String

    /// What began with that state and has not come back yet; nothing is spent by asking.
    func tag(of state: Secret) async -> String?

    /// The browser is back: which sign-in it was, and as whom.
    func finish(_ answer: AuthorizationAnswer, session: Secret, under settings: OIDCSettings?) async throws(SignIns.Failed) -> (tag: String, user: UserEmail)
}

extension SignIns: SignInProvider {}
