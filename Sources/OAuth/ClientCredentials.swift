// Tokens for the gateway itself (RFC 6749, section 4.4): nobody is asked, and there is nothing to refresh.

package import Outbound

package struct ClientCredentials: Sendable {
    /// None are named where it is empty: the provider then has its own.
    package let scopes: [String]
    /// RFC 8707; nil where the provider wants none.
    package let resource: String?

    package init(scopes: [String], resource: String?) {
        self.scopes = scopes
        self.resource = resource
    }

    /// Read what comes with `TokenAnswer`; a refresh token in it is none that is needed.
    ///
    /// - Throws: where the client cannot prove itself; a client without proof is nobody.
    package func request(to endpoint: ServiceURL, by client: OAuthClient, limits: OutboundRequest.Limits) throws(NotUsable) -> OutboundRequest {
        if case .none = client.proof { throw NotUsable("the client has neither secret nor key, and client credentials need one") }
        var form = TokenForm(grant: "client_credentials")
        if !scopes.isEmpty { form.add("scope", Scopes.write(scopes)) }
        if let resource { form.add("resource", resource) }
        return try form.request(to: endpoint, by: client, limits: limits)
    }
}
