// Connecting a server at its OAuth provider, as the portal needs it; `claviger` joins it.

package import Gateway
package import OAuth

package protocol ConnectDesk: Sendable {
    /// Where the person's browser is to be sent.
    ///
    /// - Parameters:
    ///   - session: the digest of what the browser must show when it comes back.
    ///   - tag: what the portal knows the errand by at its end.
    func begin(_ instance: ServerInstance, user: UserEmail?, session: Secret, tag: String) async throws(ConnectFault) -> String

    /// The browser is back. The grant is in the store, and on record, when this returns.
    ///
    /// - Parameters:
    ///   - server: of the redirect URI: a name under `servers`.
    ///   - mayGoOn: asked before anything is done with the answer; says why not, in a sentence for the person.
    func finish(
        _ answer: AuthorizationAnswer, server: String, session: Secret, mayGoOn: @Sendable (ConnectErrand) async -> String?
    ) async throws(Authorizations.Failed) -> ConnectOutcome

    /// The client's metadata document; nil for a server that there is not.
    func clientDocument(of server: ServerName) -> [UInt8]?
}

package enum ConnectOutcome: Sendable {
    /// With those scopes; in place of an earlier grant or not.
    case connected(ConnectErrand, scopes: [String], isReplacing: Bool)
    /// The browser is to go there once more.
    case again(String)
}
