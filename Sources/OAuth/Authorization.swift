// One person's way to a provider and back (RFC 6749, section 4.1, with RFC 7636, 8707 and 9207).

package import Gateway
internal import Kernel

/// What a person connects: the grant's place, and what is to become of it.
package struct ConnectErrand: Sendable {
    package let reference: Reference
    package let plan: TokenPlan
    package let project: ProjectName
    /// The server's name in the project.
    package let server: ServerName
    /// For user level.
    package let user: UserEmail?
    /// What whoever began it wants to know it by at its end: 128 bytes at most.
    package let tag: String

    package init(reference: Reference, plan: TokenPlan, project: ProjectName, server: ServerName, user: UserEmail?, tag: String) {
        self.reference = reference
        self.plan = plan
        self.project = project
        self.server = server
        self.user = user
        self.tag = tag
    }
}

/// What is remembered between the two halves. All of it must fit when the person comes back.
package struct PendingAuthorization: Sendable {
    /// For whom and what the grant will be.
    package let errand: ConnectErrand
    package let provider: ProviderMetadata
    package let terms: GrantTerms
    package let proofKey: ProofKey
    package let redirectURI: String
    package let scopes: [String]
    /// Whether the provider had forgotten the client, and this is the second time that the person goes there.
    package let isSecond: Bool

    package init(
        errand: ConnectErrand, provider: ProviderMetadata, terms: GrantTerms, redirectURI: String, scopes: [String], isSecond: Bool = false
    ) {
        self.errand = errand
        self.provider = provider
        self.terms = terms
        self.redirectURI = redirectURI
        self.scopes = scopes
        self.isSecond = isSecond
        proofKey = ProofKey()
    }

    /// The name under `servers`, which the redirect URI ends in.
    package var server: String { errand.plan.server.name }

    /// Where the person is sent.
    ///
    /// - Throws: where the provider has no such place, or no PKCE with S256.
    package func url(state: Secret, requiresProofKey: Bool = true) throws(NotUsable) -> String {
        guard let endpoint = provider.authorizationEndpoint else { throw NotUsable("\(provider.issuer) has no authorization endpoint") }
        guard provider.offersS256 || !requiresProofKey else {
            throw NotUsable("\(provider.issuer) does not offer PKCE with S256; `require_pkce: false` sends people there nevertheless")
        }
        var query = AuthorizationQuery(client: terms.client.identifier, redirectURI: redirectURI, proofKey: proofKey)
        if !scopes.isEmpty { query.add("scope", Scopes.write(scopes)) }
        // Without the person's explicit consent OpenID Connect Core, section 11, has `offline_access` ignored: no refresh token would come.
        if scopes.contains("offline_access") { query.add("prompt", "consent") }
        if let resource = terms.resource { query.add("resource", resource) }
        query.add("state", state)
        return query.url(at: endpoint)
    }

    /// What the code is exchanged with.
    package func exchange(of code: Secret) -> TokenForm {
        var form = TokenForm(grant: "authorization_code")
        form.add("code", code)
        form.add("redirect_uri", redirectURI)
        form.add("code_verifier", proofKey.verifier)
        if let resource = terms.resource { form.add("resource", resource) }
        return form
    }

    /// - Parameter issuer: the answer's `iss`; must be the provider's where it comes, and must come where the provider said it would (RFC 9207, section 2.4).
    package func accepts(issuer: String?) -> Bool {
        guard let issuer else { return !provider.answersWithIssuer }
        return issuer.utf8.elementsEqual(provider.issuer.text.utf8)
    }
}
