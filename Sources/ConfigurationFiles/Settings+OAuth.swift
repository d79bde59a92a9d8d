// The keys of `servers.*.oauth:`, declared.

internal import Gateway

extension Setting {
    private static let oauthPath = "servers.*.oauth"
    private static let oauthURL = "an `https://` URL; `http://` on loopback only"

    static let oauth: [Setting] = [
        Setting(oauthPath, .section, "With `auth: oauth`: how tokens are had. What is left out is discovered from the server."),
        Setting(
            "\(oauthPath).grant", .choice(OAuthSettings.Grant.allCases.map(\.rawValue)), default: "authorization_code",
            "Each person agrees in the browser; the gateway itself is the one (for `level: project`); or the person's grant at the issuer is exchanged for the server's token."),
        Setting("\(oauthPath).issuer", .text("\(oauthURL), without query, as the provider writes it to the byte"), "Whose tokens. Without it: whom the server's metadata names."),
        Setting("\(oauthPath).authorization_endpoint", .text(oauthURL), "Where people agree. Without it: as the issuer's metadata says."),
        Setting("\(oauthPath).token_endpoint", .text(oauthURL), "Where tokens are given. Without it: as the issuer's metadata says."),
        Setting(
            "\(oauthPath).revocation_endpoint", .text("`auto`, `none` or \(oauthURL)"), default: "auto",
            "Where a grant is given back when it is disconnected; `auto`: where the issuer's metadata says."),
        Setting(
            "\(oauthPath).client_id", .text("an id of printable ASCII, 1,024 characters at most"),
            "The client there. Without it: the gateway's metadata document where the issuer takes one, else a registration."),
        Setting("\(oauthPath).client_secret", .secret("a secret of printable ASCII"), "The client's secret."),
        Setting("\(oauthPath).private_key", .secret("a private key in PEM: RSA of 2048 bits or more, or P-256"), "With `authentication: private_key_jwt`: what the client signs with."),
        Setting(
            "\(oauthPath).authentication", .choice(OAuthSettings.Authentication.allCases.map(\.rawValue)), default: "auto",
            "How the client proves itself; `auto`: with its secret in the way the issuer takes, or not at all where it has none."),
        Setting("\(oauthPath).assertion", .section, "With `authentication: private_key_jwt`: what stands in the token that the client signs."),
        Setting(
            "\(oauthPath).assertion.audience", .choice(OAuthSettings.Audience.allCases.map(\.rawValue)), default: "token_endpoint",
            "For whom it is: `issuer` where the provider wants its own name there."),
        Setting("\(oauthPath).assertion.key_id", .text("an id of printable ASCII, 1,024 characters at most"), "The key's id at the issuer. Without it: none is named."),
        Setting(
            "\(oauthPath).scopes", .list("scopes such as `read:user`"),
            "What is asked for; `[]` asks for none by name. Without it: with `grant: authorization_code` what the server's challenge or metadata names, else none."),
        Setting(
            "\(oauthPath).resource", .text("`auto`, `none` or an absolute URI without fragment"), default: "auto",
            "For what tokens are asked (RFC 8707); `auto`: the server as its metadata names it; `none` for issuers that refuse the parameter."),
        Setting("\(oauthPath).require_pkce", .flag, default: "true", "Whether an issuer that does not offer PKCE with S256 is refused. A challenge is sent in any case."),
        Setting("\(oauthPath).token_exchange", .section, "With `grant: token_exchange`: what is exchanged, and what is said with it."),
        Setting("\(oauthPath).token_exchange.subject", .choice(["user_grant"]), default: "user_grant", "Whose token is exchanged: the person's own, of the grant at the issuer."),
        Setting("\(oauthPath).token_exchange.parameters", .names("parameters by name"), "What is sent to the token endpoint, in place of the gateway's own or beside it."),
        Setting("\(oauthPath).token_exchange.parameters.*", .text("a line of text, or a list of such"), "One parameter; a list is sent as one for each element."),
    ]
}
