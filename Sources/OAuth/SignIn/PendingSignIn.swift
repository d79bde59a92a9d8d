// One person's way to the company's provider and back: what must fit when he returns.

internal import Gateway
internal import Kernel

/// Why somebody is not signed in. Each is a different thing to do.
package enum SignInFault: Error, Equatable, Sendable {
    /// The answer belongs to no sign-in of this browser: begun elsewhere, too long ago, or finished before.
    case unknown
    /// The person said no, or the provider did; its code, printable and short.
    case declined(String)
    /// The answer is another provider's (RFC 9207).
    case mixedUp
    /// The provider does not say that the address is really the person's.
    case unverified
    /// It says no address, or none that we know.
    case nobody
    /// Its clock and ours do not agree; for the operator.
    case clock(String)
    /// The provider, or its configuration here, does not do; for the operator.
    case provider(String)
    /// Not now.
    case passing(String)
}

/// What is remembered of a sign-in between its two halves.
struct PendingSignIn: Sendable {
    /// What whoever began it knows it by.
    let tag: String
    let provider: ProviderMetadata
    private let endpoint: ServiceURL
    let client: OAuthClient
    let redirectURI: String
    let proofKey = ProofKey()
    /// What the ID token has to repeat: 256 bits.
    let nonce = String(decoding: Base64.url(Secret.random(count: 32).bytes).bytes.copied(), as: UTF8.self)

    /// - Throws: where the provider has no such place, or no way to use the client.
    init(_ settings: OIDCSettings, at provider: ProviderMetadata, redirectURI: String, tag: String) throws(NotUsable) {
        guard provider.tokenEndpoint != nil else { throw NotUsable("\(provider.issuer) names no token endpoint") }
        guard let endpoint = provider.authorizationEndpoint else { throw NotUsable("\(provider.issuer) has no authorization endpoint") }
        // Without a secret nothing but PKCE keeps somebody else from spending the code; with one, the nonce binds it to this sign-in as well.
        guard provider.offersS256 || settings.clientSecret != nil else {
            throw NotUsable("\(provider.issuer) does not offer PKCE with S256: a client there needs a `client_secret`")
        }
        client = try OAuthClient(identifier: settings.clientID, secret: settings.clientSecret, methods: provider.authenticationMethods)
        self.tag = tag
        self.provider = provider
        self.endpoint = endpoint
        self.redirectURI = redirectURI
    }

    /// Where the person is sent (OpenID Connect Core, section 3.1.2.1).
    func url(state: Secret) -> String {
        var query = AuthorizationQuery(client: client.identifier, redirectURI: redirectURI, proofKey: proofKey)
        query.add("scope", "openid email")
        query.add("nonce", nonce)
        query.add("state", state)
        return query.url(at: endpoint)
    }

    /// What the code is exchanged with.
    func exchange(of code: Secret) -> TokenForm {
        var form = TokenForm(grant: "authorization_code")
        form.add("code", code)
        form.add("redirect_uri", redirectURI)
        form.add("code_verifier", proofKey.verifier)
        return form
    }
}
