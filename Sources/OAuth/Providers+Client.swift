// As which client a provider is asked: the configured one, the one that its metadata document names, or one that is registered.

internal import FoundationEssentials
internal import Gateway
internal import Kernel
internal import Outbound

/// One that a provider has registered for us, as the secret store keeps it.
struct RegisteredClient: Sendable {
    let client: OAuthClient
    /// What may be asked for with it; nil where nothing was said.
    let scopes: [String]?

    init(_ registration: Registration, scopes: [String], at provider: ProviderMetadata) throws(NotUsable) {
        self.scopes = scopes
        client = try OAuthClient(
            identifier: registration.identifier, secret: registration.secret, methods: registration.method.map { [$0] } ?? provider.authenticationMethods)
    }

    /// Nil where something is missing, or the secret's time is over.
    init?(fields: [String: Secret], now: Int64) {
        func text(_ name: String) -> String? { fields[name].flatMap { String(validating: $0.bytes.copied(), as: UTF8.self) } }
        guard let identifier = text("client_id"), !identifier.isEmpty else { return nil }
        if let ends = text("client_secret_expires_at").flatMap({ Int64($0) }), ends <= now { return nil }
        guard let client = try? OAuthClient(identifier: identifier, secret: fields["client_secret"], methods: [text("authentication") ?? "client_secret_basic"])
        else { return nil }
        self.client = client
        scopes = text("scope").map(Scopes.read)
    }

    /// Whether all of them may be asked for with it.
    func covers(_ wanted: [String]) -> Bool {
        guard let scopes else { return true }
        return wanted.allSatisfy(scopes.contains)
    }

    func fields(_ registration: Registration, issuer: ServiceURL, redirectURI: String) -> [String: Secret] {
        func secret(_ text: String) -> Secret { Secret(copying: Array(text.utf8).span.raw) }
        var fields = ["client_id": secret(client.identifier), "issuer": secret(issuer.text), "redirect_uri": secret(redirectURI)]
        if let scopes { fields["scope"] = secret(Scopes.write(scopes)) }
        if let proof = client.kept {
            fields["client_secret"] = proof.secret
            fields["authentication"] = secret(proof.method)
        }
        if let ends = registration.secretExpires { fields["client_secret_expires_at"] = secret(String(ends)) }
        return fields
    }
}

extension OAuthClient {
    /// What a grant keeps of a registered client.
    var kept: GrantRecord.ClientProof? {
        switch proof {
        case .basic(let secret): GrantRecord.ClientProof(secret: secret, method: "client_secret_basic")
        case .post(let secret): GrantRecord.ClientProof(secret: secret, method: "client_secret_post")
        case .none, .assertion: nil
        }
    }
}

extension Providers {
    /// Where a person comes back to.
    package nonisolated func redirectURI(of server: String) -> String { "\(portal)/connect/callback/\(server)" }

    /// Where the client's metadata document lies, which is its id at providers that read it.
    package nonisolated func documentURL(of server: String) -> String { "\(portal)/.well-known/oauth-client/\(server).json" }

    package nonisolated func document(of server: String) -> [UInt8] {
        metadata(of: server, scopes: nil).document(at: documentURL(of: server))
    }

    /// The client that a grant is of.
    func client(of record: GrantRecord, _ server: OAuthServer, at provider: ProviderMetadata) throws(NoTerms) -> (client: OAuthClient, isRegistered: Bool) {
        if let identifier = server.settings.clientID { return (try configured(identifier, server.settings, provider), false) }
        if record.client.utf8.elementsEqual(documentURL(of: server.name).utf8) { return (OAuthClient(identifier: record.client, proof: .none), false) }
        do {
            return (try OAuthClient(identifier: record.client, secret: record.proof?.secret, methods: record.proof.map { [$0.method] } ?? []), true)
        } catch {
            throw NoTerms("the grant's client \(error); connect it again", isLasting: true)
        }
    }

    private nonisolated func metadata(of server: String, scopes: [String]?) -> ClientMetadata {
        ClientMetadata(name: "Claviger", redirectURI: redirectURI(of: server), scopes: scopes)
    }

    /// The client for a grant that is to be.
    ///
    /// - Parameter scopes: what will be asked for: a client is registered for them.
    func client(
        of server: OAuthServer, at provider: ProviderMetadata, scopes: [String]
    ) async throws(NoTerms) -> (client: OAuthClient, isRegistered: Bool) {
        if let identifier = server.settings.clientID { return (try configured(identifier, server.settings, provider), false) }
        if provider.takesClientMetadataDocument, isReadable(by: provider) {
            return (OAuthClient(identifier: documentURL(of: server.name), proof: .none), false)
        }
        let known = try await known(at: reference(server, provider))
        if let known, known.covers(scopes) { return (known.client, true) }
        let all = Scopes.union(known?.scopes ?? [], scopes)
        return (try await register(server, provider, scopes: all, insteadOf: known?.client.identifier).client, true)
    }

    /// The client that is registered, as far as memory or the secret store know.
    private func known(at reference: Reference) async throws(NoTerms) -> RegisteredClient? {
        if let known = registered[reference] { return known }
        let stored: [String: Secret]?
        do throws(GrantStoreFault) { stored = try await clients.read(reference) } catch { throw NoTerms("the registered client: \(error)", isLasting: false) }
        // By now it may have been registered anew.
        if registered[reference] == nil { registered[reference] = stored.flatMap { RegisteredClient(fields: $0, now: wallClock()) } }
        return registered[reference]
    }

    private func configured(_ identifier: String, _ settings: OAuthSettings, _ provider: ProviderMetadata) throws(NoTerms) -> OAuthClient {
        if settings.authentication == .privateKeyJWT {
            guard let key = settings.privateKey else { throw NoTerms("`oauth.authentication: private_key_jwt` needs a `private_key`", isLasting: true) }
            let audience = settings.assertionAudience == .issuer ? provider.issuer.text : nil
            do {
                let assertion = try ClientAssertion(privateKey: key, keyID: settings.keyID, audience: audience, clock: wallClock)
                return OAuthClient(identifier: identifier, proof: .assertion(assertion))
            } catch {
                throw NoTerms(error.description, isLasting: true)
            }
        }
        switch (settings.authentication, settings.clientSecret) {
        case (.none, _): return OAuthClient(identifier: identifier, proof: .none)
        case (.basic, let secret?): return OAuthClient(identifier: identifier, proof: .basic(secret))
        case (.post, let secret?): return OAuthClient(identifier: identifier, proof: .post(secret))
        case (.basic, nil), (.post, nil): throw NoTerms("`oauth.authentication` needs a `client_secret`", isLasting: true)
        case (.auto, let secret), (.privateKeyJWT, let secret):
            do { return try OAuthClient(identifier: identifier, secret: secret, methods: provider.authenticationMethods) } catch {
                throw NoTerms("\(provider.issuer) \(error)", isLasting: true)
            }
        }
    }

    /// A provider reads the document over `https`; one on this machine, over what we have.
    private nonisolated func isReadable(by provider: ProviderMetadata) -> Bool {
        guard let own = try? ServiceURL(documentURL(of: "server")) else { return false }
        return own.isEncrypted || !provider.issuer.isEncrypted
    }

    private func reference(_ server: OAuthServer, _ provider: ProviderMetadata) -> Reference {
        Reference(clientAt: provider.issuer.text, redirectURI: redirectURI(of: server.name), prefix: prefix)
    }

    /// Registers a client and keeps it; once, however many ask.
    ///
    /// - Parameter old: which one is not known any more; where another is known by now, that is it.
    func register(_ server: OAuthServer, _ provider: ProviderMetadata, scopes: [String], insteadOf old: String?) async throws(NoTerms) -> RegisteredClient {
        let reference = self.reference(server, provider)
        if let known = try await known(at: reference), known.client.identifier != old { return known }
        if let task = registering[reference] { return try await task.value.get() }
        let task = Task { () async -> Result<RegisteredClient, NoTerms> in
            do throws(NoTerms) { return .success(try await self.register(server, provider, scopes, as: reference)) } catch { return .failure(error) }
        }
        registering[reference] = task
        let result = await task.value
        registering[reference] = nil
        let made = try result.get()
        registered[reference] = made
        return made
    }

    private func register(_ server: OAuthServer, _ provider: ProviderMetadata, _ scopes: [String], as reference: Reference) async throws(NoTerms) -> RegisteredClient {
        guard let endpoint = provider.registrationEndpoint else {
            throw NoTerms(
                "\(provider.issuer) registers no clients and reads no client metadata; register one there with the redirect URI \(redirectURI(of: server.name)) and set `servers.\(server.name).oauth.client_id`",
                isLasting: true)
        }
        let request = metadata(of: server.name, scopes: scopes.isEmpty ? nil : scopes).registration(at: endpoint, methods: provider.authenticationMethods)
        let response: OutboundResponse
        do throws(OutboundFault) { response = try await client.send(request) } catch {
            throw NoTerms("registration at \(endpoint): \(error)", isLasting: false)
        }
        guard response.status < 500, response.status != 429 else { throw NoTerms("registration at \(endpoint) answered \(response.status)", isLasting: false) }
        let made: RegisteredClient
        let registration: Registration
        do {
            registration = try Registration(status: response.status, body: response.body.bytes)
            made = try RegisteredClient(registration, scopes: scopes, at: provider)
        } catch {
            throw NoTerms("\(endpoint) \(error)", isLasting: true)
        }
        let fields = made.fields(registration, issuer: provider.issuer, redirectURI: redirectURI(of: server.name))
        do throws(GrantStoreFault) { try await clients.write(fields, to: reference) } catch {
            throw NoTerms("the registered client cannot be kept: \(error)", isLasting: false)
        }
        return made
    }
}
