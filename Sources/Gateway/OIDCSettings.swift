// The company's identity provider, at which people sign in for the pages.

package struct OIDCSettings: Sendable {
    /// As written: its documents and tokens name it to the byte.
    package let issuer: String
    package let clientID: String
    /// Nil for a public client.
    package let clientSecret: Secret?

    package init(issuer: String, clientID: String, clientSecret: Secret?) {
        self.issuer = issuer
        self.clientID = clientID
        self.clientSecret = clientSecret
    }
}
