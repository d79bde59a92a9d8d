// How a server's tokens are had, as the configuration says it.

/// How tokens for a server are had. What is nil is discovered.
package struct OAuthSettings: Sendable {
    package enum Grant: String, Sendable, CaseIterable {
        case authorizationCode = "authorization_code"
        case clientCredentials = "client_credentials"
        case tokenExchange = "token_exchange"
    }

    /// How the client proves itself at the token endpoint.
    package enum Authentication: String, Sendable, CaseIterable {
        /// With the secret where there is one, in the way the provider takes; else as a public client.
        case auto
        case none, basic, post
        case privateKeyJWT = "private_key_jwt"
    }

    /// For whom the proof of `privateKeyJWT` is.
    package enum Audience: String, Sendable, CaseIterable {
        case tokenEndpoint = "token_endpoint"
        case issuer
    }

    /// What tokens are asked for (RFC 8707).
    package enum Resource: Equatable, Sendable {
        /// As the server's own metadata names it, else its URL.
        case auto
        /// The parameter is not sent.
        case none
        case uri(String)
    }

    package enum Revocation: Equatable, Sendable {
        /// Where the provider's metadata names an endpoint.
        case auto
        case none
        case endpoint(String)
    }

    /// The user's grant at the provider, exchanged for the server's token (RFC 8693).
    package struct Exchange: Sendable {
        /// In the order of the file. One that the gateway would send itself (`grant_type`, `subject_token_type`, …) stands in place of it.
        package let parameters: [(name: String, value: String)]

        package init(parameters: [(name: String, value: String)] = []) {
            self.parameters = parameters
        }
    }

    package let grant: Grant
    /// As written: it is compared to the byte.
    package let issuer: String?
    package let authorizationEndpoint: String?
    package let tokenEndpoint: String?
    package let revocation: Revocation
    package let clientID: String?
    package let clientSecret: Secret?
    /// PEM.
    package let privateKey: Secret?
    package let authentication: Authentication
    package let assertionAudience: Audience
    /// Of the private key at the provider.
    package let keyID: String?
    /// Tokens of RFC 6749, section 3.3, each once.
    package let scopes: [String]?
    package let resource: Resource
    /// Whether a provider that does not offer PKCE with S256 is refused.
    package let requiresProofKey: Bool
    /// Not nil exactly where `grant` is `tokenExchange`.
    package let exchange: Exchange?

    package init(
        grant: Grant = .authorizationCode, issuer: String? = nil, authorizationEndpoint: String? = nil, tokenEndpoint: String? = nil,
        revocation: Revocation = .auto, clientID: String? = nil, clientSecret: Secret? = nil, privateKey: Secret? = nil,
        authentication: Authentication = .auto, assertionAudience: Audience = .tokenEndpoint, keyID: String? = nil, scopes: [String]? = nil, resource: Resource = .auto, requiresProofKey: Bool = true,
        exchange: Exchange? = nil
    ) {
        self.grant = grant
        self.issuer = issuer
        self.authorizationEndpoint = authorizationEndpoint
        self.tokenEndpoint = tokenEndpoint
        self.revocation = revocation
        self.clientID = clientID
        self.clientSecret = clientSecret
        self.privateKey = privateKey
        self.authentication = authentication
        self.assertionAudience = assertionAudience
        self.keyID = keyID
        self.scopes = scopes
        self.resource = resource
        self.requiresProofKey = requiresProofKey
        self.exchange = exchange
    }

    /// How a token enters a request: in this field only, never in a query (MCP's authorization; RFC 6750, section 2.1).
    package static let injector = Injector.header([
        ("Authorization", Template(parts: [.literal("Bearer "), .field(.accessToken)]))
    ])
}
