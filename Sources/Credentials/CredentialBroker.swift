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
    /// Where they say what they use.
    package nonisolated let uses: UseLog

    nonisolated let loop: EventLoop
    let store: any SecretStore
    let ledger: any OriginLedger
    /// For servers whose credential is an OAuth bearer.
    let tokens: any TokenSource
    let prefix: String
    var settings: CacheSettings
    let clock: @Sendable () -> MonotonicTime
    let wallClock: @Sendable () -> Int64
    let metrics: SharedShard
    var table: BoundedTable<Held>
    /// For which credentials the store was asked again of late, because a server rejected them.
    var rechecks: BoundedTable<Recheck>
    /// Why what is not cached could not be had just now: for a moment nobody asks again.
    var failures: BoundedTable<StoreFault>
    var flights: [CacheKey: Flight] = [:]
    /// Flights that an invalidation overtook: they land for those already waiting, and nothing is kept of them.
    var overtaken: [UInt64: Flight] = [:]
    /// Reads and what they brought, numbered.
    var latestNumber: UInt64 = 0
    /// Changes under way or waiting, by credential: one at a time each.
    var changing: [CacheKey: [CheckedContinuation<Void, Never>]] = [:]

    private let random: @Sendable () -> UInt64
    private(set) var waiting = 0
    /// Those who have something usable, and wait a moment for something fresh.
    private var impatient: [Passenger] = []
    private var waker: Task<Void, Never>?
    /// What may have to be read ahead, by the second in which its time for that begins.
    private var due: [UInt64: [CacheKey]] = [:]
    /// The last second whose keys were looked at.
    private var dueUntil: UInt64
    /// What the gauge was told.
    private var countedEntries = 0

    /// How long one waits for the store before he is told to come back.
    private static let patience = Duration.seconds(10)
    /// How long one waits whose credential's time is over, before he is served it nevertheless.
    static let grace = Duration.milliseconds(250)
    /// How long it is remembered that a credential could not be had, so that one who asks again and again does not take the store's budget.
    static let failureSpan = Duration.seconds(1)
    /// How many may wait at once.
    private static let waitersLimit = 10_000

    /// - Parameters:
    ///   - loop: the broker's own, shared with no worker.
    ///   - prefix: of references: empty, or beginning with a slash.
    ///   - clock, wallClock: monotonic time, and seconds since 1970.
    ///   - random: evenly spread words, for jitter.
    package init(
        on loop: EventLoop, store: any SecretStore, ledger: any OriginLedger, tokens: any TokenSource, settings: CacheSettings, prefix: String = "",
        metrics: SharedShard, clock: @escaping @Sendable () -> MonotonicTime, wallClock: @escaping @Sendable () -> Int64,
        random: @escaping @Sendable () -> UInt64
    ) {
        self.loop = loop
        self.store = store
        self.ledger = ledger
        self.tokens = tokens
        self.settings = settings
        self.prefix = prefix
        self.metrics = metrics
        self.clock = clock
        self.wallClock = wallClock
        self.random = random
        log = InvalidationLog()
        uses = UseLog(capacity: settings.capacity)
        table = BoundedTable(capacity: settings.capacity)
        rechecks = BoundedTable(capacity: settings.capacity)
        failures = BoundedTable(capacity: settings.capacity)
        dueUntil = clock().second
    }

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.serial }

    /// What there is for `key`: from the cache, or from the store, which is asked once however many wait.
    ///
    /// A credential whose time is over is fetched again. It is served nevertheless where that fails or takes longer than a moment, for
    /// `stale_if_error` and never beyond its own expiry.
    ///
    /// - Parameters:
    ///   - key: `CacheKey(instance, user: user)`.
    ///   - user: must be given for an instance of user level.
    /// - Returns: also that there is none, or none that may be injected: both are known for a while, too.
    /// - Throws: `store_unavailable` where the store fails or takes too long; `overloaded` where too many wait.
    package func credential(for key: CacheKey, at instance: ServerInstance, user: UserEmail?) async throws(Refusal) -> CachedCredential {
        let asker = Held.Asker(instance: instance, user: user)
        let end = clock().advanced(by: CredentialBroker.patience)
        while true {
            let now = clock()
            let usable = usable(key, for: asker, now: now)
            var deadline = end
            if let usable {
                guard usable.isStale, let moment = momentToWait(key, for: asker, now: now) else {
                    if !usable.isStale { refreshAhead(key, now: now) }
                    return counted(usable)
                }
                deadline = min(moment, end)
            } else if flights[key] == nil, let fault = failures.peek(key, now: now) {
                metrics.add(.cacheMisses)
                throw CredentialBroker.refusal(fault)
            }
            guard waiting < CredentialBroker.waitersLimit else {
                if let usable { return counted(usable) }
                throw Refusal(.overloaded, "too many wait for the secret store")
            }
            let passenger = Passenger(deadline: deadline)
            let counter = board(passenger, key, asker, hasUsable: usable != nil)
            waiting += 1
            let outcome = await passenger.outcome()
            waiting -= 1
            switch outcome {
            case .held(let held, let sequence):
                metrics.add(counter)
                return answer(held, for: key, at: instance, sequence: sequence)
            case .cancelled:
                metrics.add(counter)
                throw CredentialBroker.cancelledRefusal
            case .failed(let fault):
                if let usable = self.usable(key, for: asker, now: clock()) { return counted(usable) }
                metrics.add(counter)
                throw CredentialBroker.refusal(fault)
            case .late:
                if let usable = self.usable(key, for: asker, now: clock()) { return counted(usable) }
                // With time left: what was usable has been invalidated meanwhile.
                guard clock() >= end else { continue }
                metrics.add(counter)
                throw CredentialBroker.lateRefusal
            }
        }
    }

    /// What the store has for `key` now: of one read however many wait for it, which is under way when the first of them waits. What is
    /// cached stays until that has come, and nothing stands in for a store that fails.
    /// - Parameter dropping: the number of the token that was rejected; nil for what is no token.
    func boarded(_ key: CacheKey, for asker: Held.Asker, dropping token: Int?) throws(Refusal) -> Passenger {
        guard waiting < CredentialBroker.waitersLimit else { throw Refusal(.overloaded, "too many wait for the secret store") }
        waiting += 1
        let passenger = Passenger(deadline: clock().advanced(by: CredentialBroker.patience))
        if let token {
            if let flight = flights[key] {
                if flight.dropped != token { hurry(flight, key, for: asker, dropping: token) }
            } else {
                _ = depart(key, for: asker, .waiting, dropping: token)
            }
        }
        _ = board(passenger, key, asker, hasUsable: false)
        return passenger
    }

    /// - Parameter passenger: of `boarded`, for the same.
    func arrival(of passenger: Passenger, _ key: CacheKey, at instance: ServerInstance) async throws(Refusal) -> CachedCredential {
        let outcome = await passenger.outcome()
        waiting -= 1
        switch outcome {
        case .held(let held, let sequence): return answer(held, for: key, at: instance, sequence: sequence)
        case .failed(let fault): throw CredentialBroker.refusal(fault)
        case .late: throw CredentialBroker.lateRefusal
        case .cancelled: throw CredentialBroker.cancelledRefusal
        }
    }

    private static func refusal(_ fault: StoreFault) -> Refusal {
        Refusal(.storeUnavailable, fault.description, retryAfter: fault.retryAfter ?? .seconds(2))
    }
    private static let lateRefusal = Refusal(.storeUnavailable, "the secret store takes too long", retryAfter: .seconds(5))
    private static let cancelledRefusal = Refusal(.storeUnavailable, "nobody waits any more", retryAfter: .seconds(1))

    /// Drops what is past its time, notes what the workers used, and tells those who waited too long. Every second, by `keepTime`.
    package func sweep() {
        let now = clock()
        for key in uses.take() {
            _ = table.use(key, now: now)
            table.change(key) { $0.isUsed = true }
            refreshAhead(key, now: now)
        }
        while dueUntil < now.second {
            dueUntil += 1
            for key in due.removeValue(forKey: dueUntil) ?? [] where table.peek(key, now: now)?.isUsed == true { refreshAhead(key, now: now) }
        }
        table.removeExpired(now: now)
        rechecks.removeExpired(now: now)
        failures.removeExpired(now: now)
        countEntries()
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
        waker?.cancel()
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
        rechecks.remove(key)
        failures.remove(key)
        countEntries()
        if let flight = flights.removeValue(forKey: key) { overtaken[flight.number] = flight }
        log.record(key)
    }

    /// Has the sweep look at it when its time to be read ahead has begun.
    func remind(of key: CacheKey, at time: MonotonicTime) {
        due[time.second + 1, default: []].append(key)
    }

    func countEntries() {
        metrics.add(.brokerEntries, table.count - countedEntries)
        countedEntries = table.count
    }

    /// Evenly from 0 to 1.
    func share() -> Double {
        Double(evenlyFrom: random())
    }

    // MARK: What is known

    /// What may be served of what is cached: what is fresh, and of what is not, what can be injected.
    private func usable(_ key: CacheKey, for asker: Held.Asker, now: MonotonicTime) -> CachedCredential? {
        guard let held = table.use(key, now: now) else { return nil }
        if held.asker.instance.server !== asker.instance.server || !held.isUsed {
            table.change(key) { ($0.asker, $0.isUsed) = (asker, true) }
        }
        let cached = answer(held, for: key, at: asker.instance, sequence: log.sequence)
        return held.isFresh(now: now, negativeTTL: settings.negativeTTL) || cached.answer.isHit ? cached : nil
    }

    private func answer(_ held: Held, for key: CacheKey, at instance: ServerInstance, sequence: UInt64) -> CachedCredential {
        let now = clock()
        let answer = held.answer(for: instance.server, now: now)
        // By now another fetch's entry may lie there.
        table.change(key) { if $0.number == held.number { $0.rendering = (instance.server, answer) } }
        let isStale = now >= held.lifetime.freshUntil
        var end = held.lifetime.freshUntil
        if !answer.isHit {
            end = held.isStored ? min(end, now.advanced(by: settings.negativeTTL)) : end
        } else if isStale {
            // Nothing better is to be had before the next attempt; one under way may bring it any moment.
            end = min(held.lifetime.usableUntil, max(held.retryAt, now.advanced(by: .seconds(1))))
        }
        return CachedCredential(
            key: key, answer: answer, server: instance.server, freshUntil: end,
            refreshFrom: answer.isHit && !isStale ? held.lifetime.refreshFrom : nil, isStale: isStale, sequence: sequence)
    }

    private func counted(_ cached: CachedCredential) -> CachedCredential {
        metrics.add(cached.counter)
        return cached
    }

    // MARK: Waiting

    /// Begins to fetch anew what is past its time, if that is not under way, and its next attempt has come.
    /// - Returns: until when one waits for it who can be served what is past its time; nil: not at all.
    private func momentToWait(_ key: CacheKey, for asker: Held.Asker, now: MonotonicTime) -> MonotonicTime? {
        guard let held = table.peek(key, now: now), flights[key] != nil || now >= held.retryAt else { return nil }
        // After a failure nobody waits, so it need not hurry.
        let flight = flights[key] ?? depart(key, for: asker, held.failures == 0 ? .waiting : .ahead)
        guard held.failures == 0 else { return nil }
        let end = flight.slowFrom ?? now.advanced(by: CredentialBroker.grace)
        flight.slowFrom = end
        return end > now ? end : nil
    }

    /// - Returns: what the look-up counts as, where it gets what the flight brings.
    private func board(_ passenger: Passenger, _ key: CacheKey, _ asker: Held.Asker, hasUsable: Bool) -> Counter {
        let known = flights[key]
        let flight = known ?? depart(key, for: asker, .waiting)
        let isFirst = flight.passengers.isEmpty
        flight.passengers.append(passenger)
        if hasUsable {
            wakeInTime(passenger)
        } else if flight.urgency == .ahead {
            hurry(flight, key, for: asker)
        }
        return known == nil || isFirst ? .cacheMisses : .cacheJoined
    }

    private func wakeInTime(_ passenger: Passenger) {
        impatient.append(passenger)
        guard waker == nil else { return }
        waker = Task { await self.wakeImpatient() }
    }

    /// A hundred times a second at most, however many they are, for each time all of them are looked at.
    private func wakeImpatient() async {
        while let next = impatient.map(\.deadline).min(), !Task.isCancelled {
            try? await Task.sleep(for: max(next.duration(since: clock()), .milliseconds(10)))
            let now = clock()
            for passenger in impatient where passenger.deadline <= now { passenger.resume(.late) }
            impatient.removeAll(where: \.isResumed)
        }
        waker = nil
    }
}

extension MonotonicTime {
    fileprivate var second: UInt64 { nanoseconds / 1_000_000_000 }
}
