// `servers.*.oauth:` read: how a server's tokens are had.

internal import Gateway
internal import Kernel
internal import TLS

struct OAuthReader {
    let reading: Reading
    /// Of the server.
    let server: Section

    /// - Parameters:
    ///   - auth: the server's; nil where it is wrong, which is reported.
    ///   - url: the server's; nil where it is wrong, which is reported.
    /// - Returns: nil exactly where tokens do not come by OAuth, or the section is none.
    func read(_ auth: String?, url address: WebURL?) -> OAuthSettings? {
        if let auth, auth != "oauth", server.has("oauth") {
            reading.error(server.position(of: "oauth"), "`oauth` needs `auth: oauth`; this server has `auth: \(auth)`")
        }
        guard auth == "oauth" else { return nil }
        if let address, address.origin.scheme == .http, !address.host.isLoopback {
            reading.error(server.position(of: "auth"), "`auth: oauth` needs `https://`: a token is never sent in the clear (RFC 6750, section 5.3); `http://` is for loopback only")
        }
        guard server.has("oauth") else { return OAuthSettings() }
        guard let section = server.section("oauth") else { return nil }
        let grant = section.choice("grant", OAuthSettings.Grant.self) ?? .authorizationCode
        let authentication = section.choice("authentication", OAuthSettings.Authentication.self) ?? .auto
        checkEndpoints(section, grant)
        checkProof(section, grant, authentication)
        let exchange = exchange(section, grant)
        let assertion = section.section("assertion")
        let audience = assertion?.choice("audience", OAuthSettings.Audience.self) ?? .tokenEndpoint
        if let assertion, audience == .issuer, !section.has("issuer"), section.has("token_endpoint") {
            reading.error(assertion.position(of: "audience"), "`audience: issuer` needs `issuer`: where `token_endpoint` is written out, nobody is asked for it")
        }
        return OAuthSettings(
            grant: grant, issuer: url(section, "issuer"), authorizationEndpoint: url(section, "authorization_endpoint"),
            tokenEndpoint: url(section, "token_endpoint"), revocation: revocation(section), clientID: identifier(section, "client_id"),
            clientSecret: clientSecret(section), privateKey: privateKey(section), authentication: authentication,
            assertionAudience: audience, keyID: assertion.flatMap { identifier($0, "key_id") }, scopes: scopes(section), resource: resource(section),
            requiresProofKey: section.flag("require_pkce") ?? true, exchange: exchange)
    }

    // MARK: What belongs together

    private func checkEndpoints(_ section: Section, _ grant: OAuthSettings.Grant) {
        let has = section.has
        if has("token_exchange"), grant != .tokenExchange {
            reading.error(section.position(of: "token_exchange"), "`token_exchange` needs `grant: token_exchange`; this server has `grant: \(grant.rawValue)`")
        }
        switch grant {
        case .clientCredentials:
            for key in ["authorization_endpoint", "require_pkce", "revocation_endpoint"] where has(key) {
                let why = key == "revocation_endpoint" ? "there is no grant to give back" : "nobody is sent anywhere"
                reading.error(section.position(of: key), "`\(key)` has no meaning with `grant: client_credentials`, where \(why); take it out")
            }
        case .authorizationCode, .tokenExchange:
            // A code that is given at one provider must not be spent wherever the server says.
            if has("authorization_endpoint"), !has("token_endpoint"), !has("issuer") {
                reading.error(section.position(of: "authorization_endpoint"), "`authorization_endpoint` needs `token_endpoint` beside it, or `issuer`: a code is spent where it belongs")
            }
            if has("token_endpoint"), !has("authorization_endpoint"), !has("issuer") {
                reading.error(section.position(of: "token_endpoint"), "`token_endpoint` needs `authorization_endpoint` beside it, or `issuer`: people agree where their code is spent")
            }
        }
        if grant == .tokenExchange, !has("issuer"), !has("token_endpoint") {
            reading.error(section.position(of: "grant"), "`grant: token_exchange` needs `issuer`: at whom people connect, and their tokens are exchanged")
        }
    }

    private func checkProof(_ section: Section, _ grant: OAuthSettings.Grant, _ authentication: OAuthSettings.Authentication) {
        let hasSecret = section.has("client_secret")
        let hasKey = section.has("private_key")
        func wrong(_ key: String, _ message: String) { reading.error(section.position(of: key), message) }
        switch authentication {
        case .auto where hasKey, .none where hasKey, .basic where hasKey, .post where hasKey:
            wrong("private_key", "`private_key` needs `authentication: private_key_jwt`")
        case .auto: break
        case .none:
            if hasSecret { wrong("client_secret", "`client_secret` is not used with `authentication: none`; take one of them out") }
        case .basic, .post:
            if !hasSecret { wrong("authentication", "`authentication: \(authentication.rawValue)` needs `client_id` and `client_secret`") }
        case .privateKeyJWT:
            if hasSecret { wrong("client_secret", "`client_secret` is not used with `authentication: private_key_jwt`; take it out") }
            if !hasKey { wrong("authentication", "`authentication: private_key_jwt` needs `client_id` and `private_key`") }
        }
        if section.has("assertion"), authentication != .privateKeyJWT { wrong("assertion", "`assertion` needs `authentication: private_key_jwt`") }
        if !section.has("client_id") {
            for key in ["client_secret", "private_key"] where section.has(key) { wrong(key, "`\(key)` needs the `client_id` that it belongs to") }
            if grant == .clientCredentials { wrong("grant", "`grant: client_credentials` needs a `client_id`, with `client_secret` or `private_key`") }
        } else if grant == .clientCredentials, !hasSecret, !hasKey {
            wrong("grant", "`grant: client_credentials` needs `client_secret` or `private_key`: the client itself is the one who asks")
        }
        if hasSecret, !section.has("issuer"), !section.has("token_endpoint") {
            reading.warning(section.position(of: "client_secret"), "the server says who is shown this secret; write `issuer`, so that it goes nowhere else")
        }
    }

    // MARK: Values

    private func url(_ section: Section, _ key: String) -> String? { section.endpoint(key) }

    private func revocation(_ section: Section) -> OAuthSettings.Revocation {
        guard let scalar = section.line("revocation_endpoint") else { return .auto }
        switch scalar.text {
        case "auto": return .auto
        case "none": return .none
        default: return section.endpoint("revocation_endpoint", scalar).map(OAuthSettings.Revocation.endpoint) ?? .auto
        }
    }

    private func identifier(_ section: Section, _ key: String) -> String? { section.identifier(key) }

    private func clientSecret(_ section: Section) -> Secret? { section.clientSecret("client_secret") }

    /// Whether it can sign is known now, not when the first token is asked for.
    private func privateKey(_ section: Section) -> Secret? {
        guard let secret = section.secret("private_key") else { return nil }
        do {
            _ = try SigningKey(pem: secret.bytes)
            return secret
        } catch {
            reading.error(section.position(of: "private_key"), "`private_key` \(error.words)")
            return nil
        }
    }

    private func scopes(_ section: Section) -> [String]? {
        guard let written = section.texts("scopes") else { return nil }
        var scopes: [String] = []
        for scalar in written {
            let isToken = scalar.text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
            if scalar.text.utf8.contains(0x20) {
                reading.error(scalar.position, "each scope stands alone in the list, as in `scopes: [repo, read:user]`\(scalar.shown)")
            } else if scalar.text.isEmpty || !isToken {
                reading.error(scalar.position, "a scope is printable ASCII without blanks, `\"` and `\\` (RFC 6749, section 3.3)\(scalar.shown)")
            } else if scopes.contains(scalar.text) {
                reading.error(scalar.position, "the scope \(scalar.text.quoted) stands twice; keep one")
            } else {
                scopes.append(scalar.text)
            }
        }
        return scopes
    }

    /// RFC 8707, section 2: an absolute URI without fragment.
    private func resource(_ section: Section) -> OAuthSettings.Resource {
        guard let scalar = section.line("resource") else { return .auto }
        switch scalar.text {
        case "auto": return .auto
        case "none": return .none
        default: break
        }
        let scheme = scalar.text.utf8.prefix { $0 != UInt8(ascii: ":") }
        let isScheme = scheme.first.map { ($0 | 0x20) &- 97 < 26 } ?? false
        guard isScheme, scheme.count < scalar.text.utf8.count - 1, scalar.text.utf8.count <= 2048,
            scheme.allSatisfy({ ($0 | 0x20) &- 97 < 26 || (48...57).contains($0) || "+-.".utf8.contains($0) }),
            WebURL.isEncoded(scalar.text, { WebURL.isQueryByte($0) || $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "]") })
        else { return section.wrong("resource", scalar) ?? .auto }
        return .uri(scalar.text)
    }
}
