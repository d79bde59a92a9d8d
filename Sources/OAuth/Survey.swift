// What a server and its issuer say of themselves, and what is missing to have tokens: line by line, for whoever runs the gateway.

package import Gateway
internal import Kernel

/// For `claviger check --online`. Says what the configuration leads to; asks nothing that changes anything.
package struct Survey: Equatable, Sendable {
    /// What was found, as `label: words`.
    package private(set) var lines: [String] = []
    /// What keeps tokens from being had, each with its remedy; empty where nothing does.
    package private(set) var missing: [String] = []

    /// What a server said to a request without a token.
    package enum Answer: Equatable, Sendable {
        case answered(status: Int, [Challenge])
        case unanswered(String)

        /// For what follows: a server that cannot be asked says nothing.
        package var challenges: [Challenge] {
            if case .answered(401, let challenges) = self { challenges } else { [] }
        }
    }

    /// The server, as configured.
    package struct Subject: Sendable {
        /// Under `servers`.
        package let name: String
        package let url: ServiceURL
        package let settings: OAuthSettings
        /// `portal.public_url`, without a final slash.
        package let portal: String

        package init(name: String, url: ServiceURL, settings: OAuthSettings, portal: String) {
            self.name = name
            self.url = url
            self.settings = settings
            self.portal = portal
        }

        /// Whether nothing is looked up: where tokens are given, and where people agree, is written out.
        package var isWrittenOut: Bool {
            settings.tokenEndpoint != nil && (settings.authorizationEndpoint != nil || settings.grant == .clientCredentials)
        }

        var sendsPeople: Bool { settings.grant != .clientCredentials }
    }

    /// - Parameter found: what discovery came to; nil where it had nothing to look up (`isWrittenOut`).
    package init(of subject: Subject, answer: Answer, found: Result<Discovery.Found, Discovery.Fault>?) {
        note(answer)
        switch found {
        case nil: noteWrittenOut(subject)
        case .success(let found): note(found, subject)
        case .failure(.unusable(let complaints)):
            for complaint in complaints { lines.append("not usable: \(Survey.shown(complaint))") }
            let endpoints = subject.sendsPeople ? "both `oauth.authorization_endpoint` and `oauth.token_endpoint`" : "`oauth.token_endpoint`"
            if let issuer = subject.settings.issuer {
                missing.append("nothing that can be used is at the issuer \(issuer); see that `oauth.issuer` is right to the byte, a final slash counts, or set \(endpoints)")
            } else {
                missing.append("nobody is found who gives tokens for \(subject.url); set `oauth.issuer`, or \(endpoints)")
            }
        case .failure(.passing(let words)):
            missing.append("\(Survey.shown(words)); it cannot be asked now: try again, or see whether this machine may reach it")
        }
    }

    // MARK: The server

    private mutating func note(_ answer: Answer) {
        switch answer {
        case .unanswered(let words): lines.append("challenge: the server cannot be asked: \(words)")
        case .answered(401, let challenges):
            guard let bearer = challenges.first(where: { $0.scheme == "bearer" }) else {
                lines.append("challenge: 401 without one for a bearer token\(challenges.isEmpty ? "" : ", but for \(challenges.map(\.scheme).joined(separator: ", "))")")
                return
            }
            var words = "Bearer"
            if let place = Challenge.resourceMetadata(in: [bearer]) { words += ", metadata at \(Survey.shown(place))" }
            if let scopes = Challenge.scopes(in: [bearer]) { words += ", scopes \(Survey.list(scopes))" }
            lines.append("challenge: \(words)")
        case .answered(let status, _) where status < 300: lines.append("challenge: none; the server answered \(status) without a token: does it need one?")
        case .answered(let status, _): lines.append("challenge: none; the server answered \(status)")
        }
    }

    // MARK: The issuer

    private mutating func noteWrittenOut(_ subject: Subject) {
        let settings = subject.settings
        lines.append("issuer: \(settings.issuer ?? "not named"); no document is read, the endpoints are configured")
        if let endpoint = settings.authorizationEndpoint, subject.sendsPeople { lines.append("authorization endpoint: \(endpoint)") }
        if let endpoint = settings.tokenEndpoint { lines.append("token endpoint: \(endpoint)") }
        noteRevocation(settings, nil)
        if subject.sendsPeople { lines.append("PKCE: S256 is sent, and taken for offered") }
        if let client = settings.clientID {
            lines.append("client: `\(Survey.shown(client))`, \(Survey.proof(settings, methods: nil))")
        } else {
            missing.append("nobody is asked for a client where the endpoints are configured; set `oauth.client_id`")
        }
        noteRedirect(subject)
        noteScopes(settings.scopes, "configured", offersOffline: false, subject)
        noteResource(subject, nil)
    }

    private mutating func note(_ found: Discovery.Found, _ subject: Subject) {
        let (provider, settings) = (found.provider, subject.settings)
        lines.append("issuer: \(provider.issuer), \(settings.issuer == nil ? "as the server names it" : "as configured")")
        if subject.sendsPeople { noteAuthorization(provider, settings) }
        if let endpoint = settings.tokenEndpoint ?? provider.tokenEndpoint?.text {
            lines.append("token endpoint: \(endpoint)\(settings.tokenEndpoint == nil ? "" : ", as configured")")
        } else {
            missing.append("\(provider.issuer) names no token endpoint; set `oauth.token_endpoint`")
        }
        noteRevocation(settings, provider)
        noteClient(provider, subject)
        noteRedirect(subject)
        noteGrant(provider, settings)
        let source = settings.scopes == nil ? "as the server names them" : "configured"
        noteScopes(settings.scopes ?? (settings.grant == .authorizationCode ? found.scopes : nil), source, offersOffline: provider.scopes?.contains("offline_access") == true, subject)
        noteResource(subject, found)
    }

    private mutating func noteAuthorization(_ provider: ProviderMetadata, _ settings: OAuthSettings) {
        if let endpoint = settings.authorizationEndpoint ?? provider.authorizationEndpoint?.text {
            lines.append("authorization endpoint: \(endpoint)\(settings.authorizationEndpoint == nil ? "" : ", as configured")")
        } else {
            missing.append("\(provider.issuer) names no authorization endpoint; set `oauth.authorization_endpoint`")
        }
        if provider.offersS256 {
            lines.append("PKCE: S256")
        } else if settings.requiresProofKey {
            missing.append("\(provider.issuer) does not say that it takes PKCE with S256; where you know that it may be used without, set `oauth.require_pkce: false`")
        } else {
            lines.append("PKCE: S256 is sent, and not offered; `require_pkce: false` goes there nevertheless")
        }
        lines.append("issuer in answers: \(provider.answersWithIssuer ? "announced, and demanded" : "not announced")")
    }

    private mutating func noteRevocation(_ settings: OAuthSettings, _ provider: ProviderMetadata?) {
        let onlyHere = "a grant that is disconnected is deleted here only"
        switch settings.revocation {
        case .none: lines.append("revocation endpoint: none, as configured; \(onlyHere)")
        case .endpoint(let endpoint): lines.append("revocation endpoint: \(endpoint), as configured")
        case .auto: lines.append("revocation endpoint: \(provider?.revocationEndpoint?.text ?? "none; \(onlyHere)")")
        }
    }

    // MARK: The client

    private mutating func noteClient(_ provider: ProviderMetadata, _ subject: Subject) {
        let settings = subject.settings
        if let client = settings.clientID {
            lines.append("client: `\(Survey.shown(client))`, \(Survey.proof(settings, methods: provider.authenticationMethods))")
            guard settings.authentication == .auto, let secret = settings.clientSecret else { return }
            do { _ = try OAuthClient(identifier: client, secret: secret, methods: provider.authenticationMethods) } catch {
                missing.append("\(provider.issuer) \(error); set `oauth.authentication`")
            }
            return
        }
        let document = "\(subject.portal)/.well-known/oauth-client/\(subject.name).json"
        if provider.takesClientMetadataDocument, subject.portal.hasPrefix("https://") || !provider.issuer.isEncrypted {
            lines.append("client: the metadata document \(document), which the issuer must be able to read")
        } else if let endpoint = provider.registrationEndpoint {
            lines.append("client: is registered at \(endpoint) when the first person connects")
            if provider.takesClientMetadataDocument { lines.append("client: a metadata document would do as well, with a `portal.public_url` of https") }
        } else {
            missing.append("\(provider.issuer) registers no clients and reads no client metadata; register one there\(subject.sendsPeople ? " with the redirect URI \(subject.redirectURI)" : ""), and set `oauth.client_id`")
        }
    }

    private static func proof(_ settings: OAuthSettings, methods: [String]?) -> String {
        let (words, method): (String, String?)
        switch settings.authentication {
        case .auto where settings.clientSecret == nil, .none: (words, method) = ("without a proof of its own", "none")
        case .auto: (words, method) = ("with its secret", nil)
        case .basic: (words, method) = ("with its secret, by basic", "client_secret_basic")
        case .post: (words, method) = ("with its secret, by post", "client_secret_post")
        case .privateKeyJWT: (words, method) = ("by signing", "private_key_jwt")
        }
        guard let method, let methods, !methods.contains(method) else { return words }
        return "\(words); the issuer lists \(list(methods)) only"
    }

    private mutating func noteRedirect(_ subject: Subject) {
        guard subject.sendsPeople else { return }
        lines.append("redirect URI: \(subject.redirectURI)")
    }

    // MARK: What is asked for

    private mutating func noteGrant(_ provider: ProviderMetadata, _ settings: OAuthSettings) {
        let needed =
            switch settings.grant {
            case .authorizationCode: "authorization_code"
            case .clientCredentials: "client_credentials"
            case .tokenExchange: settings.exchange?.parameters.first { $0.name == "grant_type" }?.value ?? "urn:ietf:params:oauth:grant-type:token-exchange"
            }
        guard let listed = provider.grantTypes, !listed.contains(needed) else { return }
        lines.append("grant: `\(Survey.shown(needed))` is not among those that the issuer lists: \(Survey.list(listed))")
    }

    private mutating func noteScopes(_ scopes: [String]?, _ source: String, offersOffline: Bool, _ subject: Subject) {
        let named = scopes.map { $0.isEmpty ? "none by name" : "\(Survey.list($0)), \(source)" } ?? "none by name"
        lines.append("scopes: \(named)\(offersOffline && subject.sendsPeople ? "; offline_access is offered, and asked for" : "")")
    }

    private mutating func noteResource(_ subject: Subject, _ found: Discovery.Found?) {
        switch subject.settings.resource {
        case .none: lines.append("resource: not sent, as configured")
        case .uri(let uri): lines.append("resource: \(uri), as configured")
        case .auto: lines.append("resource: \(found?.resource ?? subject.url.text)")
        }
    }

    // MARK: Words

    /// What another side said, for a terminal: printable, 400 bytes at most.
    private static func shown(_ text: String) -> String {
        String(decoding: text.utf8.prefix(400).map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }

    private static func list(_ texts: [String]) -> String {
        guard !texts.isEmpty else { return "none" }
        let first = texts.prefix(20).map(shown).joined(separator: " ")
        return texts.count > 20 ? "\(first) and \(texts.count - 20) more" : first
    }
}

extension Survey.Subject {
    var redirectURI: String { "\(portal)/connect/callback/\(name)" }
}
