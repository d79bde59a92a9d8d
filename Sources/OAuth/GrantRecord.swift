// A grant as the secret store keeps it: what it takes to have tokens again without its person.

package import Gateway
internal import Kernel

/// One flat JSON object of strings under the credential's path with `.grant`. Every refresh that brings another refresh token makes another
/// generation; the highest is the grant.
package struct GrantRecord: Sendable {
    /// What tokens are had with. A provider that gives no refresh token gives access tokens that are the grant themselves.
    package enum Key: Sendable {
        case refreshToken(Secret)
        case accessToken(Secret)
    }

    package let key: Key
    /// To the byte as it was discovered or configured.
    package let issuer: String
    package let client: String
    package let scopes: [String]
    /// From 1.
    package let generation: Int

    package init(key: Key, issuer: String, client: String, scopes: [String], generation: Int) {
        self.key = key
        self.issuer = issuer
        self.client = client
        self.scopes = scopes
        self.generation = generation
    }

    /// - Throws: what is missing or wrong, in words that follow the reference.
    package init(fields: [String: Secret]) throws(NotUsable) {
        func text(_ name: String) -> String? { fields[name].flatMap { String(validating: $0.bytes.copied(), as: UTF8.self) } }
        guard let issuer = text("issuer"), let client = text("client_id"), let generation = text("generation").flatMap({ Int($0) }), generation > 0 else {
            throw NotUsable("is no grant: issuer, client_id or generation is missing; connect it again")
        }
        if let token = fields["refresh_token"], token.count > 0 {
            key = .refreshToken(token)
        } else if let token = fields["access_token"], token.count > 0 {
            key = .accessToken(token)
        } else {
            throw NotUsable("is no grant: it has no token; connect it again")
        }
        self.issuer = issuer
        self.client = client
        self.generation = generation
        scopes = text("scope").map(Scopes.read) ?? []
    }

    package var fields: [String: Secret] {
        func secret(_ text: String) -> Secret { Secret(copying: Array(text.utf8).span.raw) }
        var fields = ["issuer": secret(issuer), "client_id": secret(client), "generation": secret(String(generation)), "scope": secret(Scopes.write(scopes))]
        switch key {
        case .refreshToken(let token): fields["refresh_token"] = token
        case .accessToken(let token): fields["access_token"] = token
        }
        return fields
    }

    /// What follows a refresh: the next generation where the provider gave another refresh token, else this one, which need not be written.
    func after(_ tokens: TokenAnswer.Tokens) -> GrantRecord {
        guard let refresh = tokens.refresh, case .refreshToken(let old) = key, !refresh.isSame(as: old) else { return self }
        return GrantRecord(
            key: .refreshToken(refresh), issuer: issuer, client: client, scopes: tokens.scopes ?? scopes, generation: generation + 1)
    }
}
