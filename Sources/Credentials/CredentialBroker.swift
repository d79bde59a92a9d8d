// The one authority on credentials: fetches each once for all who ask, keeps it for its time, and changes it.

package import EventLoop
package import Gateway
package import Kernel
package import Metrics

/// Runs on a loop of its own, never on a worker. Workers ask it what their views do not know; the portal and the commands
/// deposit and delete through it (`CredentialBroker+Changes.swift`).
///
/// The documentation's «Life of a credential» shows the states an entry goes through.
package actor CredentialBroker {
    /// What the views of all workers watch.
    package nonisolated let log: InvalidationLog

    nonisolated let loop: EventLoop
    let store: any SecretStore
    let ledger: any OriginLedger
    let prefix: String
    let wallClock: @Sendable () -> Int64
    let metrics: SharedShard
    /// Changes under way or waiting, by credential: one at a time each.
    var changing: [CacheKey: [CheckedContinuation<Void, Never>]] = [:]

    private let settings: CacheSettings
    private let clock: @Sendable () -> MonotonicTime
    private let random: @Sendable () -> UInt64
    private var table: BoundedTable<Held>
    private var flights: [CacheKey: Flight] = [:]
    /// Flights that an invalidation overtook: they land for those already waiting, and nothing is kept of them.
    private var overtaken: [ObjectIdentifier: Flight] = [:]
    private(set) var waiting = 0
    private var fetches: UInt64 = 0

    /// How long one waits for the store before he is told to come back.
    private static let patience = Duration.seconds(10)
    /// How many may wait at once.
    private static let waitersLimit = 10_000
    /// An entry younger than this is not fetched again because upstream rejected it.
    private static let fresh = Duration.seconds(30)

    /// - Parameters:
    ///   - loop: the broker's own, shared with no worker.
    ///   - prefix: of references: empty, or beginning with a slash.
    ///   - clock, wallClock: monotonic time, and seconds since 1970.
    ///   - random: evenly spread words, for jitter.
    package init(
        on loop: EventLoop, store: any SecretStore, ledger: any OriginLedger, settings: CacheSettings, prefix: String = "",
        metrics: SharedShard, clock: @escaping @Sendable () -> MonotonicTime, wallClock: @escaping @Sendable () -> Int64,
        random: @escaping @Sendable () -> UInt64
    ) {
        self.loop = loop
        self.store = store
        self.ledger = ledger
        self.settings = settings
        self.prefix = prefix
        self.metrics = metrics
        self.clock = clock
        self.wallClock = wallClock
        self.random = random
        log = InvalidationLog()
        table = BoundedTable(capacity: settings.capacity)
    }

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.serial }

    /// What there is for `key`: from the cache, or from the store, which is asked once however many wait.
    ///
    /// - Parameters:
    ///   - key: `CacheKey(instance, user: user)`.
    ///   - user: must be given for an instance of user level.
    /// - Returns: also that there is none, or none that may be injected: both are known for a while, too.
    /// - Throws: `store_unavailable` where the store fails or takes too long; `overloaded` where too many wait.
    package func credential(for key: CacheKey, at instance: ServerInstance, user: UserEmail?) async throws(Refusal) -> CachedCredential {
        let now = clock()
        if let held = table.use(key, now: now), !held.isDoubtful(now: now, after: settings.negativeTTL) {
            if case .stored = held.content { metrics.add(.cacheHits) } else { metrics.add(.cacheNegativeHits) }
            return answer(held, for: key, at: instance, sequence: log.sequence)
        }
        guard waiting < CredentialBroker.waitersLimit else { throw Refusal(.overloaded, "too many wait for the secret store") }
        let passenger = Passenger(deadline: now.advanced(by: CredentialBroker.patience))
        board(passenger, key, instance, user)
        waiting += 1
        let outcome = await passenger.outcome()
        waiting -= 1
        switch outcome {
        case .held(let held, let sequence): return answer(held, for: key, at: instance, sequence: sequence)
        case .failed(let fault): throw Refusal(.storeUnavailable, fault.description, retryAfter: .seconds(2))
        case .late: throw Refusal(.storeUnavailable, "the secret store takes too long", retryAfter: .seconds(5))
        case .cancelled: throw Refusal(.storeUnavailable, "nobody waits any more", retryAfter: .seconds(1))
        }
    }

    /// Upstream answered 401 to `rendered`. If that is still what is cached, and it is older than half a minute, it is dropped, so that the
    /// next request sees what the store has now; a younger one is the store's present value.
    package func rejected(_ rendered: RenderedCredential, for key: CacheKey) {
        let now = clock()
        guard let held = table.use(key, now: now), let rendering = held.rendering, case .hit(let current) = rendering.answer,
            current === rendered, now.duration(since: held.fetchedAt) >= CredentialBroker.fresh
        else { return }
        invalidate(key)
    }

    /// Drops what is past its time, and tells those who waited too long. Every second, by `keepTime`.
    package func sweep() {
        let now = clock()
        table.removeExpired(now: now)
        for flight in flights.values { flight.leaveBehind(now: now) }
        for flight in overtaken.values { flight.leaveBehind(now: now) }
    }

    /// Sweeps every second until its task is cancelled.
    package func keepTime() async {
        while !Task.isCancelled {
            sweep()
            try? await Task.sleep(for: .seconds(1))
        }
    }

    /// Cancels every fetch under way; those who wait are refused. For the end of the process.
    package func close() {
        for flight in Array(flights.values) + Array(overtaken.values) {
            flight.task?.cancel()
            flight.land(.cancelled)
        }
    }

    /// How many entries the cache holds.
    package var count: Int { table.count }

    /// From its return on, nobody uses what was cached for `key`, nor what a fetch that is under way brings.
    func invalidate(_ key: CacheKey) {
        table.remove(key)
        if let flight = flights.removeValue(forKey: key) { overtaken[ObjectIdentifier(flight)] = flight }
        log.record(key)
    }

    // MARK: Fetching

    private func board(_ passenger: Passenger, _ key: CacheKey, _ instance: ServerInstance, _ user: UserEmail?) {
        if let flight = flights[key] {
            metrics.add(.cacheJoined)
            flight.passengers.append(passenger)
            return
        }
        metrics.add(.cacheMisses)
        let flight = Flight(sequence: log.sequence)
        flight.passengers.append(passenger)
        flights[key] = flight
        let deposit = Deposit(at: instance, user: user, prefix: prefix, now: wallClock())
        flight.task = Task { await self.fly(ObjectIdentifier(flight), key, deposit) }
    }

    private func fly(_ flight: ObjectIdentifier, _ key: CacheKey, _ deposit: Deposit) async {
        do {
            let content = try await fetch(deposit)
            land(flight, key, content)
        } catch {
            land(flight, key, error)
        }
    }

    /// What the store has, with the origin it was deposited for; a value that nobody recorded is adopted for the present one.
    private func fetch(_ deposit: Deposit) async throws(StoreFault) -> Held.Content {
        metrics.add(.storeReads)
        switch try await store.read([deposit.reference], .waiting)[deposit.reference] {
        case nil: return .missing
        case .damaged(let fault): return .unusable(fault.description)
        case .value(let value):
            let fields: [FieldName: Secret]
            do throws(CredentialJSON.Malformed) {
                fields = try CredentialJSON.read(value.bytes)
            } catch {
                return .unusable("\(deposit.reference): not a flat JSON object of strings, at byte \(error.offset): deposit it again")
            }
            do {
                let known = try await ledger.origin(of: deposit.reference)
                let origin = if let known { known } else { try await ledger.adopt(deposit) }
                return .stored(Credential(fields: fields, origin: origin))
            } catch {
                throw StoreFault(.unavailable, "the origin of \(deposit.reference) cannot be looked up: \(error)")
            }
        }
    }

    private func land(_ identifier: ObjectIdentifier, _ key: CacheKey, _ content: Held.Content) {
        let now = clock()
        let life = if case .stored = content { settings.ttl } else { settings.negativeTTL }
        fetches += 1
        let held = Held(number: fetches, content: content, fetchedAt: now, freshUntil: now.advanced(by: jittered(life)))
        if let flight = overtaken.removeValue(forKey: identifier) {
            flight.land(.held(held, sequence: flight.sequence))
        } else if let flight = flights.removeValue(forKey: key) {
            if table.insert(held, for: key, until: held.freshUntil) { metrics.add(.cacheEvicted) }
            flight.land(.held(held, sequence: log.sequence))
        }
    }

    private func land(_ identifier: ObjectIdentifier, _ key: CacheKey, _ fault: StoreFault) {
        metrics.add(.storeFailures)
        let flight = overtaken.removeValue(forKey: identifier) ?? flights.removeValue(forKey: key)
        flight?.land(.failed(fault))
    }

    /// Up to a tenth shorter, so that what was fetched together does not end together.
    private func jittered(_ life: Duration) -> Duration {
        life - life / 10 * Double(random() >> 11) / Double(1 << 53)
    }

    private func answer(_ held: Held, for key: CacheKey, at instance: ServerInstance, sequence: UInt64) -> CachedCredential {
        let answer = held.answer(for: instance.server)
        // By now another fetch's entry may lie there.
        table.change(key) { if $0.number == held.number { $0.rendering = (instance.server, answer) } }
        var end = held.freshUntil
        if case .stored = held.content, case .hit = answer {} else { end = min(end, clock().advanced(by: settings.negativeTTL)) }
        return CachedCredential(key: key, answer: answer, server: instance.server, freshUntil: end, sequence: sequence)
    }
}
