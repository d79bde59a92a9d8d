// What an issuer of user tokens, or the provider that people sign in at, says of itself, and what is missing: for whoever runs the gateway.

package import Gateway

/// For `claviger check --online`. Asks for nothing but documents.
package struct IssuerSurvey: Equatable, Sendable {
    /// What was found, as `label: words`.
    package private(set) var lines: [String] = []
    /// What keeps it from doing, each with its remedy; empty where nothing does.
    package private(set) var missing: [String] = []

    /// Of user tokens.
    package init(of rule: UserTokenRule, by fetcher: KeyFetcher) async {
        lines.append("issuer: \(rule.issuer), for \(rule.audience), address in \(rule.claim)")
        await ask(KeyPlace(rule), fetcher)
    }

    /// - Parameter redirectURI: by which people come back.
    package init(of settings: OIDCSettings, redirectURI: String, by fetcher: KeyFetcher) async {
        do throws(NoKeys) {
            let provider = try await fetcher.provider(of: settings.issuer)
            note(provider, settings)
        } catch {
            missing.append(error.isLasting ? "\(error); see that `issuer` is right to the byte, a final slash counts" : "\(error): it cannot be asked now")
            return
        }
        lines.append("redirect URI: \(redirectURI), to be registered there")
        await ask(KeyPlace(issuer: settings.issuer), fetcher)
    }

    private mutating func note(_ provider: ProviderMetadata, _ settings: OIDCSettings) {
        lines.append("issuer: \(provider.issuer)\(provider.answersWithIssuer ? ", which its answers name" : "")")
        for (name, endpoint) in [("authorization", provider.authorizationEndpoint), ("token", provider.tokenEndpoint)] {
            if let endpoint { lines.append("\(name) endpoint: \(endpoint)") } else { missing.append("\(provider.issuer) names no \(name) endpoint: nobody can sign in there") }
        }
        switch (provider.offersS256, settings.clientSecret) {
        case (true, _): lines.append("PKCE: S256")
        case (false, .some): lines.append("PKCE: not announced; it is used all the same, and the nonce binds the answer")
        case (false, nil): missing.append("PKCE with S256 is not offered: without it a client needs a `client_secret`")
        }
        do {
            let client = try OAuthClient(identifier: settings.clientID, secret: settings.clientSecret, methods: provider.authenticationMethods)
            let proof =
                switch client.proof {
                case .none: "public, without a secret"
                case .basic: "with its secret, by client_secret_basic"
                case .post: "with its secret, by client_secret_post"
                case .assertion: "with a key"
                }
            lines.append("client: \(settings.clientID), \(proof)")
        } catch {
            missing.append("the token endpoint \(error)")
        }
    }

    private mutating func ask(_ place: KeyPlace, _ fetcher: KeyFetcher) async {
        do throws(NoKeys) {
            let keys = try await fetcher.keys(at: place).keys
            lines.append("keys: \(keys.count), for \(keys.algorithms.joined(separator: " "))")
        } catch {
            missing.append("its keys: \(error)\(error.isLasting ? "" : ": it cannot be asked now")")
        }
    }
}
