// OAuth of a configuration, put together: who finds providers, who keeps grants, who sends people there.

internal import Credentials
internal import EventLoop
internal import Gateway
internal import Kernel
internal import Logging
internal import Metrics
internal import OAuth
internal import Outbound
internal import Portal
internal import Proxy
internal import State

struct OpenedOAuth: Sendable {
    let tokens: GrantTokens
    let keeper: GrantKeeper
    let providers: Providers
    let authorizations: Authorizations
    let bell = RenewalBell()
    /// Checks no addresses by itself.
    let client: OutboundClient

    /// - Parameter line: writes one line of the log.
    init(
        _ inForce: InForce, store: OpenedStore, state: StateDatabase, resolver: Resolver, metrics: SharedShard,
        line: @escaping @Sendable (Logger.Level, String) -> Void
    ) throws {
        let loop = try EventLoop.started(name: "oauth")
        client = OutboundClient(on: try .started(name: "outbound"), agent: "claviger/\(Version.text)")
        let prefix = inForce.snapshot.secrets.prefix
        let resolve = OpenedTokens.resolve(by: resolver)
        let guarded = GuardedClient(client, resolve: resolve, rule: inForce.rule)
        let grants = StoredGrants(store: store.store, metrics: metrics, isFailing: { await store.isFailing })
        let (clock, wallClock): (@Sendable () -> MonotonicTime, @Sendable () -> Int64) = ({ .now() }, { WallClock.milliseconds() / 1000 })
        let fetcher = DocumentFetcher(client: client, resolve: resolve, rule: inForce.rule, shelf: DocumentShelf(clock: clock))
        providers = Providers(
            on: loop, discovery: Discovery(fetcher), client: guarded, direct: client, clients: grants, prefix: prefix,
            portal: inForce.snapshot.portalURL, wallClock: wallClock)
        keeper = GrantKeeper(
            on: loop, store: grants, client: guarded, terms: providers,
            observer: GrantNotes(state: state, metrics: metrics, wallClock: wallClock, line: line, bell: bell), clock: clock, wallClock: wallClock,
            random: {
                var random = SecureRandom()
                return random.next()
            })
        authorizations = Authorizations(on: loop, providers: providers, keeper: keeper, client: guarded, clock: clock, wallClock: wallClock)
        tokens = GrantTokens(
            keeper: keeper, providers: providers, client: guarded, store: store.store, state: state, prefix: prefix,
            snapshot: { inForce.snapshot }, bell: bell, line: line)
    }

    /// Origins of providers that the configuration itself names: they may be on a private network without being allowed a second time.
    static func named(in snapshot: Snapshot) -> Set<String> {
        var origins: Set<String> = []
        for settings in snapshot.servers.values.compactMap(\.oauth) {
            var texts = [settings.issuer, settings.authorizationEndpoint, settings.tokenEndpoint]
            if case .endpoint(let text) = settings.revocation { texts.append(text) }
            for text in texts { if let text, let url = try? ServiceURL(text) { origins.insert(url.origin) } }
        }
        return origins
    }

    /// Waits, for a while, until no answer of a provider is under way and what it gave is in the store.
    func finish() async {
        let (ends, end) = AsyncStream.makeStream(of: Void.self)
        let work = Task {
            await keeper.finish()
            end.finish()
        }
        let limit = Task {
            try? await Task.sleep(for: .seconds(9))
            end.finish()
        }
        for await _ in ends {}
        // What is not done by then is left behind: it does not hear that it is cancelled before its transfers end.
        work.cancel()
        limit.cancel()
        await client.close()
    }
}

/// What the portal needs of it.
struct OAuthDesk: ConnectDesk {
    let oauth: OpenedOAuth
    let broker: CredentialBroker
    let state: StateDatabase
    let snapshot: @Sendable () -> Snapshot
    let prefix: String

    func begin(_ instance: ServerInstance, user: UserEmail?, session: Secret, tag: String) async throws(ConnectFault) -> String {
        let place: TokenPlace?
        do { place = try TokenPlace(instance, user: user, prefix: prefix) } catch { throw .provider("servers.\(instance.server.name): the URL \(error)") }
        guard let place, let grant = place.grant else { throw .provider("servers.\(instance.server.name) is not connected by signing in") }
        let wanted: [String]
        do throws(StateFault) { wanted = try await state.wantedScopes(for: grant) } catch { throw .passing("\(error)") }
        let errand = ConnectErrand(
            reference: grant, plan: TokenPlan(place.plan.server, .grant), project: instance.project, server: instance.name,
            user: instance.level == .user ? user : nil, tag: tag)
        return try await oauth.authorizations.begin(errand, session: session, wanted: wanted)
    }

    func finish(
        _ answer: AuthorizationAnswer, server: String, session: Secret, mayGoOn: @Sendable (ConnectErrand) async -> String?
    ) async throws(Authorizations.Failed) -> ConnectOutcome {
        switch try await oauth.authorizations.finish(answer, server: server, session: session, mayGoOn: mayGoOn) {
        case .again(let url): return .again(url)
        case .connected(let errand, let record):
            let isReplacing: Bool
            do throws(ConnectFault) { isReplacing = try await note(errand) } catch { throw Authorizations.Failed(errand: errand, fault: error) }
            return .connected(errand, scopes: record.scopes, isReplacing: isReplacing)
        }
    }

    /// The grant is in the store. It counts from the next request on, also for the other servers whose tokens it is exchanged for.
    ///
    /// - Returns: whether something was on record before.
    private func note(_ errand: ConnectErrand) async throws(ConnectFault) -> Bool {
        let instances = snapshot().projects[errand.project].map { Array($0.instances.values) } ?? []
        let isReplacing: Bool
        do throws(StateFault) { isReplacing = try await state.isRecorded(errand.reference) } catch { throw .passing("\(error)") }
        guard let own = instances.first(where: { $0.name == errand.server }) else { throw .notAllowed("\(errand.server) was taken away while you were signing in.") }
        do { try await broker.connected(own, user: errand.user) } catch { throw .passing("the grant is in the store and could not be recorded: \(error)") }
        do throws(StateFault) { try await state.clearWantedScopes(for: errand.reference) } catch { throw .passing("\(error)") }
        await oauth.tokens.forgetExchanged(from: errand.reference, in: errand.project, errand.user)
        return isReplacing
    }

    func clientDocument(of server: ServerName) -> [UInt8]? {
        guard let oauth = snapshot().servers[server]?.oauth, oauth.clientID == nil, oauth.grant != .clientCredentials else { return nil }
        return self.oauth.providers.document(of: server.text)
    }
}
