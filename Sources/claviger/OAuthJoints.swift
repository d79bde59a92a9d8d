// Where OAuth's parts meet the rest: grants in the secret store, what is on record of them, tokens for the broker.

internal import Credentials
internal import Gateway
internal import Kernel
internal import Logging
internal import Metrics
internal import OAuth
internal import Outbound
internal import State
internal import Synchronization

/// Grants and registered clients lie where credentials do, as flat JSON objects.
struct StoredGrants: GrantStore, ClientStore {
    let store: any SecretStore
    let metrics: SharedShard
    /// Whether the store is known not to answer now.
    let isFailing: @Sendable () async -> Bool

    var isOpen: Bool { get async { await isFailing() } }

    func read(_ reference: Reference) async throws(GrantStoreFault) -> GrantRecord? {
        guard let fields = try await fields(at: reference) else { return nil }
        do { return try GrantRecord(fields: fields) } catch { throw GrantStoreFault("\(reference) \(error)", isUnreadable: true) }
    }

    func write(_ record: GrantRecord, to reference: Reference) async throws(GrantStoreFault) {
        try await write(record.fields, to: reference)
    }

    func read(_ reference: Reference) async throws(GrantStoreFault) -> [String: Secret]? {
        try await fields(at: reference)
    }

    func write(_ fields: [String: Secret], to reference: Reference) async throws(GrantStoreFault) {
        var named: [FieldName: Secret] = [:]
        for (name, value) in fields {
            guard let name = FieldName(name) else { throw GrantStoreFault("\(name) is no field's name") }
            named[name] = value
        }
        metrics.add(.storeWrites)
        do throws(StoreFault) { try await store.write(CredentialJSON.write(named), to: reference) } catch { throw failed(error) }
    }

    private func fields(at reference: Reference) async throws(GrantStoreFault) -> [String: Secret]? {
        let stored: StoredSecret?
        metrics.add(.storeReads)
        do throws(StoreFault) { stored = try await store.read([reference], .waiting)[reference] } catch { throw failed(error) }
        switch stored {
        case nil: return nil
        case .damaged(let fault): throw GrantStoreFault(fault.description, isUnreadable: true)
        case .value(let value):
            do throws(CredentialJSON.Malformed) {
                return Dictionary(try CredentialJSON.read(value.bytes).map { ($0.key.text, $0.value) }) { first, _ in first }
            } catch {
                throw GrantStoreFault("\(reference) is not a flat JSON object of strings, at byte \(error.offset); connect it again", isUnreadable: true)
            }
        }
    }

    private func failed(_ fault: StoreFault) -> GrantStoreFault {
        metrics.add(.storeFailures)
        return GrantStoreFault(fault.description)
    }
}

/// What becomes of grants, for the database, the metrics and the log.
struct GrantNotes: GrantObserver {
    let state: StateDatabase
    let metrics: SharedShard
    let wallClock: @Sendable () -> Int64
    let line: @Sendable (Logger.Level, String) -> Void
    /// Told of references whose token is another now.
    let bell: RenewalBell

    func renewed(_ reference: Reference) { bell.ring(reference) }

    func saved(_ record: GrantRecord, as reference: Reference) async {
        do throws(StateFault) {
            try await state.recordGrant(reference, issuer: record.issuer, scopes: record.scopes, generation: record.generation, at: wallClock())
        } catch {
            line(.warning, "\(reference): the grant is in the store, and its generation not on record: \(error)")
        }
    }

    func disconnected(_ reference: Reference, _ words: String) async {
        do throws(StateFault) { try await state.setRejected(reference, at: wallClock()) } catch {
            line(.warning, "\(reference): that the connection is over is not on record: \(error)")
        }
    }

    func refreshed(_ outcome: RefreshOutcome, took: Duration) {
        switch outcome {
        case .done: metrics.add(.tokensObtained)
        case .ended: metrics.add(.tokensEnded)
        case .refused: metrics.add(.tokensRefused)
        case .unanswered: metrics.add(.tokensUnanswered)
        }
    }

    func unsaved(_ count: Int) { metrics.set(.unsavedGrants, to: count) }

    func report(isTrouble: Bool, _ words: String) { line(isTrouble ? .warning : .notice, words) }
}

/// Tells the broker of new tokens; the broker is there a moment later than those who tell.
final class RenewalBell: Sendable {
    private let broker = Mutex<CredentialBroker?>(nil)

    func connect(_ broker: CredentialBroker) {
        self.broker.withLock { $0 = broker }
    }

    /// A step of the broker's, which nobody waits for; at the end of the process it may be lost.
    func ring(_ reference: Reference) {
        Task { await tell(reference) }
    }

    func tell(_ reference: Reference) async {
        await broker.withLock({ $0 })?.changed(reference)
    }
}

extension OAuthServer {
    /// - Throws: where the URL is none that tokens may be sent to.
    init(_ server: Server, _ settings: OAuthSettings) throws(NotUsable) {
        let path = server.path.parts.map { part in
            if case .literal(let text) = part { text } else { "" }
        }
        let query = server.query.map { "?\($0)" } ?? ""
        self.init(
            name: server.name.text, title: server.title ?? server.name.text, url: try ServiceURL("\(server.origin)\(path.joined())\(query)"), settings: settings,
            authorities: server.tls.authorities)
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
        let wanted = Challenge.scopes(in: Challenge.read(challenges)) ?? []
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
