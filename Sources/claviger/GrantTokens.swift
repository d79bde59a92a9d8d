// The broker's tokens: how each server's are had, and how a grant is taken back.

internal import Credentials
internal import Gateway
internal import Kernel
internal import Logging
internal import OAuth
internal import Outbound
internal import State

extension OAuthServer {
    /// - Throws: where the URL is none that tokens may be sent to.
    init(_ server: Server, _ settings: OAuthSettings) throws(NotUsable) {
        let path = server.path.parts.map { part in
            if case .literal(let text) = part { text } else { "" }
        }
        let query = server.query.map { "?\($0)" } ?? ""
        self.init(
            name: server.name.text, title: server.title ?? server.name.text, url: try ServiceURL("\(server.origin)\(path.joined())\(query)"), settings: settings,
            tls: server.tls)
    }
}

/// How an instance's tokens are had, and under which name the keeper knows them.
struct TokenPlace {
    let reference: Reference
    let plan: TokenPlan
    /// Where the person's grant lies; nil where there is none.
    let grant: Reference?

    init?(_ instance: ServerInstance, user: UserEmail?, prefix: String) throws(NotUsable) {
        guard let settings = instance.server.oauth else { return nil }
        let server = try OAuthServer(instance.server, settings)
        let own = Reference(instance, user: user, prefix: prefix)
        switch settings.grant {
        case .authorizationCode: (reference, plan, grant) = (own, TokenPlan(server, .grant), own)
        case .clientCredentials: (reference, plan, grant) = (own, TokenPlan(server, .clientCredentials), nil)
        case .tokenExchange:
            (reference, plan, grant) = (Reference.exchanged(instance, user: user, prefix: prefix), TokenPlan(server, .exchange(subject: own)), own)
        }
    }
}

/// The broker's tokens.
struct GrantTokens: TokenSource {
    let keeper: GrantKeeper
    let providers: Providers
    let client: any HTTPClient
    let store: any SecretStore
    let state: StateDatabase
    let prefix: String
    let snapshot: @Sendable () -> Snapshot
    let bell: RenewalBell
    let line: @Sendable (Logger.Level, String) -> Void

    func token(at instance: ServerInstance, user: UserEmail?) async throws(TokenFault) -> BearerToken {
        guard let place = try place(instance, user) else { throw .missing }
        do throws(GrantFault) {
            let token = try await keeper.token(of: place.reference, by: place.plan)
            return BearerToken(value: token.value, number: token.number, expiry: token.expiry, refreshFrom: token.refreshFrom)
        } catch {
            switch error {
            case .missing: throw .missing
            case .disconnected(let why): throw .disconnected(why)
            case .unavailable(let why, let time): throw .unavailable(StoreFault(.unavailable, why, retryAfter: max(time, .seconds(1))))
            }
        }
    }

    func rejected(_ number: Int, at instance: ServerInstance, user: UserEmail?) async {
        guard let place = try? place(instance, user) else { return }
        await keeper.rejected(number, of: place.reference)
    }

    func needsMore(_ challenges: [String], at instance: ServerInstance, user: UserEmail?) async -> String {
        let wanted = Challenge.missingScopes(in: Challenge.read(challenges)) ?? []
        guard let place = try? place(instance, user), let grant = place.grant else { return "the server wants more scopes: set `oauth.scopes`" }
        let words = "the server wants the scopes \(Scopes.write(wanted))"
        do throws(StateFault) {
            try await state.wantScopes(wanted, for: grant)
            return "\(words), which are asked for when it is connected next"
        } catch {
            return "\(words), and that is not on record: \(error)"
        }
    }

    /// The grant goes from the store first: then nobody has a token any more, whatever the provider says to its revocation.
    func remove(at instance: ServerInstance, user: UserEmail?) async throws(StoreFault) -> String? {
        let place: TokenPlace?
        do { place = try TokenPlace(instance, user: user, prefix: prefix) } catch { throw StoreFault(.misconfigured, "\(instance.name): its URL \(error)") }
        guard let place, let grant = place.grant else { return nil }
        let (store, plan) = (store, TokenPlan(place.plan.server, .grant))
        let removal = await keeper.remove(grant, by: plan) { () async -> Result<Bool, StoreFault> in
            do throws(StoreFault) { return .success(try await store.delete(grant)) } catch { return .failure(error) }
        }
        let existed = try removal.outcome.get()
        // From here on no worker uses what it has cached, however long the provider takes.
        await bell.tell(grant)
        await forgetExchanged(from: grant, in: instance.project, instance.level == .user ? user : nil)
        do throws(StateFault) { try await state.forgetGrant(grant) } catch {
            line(.warning, "\(grant): the grant is deleted, and still on record: \(error)")
        }
        guard existed || removal.newest != nil else { return nil }
        guard let record = removal.newest else { return "deleted" }
        let words = await revoke(record, plan.server)
        line(.notice, "\(grant): deleted; \(words)")
        return words
    }

    /// What servers have had by exchanging a grant's tokens is not used any more: the grant is another, or gone.
    func forgetExchanged(from grant: Reference, in project: ProjectName, _ user: UserEmail?) async {
        for instance in snapshot().projects[project].map({ Array($0.instances.values) }) ?? [] where instance.server.oauth?.grant == .tokenExchange {
            guard instance.level == .project || user != nil, let place = try? TokenPlace(instance, user: user, prefix: prefix), place.grant == grant
            else { continue }
            await keeper.forget(place.reference)
            await bell.tell(place.reference)
        }
    }

    private func place(_ instance: ServerInstance, _ user: UserEmail?) throws(TokenFault) -> TokenPlace? {
        do { return try TokenPlace(instance, user: user, prefix: prefix) } catch {
            throw .unavailable(StoreFault(.misconfigured, "servers.\(instance.server.name): the URL \(error); a bearer token is not sent there"))
        }
    }

    private func revoke(_ record: GrantRecord, _ server: OAuthServer) async -> String {
        let terms: GrantTerms
        do throws(NoTerms) { terms = try await providers.terms(for: server, record) } catch { return "not revoked at \(record.issuer): \(error)" }
        guard let endpoint = terms.revocationEndpoint else { return "\(record.issuer) has no place where it could be revoked" }
        let (token, hint): (Secret, Revocation.Hint)
        switch record.key {
        case .refreshToken(let value): (token, hint) = (value, .refreshToken)
        case .accessToken(let value, _): (token, hint) = (value, .accessToken)
        case .asking: return "there was nothing to revoke"
        }
        let limits = OutboundRequest.Limits(time: .seconds(5))
        let request: OutboundRequest
        do { request = try Revocation.request(of: token, hint, at: endpoint, by: terms.client, limits: limits) } catch { return "not revoked: \(error)" }
        let outcome: Revocation.Outcome
        do throws(OutboundFault) {
            let response = try await client.send(request)
            outcome = Revocation.outcome(status: response.status, body: response.body.bytes, showing: [token])
        } catch {
            outcome = Revocation.outcome(unanswered: error)
        }
        switch outcome {
        case .revoked: return "revoked at \(record.issuer)"
        case .notRevoked(let why): return "not revoked at \(record.issuer): \(why)"
        }
    }
}
