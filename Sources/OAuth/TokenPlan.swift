// How tokens for a server are had, and with whom: what the keeper is told by those who know configuration and providers.

package import Gateway

/// A server as far as its tokens go.
package struct OAuthServer: Sendable {
    /// Under `servers`.
    package let name: String
    package let title: String
    package let url: ServiceURL
    package let settings: OAuthSettings
    /// Of the server itself: whoever gives its tokens is neither held to it nor shown anything.
    package let tls: UpstreamTLS

    package init(name: String, title: String, url: ServiceURL, settings: OAuthSettings, tls: UpstreamTLS = UpstreamTLS()) {
        self.name = name
        self.title = title
        self.url = url
        self.settings = settings
        self.tls = tls
    }
}

extension OAuthSettings {
    /// Who gives tokens, as far as the configuration says it: where both endpoints are written out without an issuer, their origin stands for it.
    var writtenIssuer: String? {
        issuer ?? (authorizationEndpoint == nil ? nil : tokenEndpoint.flatMap { try? ServiceURL($0) }?.origin)
    }
}

package struct TokenPlan: Sendable {
    package enum Way: Sendable {
        /// A person's grant in the store.
        case grant
        /// The client's own (RFC 6749, section 4.4).
        case clientCredentials
        /// A person's grant at the identity provider, which lies elsewhere in the store; its tokens are exchanged (RFC 8693).
        case exchange(subject: Reference)
    }

    package let server: OAuthServer
    package let way: Way

    package init(_ server: OAuthServer, _ way: Way) {
        self.server = server
        self.way = way
    }

    /// Whether it is a grant whose tokens are exchanged, and sent to no MCP server.
    var isSubject: Bool {
        if case .grant = way { server.settings.grant == .tokenExchange } else { false }
    }
}

/// With whom and how tokens are had, as configured or discovered now.
package struct GrantTerms: Sendable {
    package let tokenEndpoint: ServiceURL
    package let client: OAuthClient
    /// RFC 8707; nil where the provider wants none.
    package let resource: String?
    /// RFC 7009; nil where there is none.
    package let revocationEndpoint: ServiceURL?
    /// Whether the client was registered by this gateway, and may be so anew.
    package let isRegistered: Bool

    package init(tokenEndpoint: ServiceURL, client: OAuthClient, resource: String?, revocationEndpoint: ServiceURL? = nil, isRegistered: Bool = false) {
        self.tokenEndpoint = tokenEndpoint
        self.client = client
        self.resource = resource
        self.revocationEndpoint = revocationEndpoint
        self.isRegistered = isRegistered
    }
}

/// Who knows the terms: configuration, discovery and registration.
package protocol TermsSource: Sendable {
    /// - Parameter record: the grant; nil where none is kept.
    /// - Throws: why tokens cannot be had now, or not as it is configured.
    func terms(for server: OAuthServer, _ record: GrantRecord?) async throws(NoTerms) -> GrantTerms

    /// Registers the client anew in place of `client`, which the provider does not know any more; once, however many ask.
    func renewed(_ client: OAuthClient, for server: OAuthServer, _ record: GrantRecord?) async throws(NoTerms) -> GrantTerms
}

package struct NoTerms: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String
    /// Whether it stays so until somebody changes something.
    package let isLasting: Bool

    package init(_ description: String, isLasting: Bool) {
        self.description = description
        self.isLasting = isLasting
    }
}
