// A grant as the secret store keeps it: what it takes to have tokens again without its person.

package import Gateway
internal import Kernel

/// One flat JSON object of strings under the credential's path with `.grant`. Every refresh that brings another refresh token makes another
/// generation; the highest is the grant.
package struct GrantRecord: Sendable {
    /// What tokens are had with. A provider that gives no refresh token gives access tokens that are the grant themselves.
    package enum Key: Sendable {
        case refreshToken(Secret)
        /// - expires: seconds since 1970; nil where the provider says nothing.
        case accessToken(Secret, expires: Int64?)
        /// Nothing that is kept: the client's own word, or another grant whose tokens are exchanged. Never written.
        case asking
    }

    package let key: Key
    /// To the byte as it was discovered or configured.
    package let issuer: String
    package let client: String
    package let scopes: [String]
    /// From 1.
    package let generation: Int
    /// Of the server that its tokens are sent to, and no other; nil for a grant at an identity provider, whose tokens are exchanged first.
    package let origin: String?
    /// What was asked for tokens of (RFC 8707), and is asked for at every refresh; nil where nothing was named.
    package let resource: String?
    /// How a registered client proves itself, and with what: the grant is that client's, whichever is registered later. Nil for all others.
    package let proof: ClientProof?

    package struct ClientProof: Sendable {
        package let secret: Secret
        /// As RFC 7591, section 2, names it.
        package let method: String

        package init(secret: Secret, method: String) {
            self.secret = secret
            self.method = method
        }
    }

    package init(
        key: Key, issuer: String, client: String, scopes: [String], generation: Int, origin: String?, resource: String?, proof: ClientProof? = nil
    ) {
        self.key = key
        self.issuer = issuer
        self.client = client
        self.scopes = scopes
        self.generation = generation
        self.origin = origin
        self.resource = resource
        self.proof = proof
    }

    /// What stands for a grant where none is kept.
    static let asking = GrantRecord(key: .asking, issuer: "", client: "", scopes: [], generation: 1, origin: nil, resource: nil)

    /// - Throws: what is missing or wrong, in words that follow the reference.
    package init(fields: [String: Secret]) throws(NotUsable) {
        func text(_ name: String) -> String? { fields[name].flatMap { String(validating: $0.bytes.copied(), as: UTF8.self) } }
        guard let issuer = text("issuer"), let client = text("client_id"), let generation = text("generation").flatMap({ Int($0) }), generation > 0 else {
            throw NotUsable("is no grant: issuer, client_id or generation is missing; connect it again")
        }
        if let token = fields["refresh_token"], token.count > 0 {
            key = .refreshToken(token)
        } else if let token = fields["access_token"], token.count > 0 {
            key = .accessToken(token, expires: text("expires_at").flatMap { Int64($0) })
        } else {
            throw NotUsable("is no grant: it has no token; connect it again")
        }
        self.issuer = issuer
        self.client = client
        self.generation = generation
        scopes = text("scope").map(Scopes.read) ?? []
        origin = text("origin")
        resource = text("resource")
        proof = fields["client_secret"].map { ClientProof(secret: $0, method: text("authentication") ?? "client_secret_basic") }
    }

    package var fields: [String: Secret] {
        func secret(_ text: String) -> Secret { Secret(copying: Array(text.utf8).span.raw) }
        var fields = ["issuer": secret(issuer), "client_id": secret(client), "generation": secret(String(generation)), "scope": secret(Scopes.write(scopes))]
        if let origin { fields["origin"] = secret(origin) }
        if let resource { fields["resource"] = secret(resource) }
        if let proof {
            fields["client_secret"] = proof.secret
            fields["authentication"] = secret(proof.method)
        }
        switch key {
        case .refreshToken(let token): fields["refresh_token"] = token
        case .accessToken(let token, let expires):
            fields["access_token"] = token
            if let expires { fields["expires_at"] = secret(String(expires)) }
        case .asking: break
        }
        return fields
    }

    var isKept: Bool {
        if case .asking = key { false } else { true }
    }

    /// Whether it is a grant for what is configured now: for the same origin, with the same issuer and client. No other may be shown its tokens.
    func fits(_ plan: TokenPlan) -> Bool {
        if let issuer = plan.server.settings.writtenIssuer, !issuer.utf8.elementsEqual(self.issuer.utf8) { return false }
        if let client = plan.server.settings.clientID, !client.utf8.elementsEqual(self.client.utf8) { return false }
        return plan.isSubject ? origin == nil : origin == plan.server.url.origin
    }

    /// The same, as another generation: for a person who connected anew.
    package func generation(_ number: Int) -> GrantRecord {
        GrantRecord(
            key: key, issuer: issuer, client: client, scopes: scopes, generation: number, origin: origin, resource: resource, proof: proof)
    }

    /// What follows a refresh: the next generation where the provider gave another refresh token, else this one, which need not be written.
    func after(_ tokens: TokenAnswer.Tokens) -> GrantRecord {
        guard let refresh = tokens.refresh, case .refreshToken(let old) = key, !refresh.isSame(as: old) else { return self }
        return GrantRecord(
            key: .refreshToken(refresh), issuer: issuer, client: client, scopes: tokens.scopes ?? scopes, generation: generation + 1, origin: origin,
            resource: resource, proof: proof)
    }
}
