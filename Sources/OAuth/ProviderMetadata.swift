// What an authorization server says of itself (RFC 8414; OpenID Connect Discovery 1.0).

internal import FoundationEssentials

package struct ProviderMetadata: Equatable, Sendable {
    package let issuer: ServiceURL
    package let authorizationEndpoint: ServiceURL?
    package let tokenEndpoint: ServiceURL?
    package let registrationEndpoint: ServiceURL?
    package let revocationEndpoint: ServiceURL?
    /// `jwks_uri`: the keys that its tokens are signed with.
    package let keySet: ServiceURL?
    package let userInfoEndpoint: ServiceURL?
    package let scopes: [String]?
    /// `token_endpoint_auth_methods_supported`; `client_secret_basic` where nothing is said.
    package let authenticationMethods: [String]
    package let grantTypes: [String]?
    /// Whether PKCE with S256 is offered (RFC 7636); without a word of it, it is not.
    package let offersS256: Bool
    /// Whether the answer of the authorization endpoint names the issuer (RFC 9207).
    package let answersWithIssuer: Bool
    /// Whether a client may be named by the URL of its metadata.
    package let takesClientMetadataDocument: Bool

    /// What the configuration says instead of a document. Then PKCE is the operator's word.
    package init(
        issuer: ServiceURL, authorizationEndpoint: ServiceURL?, tokenEndpoint: ServiceURL?, revocationEndpoint: ServiceURL?
    ) {
        self.issuer = issuer
        self.authorizationEndpoint = authorizationEndpoint
        self.tokenEndpoint = tokenEndpoint
        self.revocationEndpoint = revocationEndpoint
        registrationEndpoint = nil
        keySet = nil
        userInfoEndpoint = nil
        scopes = nil
        authenticationMethods = ["client_secret_basic"]
        grantTypes = nil
        offersS256 = true
        answersWithIssuer = false
        takesClientMetadataDocument = false
    }

    private init(_ other: ProviderMetadata, authorizationEndpoint: ServiceURL?, tokenEndpoint: ServiceURL?, revocationEndpoint: ServiceURL?) {
        issuer = other.issuer
        self.authorizationEndpoint = authorizationEndpoint ?? other.authorizationEndpoint
        self.tokenEndpoint = tokenEndpoint ?? other.tokenEndpoint
        self.revocationEndpoint = revocationEndpoint ?? other.revocationEndpoint
        registrationEndpoint = other.registrationEndpoint
        keySet = other.keySet
        userInfoEndpoint = other.userInfoEndpoint
        scopes = other.scopes
        authenticationMethods = other.authenticationMethods
        grantTypes = other.grantTypes
        offersS256 = other.offersS256
        answersWithIssuer = other.answersWithIssuer
        takesClientMetadataDocument = other.takesClientMetadataDocument
    }

    /// With those endpoints in place of the document's.
    package func overridden(authorizationEndpoint: ServiceURL?, tokenEndpoint: ServiceURL?, revocationEndpoint: ServiceURL?) -> ProviderMetadata {
        ProviderMetadata(
            self, authorizationEndpoint: authorizationEndpoint, tokenEndpoint: tokenEndpoint, revocationEndpoint: revocationEndpoint)
    }

    private struct Document: Decodable {
        let issuer: String
        let authorization_endpoint: String?
        let token_endpoint: String?
        let registration_endpoint: String?
        let revocation_endpoint: String?
        let jwks_uri: String?
        let userinfo_endpoint: String?
        let scopes_supported: [String]?
        let token_endpoint_auth_methods_supported: [String]?
        let grant_types_supported: [String]?
        let code_challenge_methods_supported: [String]?
        let authorization_response_iss_parameter_supported: Bool?
        let client_id_metadata_document_supported: Bool?
    }

    /// - Parameters:
    ///   - document: JSON, 256 KiB at most.
    ///   - issuer: who was asked: the document's must be equal to the byte (RFC 8414, section 3.3).
    /// - Throws: what is wrong with it, in words.
    package init(_ document: [UInt8], of issuer: ServiceURL) throws(NotUsable) {
        let read: Document
        do {
            read = try JSONDecoder().decode(Document.self, from: Data(document))
        } catch {
            throw NotUsable("is not authorization server metadata")
        }
        guard read.issuer.utf8.elementsEqual(issuer.text.utf8) else { throw NotUsable("names another issuer than \(issuer)") }
        self.issuer = issuer
        authorizationEndpoint = try ProviderMetadata.endpoint(read.authorization_endpoint, "authorization_endpoint", of: issuer)
        tokenEndpoint = try ProviderMetadata.endpoint(read.token_endpoint, "token_endpoint", of: issuer)
        registrationEndpoint = try ProviderMetadata.endpoint(read.registration_endpoint, "registration_endpoint", of: issuer)
        revocationEndpoint = try ProviderMetadata.endpoint(read.revocation_endpoint, "revocation_endpoint", of: issuer)
        // Most who read this have no use for these two: one that is wrong is as one that is missing.
        keySet = try? ProviderMetadata.endpoint(read.jwks_uri, "jwks_uri", of: issuer)
        userInfoEndpoint = try? ProviderMetadata.endpoint(read.userinfo_endpoint, "userinfo_endpoint", of: issuer)
        scopes = read.scopes_supported.map { Scopes.union([], $0.flatMap(Scopes.read)) }
        authenticationMethods = read.token_endpoint_auth_methods_supported ?? ["client_secret_basic"]
        grantTypes = read.grant_types_supported
        offersS256 = read.code_challenge_methods_supported?.contains("S256") ?? false
        answersWithIssuer = read.authorization_response_iss_parameter_supported ?? false
        takesClientMetadataDocument = read.client_id_metadata_document_supported ?? false
    }

    private static func endpoint(_ text: String?, _ name: String, of issuer: ServiceURL) throws(NotUsable) -> ServiceURL? {
        guard let text else { return nil }
        let url: ServiceURL
        do { url = try ServiceURL(text) } catch { throw NotUsable("has a \(name) that \(error)") }
        guard issuer.mayLead(to: url) else { throw NotUsable("has a \(name) that is http, and itself https") }
        return url
    }
}
