// Who gives tokens for a server, and as which client they are asked: from the configuration, else found out, else registered.

package import EventLoop
package import Gateway
internal import Kernel
package import Outbound

/// Where registered clients are kept: the secret store, for they have secrets.
package protocol ClientStore: Sendable {
    /// The fields that were written; nil where there are none.
    func read(_ reference: Reference) async throws(GrantStoreFault) -> [String: Secret]?
    func write(_ fields: [String: Secret], to reference: Reference) async throws(GrantStoreFault)
}

/// Runs on a loop of its own, which it may share with the keeper.
package actor Providers: TermsSource {
    private nonisolated let loop: EventLoop
    let discovery: Discovery
    /// Checks where it sends to.
    let client: any HTTPClient
    /// Sends to the servers that the configuration names.
    private let direct: any HTTPClient
    let clients: any ClientStore
    let prefix: String
    let wallClock: @Sendable () -> Int64
    /// `portal.public_url` without a final slash.
    package nonisolated var portal: String {
        let url = portalURL()
        return url.utf8.last == UInt8(ascii: "/") ? String(url.dropLast()) : url
    }
    private nonisolated let portalURL: @Sendable () -> String

    /// Registered clients by where they are kept, once read or made.
    var registered: [Reference: RegisteredClient] = [:]
    var registering: [Reference: Task<Result<RegisteredClient, NoTerms>, Never>] = [:]

    /// What a person is sent to a provider with.
    package struct Connection: Sendable {
        package let provider: ProviderMetadata
        package let terms: GrantTerms
        package let scopes: [String]
    }

    /// - Parameters:
    ///   - client: for what was discovered; checks addresses.
    ///   - direct: for the servers themselves, which the configuration names.
    ///   - prefix: of references.
    ///   - portal: `portal.public_url`, looked at anew whenever it is told to somebody.
    package init(
        on loop: EventLoop, discovery: Discovery, client: any HTTPClient, direct: any HTTPClient, clients: any ClientStore, prefix: String,
        portal: @autoclosure @escaping @Sendable () -> String,
        wallClock: @escaping @Sendable () -> Int64
    ) {
        self.loop = loop
        self.discovery = discovery
        self.client = client
        self.direct = direct
        self.clients = clients
        self.prefix = prefix
        self.wallClock = wallClock
        portalURL = portal
    }

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.serial }

    // MARK: Connecting

    /// - Parameters:
    ///   - isSubject: whether the grant is one at the identity provider, whose tokens are exchanged for the server's.
    ///   - wanted: scopes that the server has asked for since.
    package func connection(for server: OAuthServer, isSubject: Bool, wanted: [String]) async throws(NoTerms) -> Connection {
        let (provider, found) = try await find(server, isConnecting: true)
        guard provider.tokenEndpoint != nil else { throw NoTerms("\(provider.issuer) names no token endpoint; set `oauth.token_endpoint`", isLasting: true) }
        let scopes = scopes(server, provider, found, isSubject: isSubject, wanted: wanted)
        let (client, isRegistered) = try await self.client(of: server, at: provider, scopes: scopes)
        let terms = try terms(server, provider, client, isRegistered, resource: isSubject ? nil : resource(server, found))
        return Connection(provider: provider, terms: terms, scopes: scopes)
    }

    /// What the configuration says; what it does not say is discovered.
    ///
    /// - Parameter isConnecting: whether a person waits for it. Where none does and the issuer is configured, the server need not be asked for it.
    private func find(_ server: OAuthServer, isConnecting: Bool = false) async throws(NoTerms) -> (ProviderMetadata, Discovery.Found?) {
        let settings = server.settings
        let authorization = try url(settings.authorizationEndpoint, "authorization_endpoint")
        let token = try url(settings.tokenEndpoint, "token_endpoint")
        let revocation = try self.revocation(settings)
        let issuer = try url(settings.issuer, "issuer")
        if let token, authorization != nil || settings.grant == .clientCredentials {
            let named = if let issuer { Optional(issuer) } else { try url(token.origin, "token_endpoint") }
            guard let named else { throw NoTerms("no issuer can be told from \(token)", isLasting: true) }
            let provider = ProviderMetadata(
                issuer: named, authorizationEndpoint: authorization, tokenEndpoint: token, revocationEndpoint: revocation)
            return (provider, nil)
        }
        do throws(Discovery.Fault) {
            let challenges = isConnecting || issuer == nil ? await challenges(of: server) : []
            let found = try await discovery.find(server.url, tls: server.tls, challenges: challenges, issuer: issuer)
            let provider = found.provider.overridden(authorizationEndpoint: authorization, tokenEndpoint: token, revocationEndpoint: revocation)
            return (provider, found)
        } catch {
            throw NoTerms(error)
        }
    }

    /// What the server says to a request without a token. One that cannot be asked says nothing: its metadata may be found all the same.
    package func challenges(of server: OAuthServer) async -> [Challenge] {
        let request = Surveyor.request(without: server.url, server.tls)
        guard let response = try? await direct.send(request), response.status == 401 else { return [] }
        return Challenge.read(response.fields.filter { $0.name == "www-authenticate" }.map(\.value))
    }

    private func resource(_ server: OAuthServer, _ found: Discovery.Found?) -> String? {
        switch server.settings.resource {
        case .none: nil
        case .uri(let text): text
        case .auto: found?.resource ?? server.url.text
        }
    }

    /// The configuration's, else the challenge's, else the metadata's; with what the server asked for since, and `offline_access` where it is offered.
    private func scopes(
        _ server: OAuthServer, _ provider: ProviderMetadata, _ found: Discovery.Found?, isSubject: Bool, wanted: [String]
    ) -> [String] {
        let offline = provider.scopes?.contains("offline_access") == true ? ["offline_access"] : []
        if isSubject { return Scopes.union(["openid"], offline) }
        return Scopes.union(Scopes.union(server.settings.scopes ?? found?.scopes ?? [], wanted), offline)
    }

    // MARK: Terms

    package func terms(for server: OAuthServer, _ record: GrantRecord?) async throws(NoTerms) -> GrantTerms {
        guard let record else {
            let (provider, found) = try await find(server)
            let (client, isRegistered) = try await self.client(of: server, at: provider, scopes: server.settings.scopes ?? [])
            return try terms(server, provider, client, isRegistered, resource: resource(server, found))
        }
        let provider = try await provider(of: record, server)
        let (client, isRegistered) = try client(of: record, server, at: provider)
        return try terms(server, provider, client, isRegistered, resource: record.resource)
    }

    package func renewed(_ client: OAuthClient, for server: OAuthServer, _ record: GrantRecord?) async throws(NoTerms) -> GrantTerms {
        let provider: ProviderMetadata
        var found: Discovery.Found?
        if let record { provider = try await self.provider(of: record, server) } else { (provider, found) = try await find(server) }
        let renewed = try await register(server, provider, scopes: record?.scopes ?? server.settings.scopes ?? [], insteadOf: client.identifier)
        return try terms(server, provider, renewed.client, true, resource: record.map(\.resource) ?? resource(server, found))
    }

    /// The same for a person who is on the way.
    func renew(_ client: OAuthClient, for server: OAuthServer, _ provider: ProviderMetadata, _ scopes: [String]) async throws(NoTerms) {
        _ = try await register(server, provider, scopes: scopes, insteadOf: client.identifier)
    }

    /// Of the grant's issuer, which is asked about itself alone.
    private func provider(of record: GrantRecord, _ server: OAuthServer) async throws(NoTerms) -> ProviderMetadata {
        let settings = server.settings
        let token = try url(settings.tokenEndpoint, "token_endpoint")
        let revocation = try self.revocation(settings)
        guard let issuer = try? ServiceURL(record.issuer) else { throw NoTerms("the grant's issuer is no URL; connect it again", isLasting: true) }
        if let token, revocation != nil || settings.revocation == .none || settings.authorizationEndpoint != nil {
            return ProviderMetadata(issuer: issuer, authorizationEndpoint: nil, tokenEndpoint: token, revocationEndpoint: revocation)
        }
        do throws(Discovery.Fault) {
            return try await discovery.provider(of: issuer)
                .overridden(authorizationEndpoint: nil, tokenEndpoint: token, revocationEndpoint: revocation)
        } catch {
            throw NoTerms(error)
        }
    }

    private func terms(
        _ server: OAuthServer, _ provider: ProviderMetadata, _ client: OAuthClient, _ isRegistered: Bool, resource: String?
    ) throws(NoTerms) -> GrantTerms {
        guard let endpoint = provider.tokenEndpoint else { throw NoTerms("\(provider.issuer) names no token endpoint; set `oauth.token_endpoint`", isLasting: true) }
        return GrantTerms(
            tokenEndpoint: endpoint, client: client, resource: resource,
            revocationEndpoint: server.settings.revocation == .none ? nil : provider.revocationEndpoint, isRegistered: isRegistered)
    }

    private func revocation(_ settings: OAuthSettings) throws(NoTerms) -> ServiceURL? {
        guard case .endpoint(let text) = settings.revocation else { return nil }
        return try url(text, "revocation_endpoint")
    }

    private func url(_ text: String?, _ key: String) throws(NoTerms) -> ServiceURL? {
        guard let text else { return nil }
        do { return try ServiceURL(text) } catch { throw NoTerms("`oauth.\(key)` \(error)", isLasting: true) }
    }
}

extension NoTerms {
    init(_ fault: Discovery.Fault) {
        switch fault {
        case .unusable(let complaints): self.init("nothing usable was discovered: \(complaints.joined(separator: "; "))", isLasting: true)
        case .passing(let words): self.init(words, isLasting: false)
        }
    }
}
