// AWS Systems Manager Parameter Store as the secret store: a considerate client, and a calm one.

package import EventLoop
package import Gateway
package import Kernel
package import Metrics
package import Outbound

/// Each credential is a SecureString under its reference.
///
/// Reads travel ten together, within a budget of calls; so do deletions. A call that fails for a passing reason is made again, after a while of
/// full jitter, within the same budget and its time (`Persistence`). A store that fails again and again is left alone for a while (`Circuit`):
/// whoever asks then is refused at once, and told when to come back. The documentation's «Parameter Store» says it at length.
package actor ParameterStore: SecretStore {
    package nonisolated let place: ParameterStorePlace
    package nonisolated let settings: ParameterStoreSettings

    nonisolated let loop: EventLoop
    let client: any HTTPClient
    let credentials: any AWSCredentialProvider
    let metrics: SharedShard
    let clock: @Sendable () -> MonotonicTime
    let wallClock: @Sendable () -> Int64
    let random: @Sendable () -> UInt64
    let sleep: @Sendable (MonotonicTime) async -> Void
    let report: @Sendable (_ isTrouble: Bool, String) -> Void

    var circuit = Circuit()
    /// Why the last call failed that tells of the store as a whole.
    var lastOutage = ""

    private typealias Alarm = (time: MonotonicTime, task: Task<Void, Never>)

    private var reads: CallQueue<StoredSecret?>
    private var readAllowance: Allowance
    private var writes: CallQueue<Bool>
    private var writeAllowance: Allowance
    private var readAlarm: Alarm?
    private var writeAlarm: Alarm?
    private var flights: [Int: Task<Void, Never>] = [:]
    private var departures = 0
    /// Before then nobody is told again that a budget is too small.
    private var nextComplaint = MonotonicTime(nanoseconds: 0)
    private var isClosed = false

    /// References in line, at most; the broker has a bound of its own on those who wait.
    private static let room = 20_000

    /// - Parameters:
    ///   - loop: the store's own, shared with no worker.
    ///   - client: what calls are made with.
    ///   - credentials: what they are signed with.
    ///   - clock, wallClock: monotonic time, and seconds since 1970.
    ///   - random: evenly spread words, for jitter.
    ///   - sleep: returns at that time, or when its task is cancelled.
    ///   - report: told once of each change between an open and a closed circuit, and once a minute that a budget is too small for what is asked.
    package init(
        _ settings: ParameterStoreSettings, at place: ParameterStorePlace, on loop: EventLoop, client: any HTTPClient,
        credentials: any AWSCredentialProvider, metrics: SharedShard, clock: @escaping @Sendable () -> MonotonicTime,
        wallClock: @escaping @Sendable () -> Int64, random: @escaping @Sendable () -> UInt64,
        sleep: @escaping @Sendable (MonotonicTime) async -> Void, report: @escaping @Sendable (_ isTrouble: Bool, String) -> Void
    ) {
        self.settings = settings
        self.place = place
        self.loop = loop
        self.client = client
        self.credentials = credentials
        self.metrics = metrics
        self.clock = clock
        self.wallClock = wallClock
        self.random = random
        self.sleep = sleep
        self.report = report
        let patience = (waited: Persistence.time, ahead: Duration.seconds(600))
        // `{prefix}/{project}/…`
        let skipped = settings.prefix.utf8.count + 1
        let project = { @Sendable (reference: Reference) in
            reference.path.utf8.count > skipped ? Substring(reference.path.utf8.dropFirst(skipped).prefix { $0 != UInt8(ascii: "/") }) : ""
        }
        reads = CallQueue(company: (.milliseconds(2), .seconds(1)), patience: patience, capacity: ParameterStore.room, project: project)
        writes = CallQueue(company: (.zero, .zero), patience: patience, capacity: ParameterStore.room, project: project)
        readAllowance = Allowance(settings.reads)
        writeAllowance = Allowance(settings.writes)
    }

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.serial }

    package func read(_ references: [Reference], _ urgency: ReadUrgency) async throws(StoreFault) -> [Reference: StoredSecret] {
        try refuseWhileOpen()
        var seats: [Reference: Seat<StoredSecret?>] = [:]
        for reference in references where seats[reference] == nil {
            let seat = Seat<StoredSecret?>()
            guard reads.board(reference, urgency, seat: seat, now: clock()) else {
                for (reference, seat) in seats { reads.leave(reference, seat) }
                throw crowded("reads")
            }
            seats[reference] = seat
        }
        pumpReads()
        var found: [Reference: StoredSecret] = [:]
        var fault: StoreFault?
        for (reference, seat) in seats {
            switch await seat.outcome() {
            case .success(let value): found[reference] = value
            case .failure(let reason): fault = fault ?? reason
            case nil:
                reads.leave(reference, seat)
                fault = fault ?? ParameterStore.nobodyWaits
            }
        }
        if let fault { throw fault }
        return found
    }

    package func write(_ value: Secret, to reference: Reference) async throws(StoreFault) {
        guard value.count <= settings.tier.limit else {
            throw StoreFault(
                .rejected,
                settings.tier == .standard && value.count <= ParameterTier.intelligent.limit
                    ? "\(reference): the value has \(value.count) bytes, tier standard holds 4,096: set `tier: intelligent` or `advanced`"
                    : "\(reference): the value has \(value.count) bytes, Parameter Store holds \(settings.tier.limit) at most")
        }
        try refuseWhileOpen()
        try await turn(isWrite: true, isAhead: false)
        let body = ParameterStoreBody.put(value, to: reference, key: settings.kmsKey, tier: settings.tier)
        try await insist(.putParameter, on: reference.path, body, isAhead: false) { (answer) throws(NotJSON) in try ParameterStoreAnswer.put(answer) }
    }

    /// After a first answer that was lost on its way, a repetition may find nothing left to delete.
    package func delete(_ reference: Reference) async throws(StoreFault) -> Bool {
        try refuseWhileOpen()
        let seat = Seat<Bool>()
        guard writes.board(reference, .waiting, seat: seat, now: clock()) else { throw crowded("writes") }
        pumpWrites()
        switch await seat.outcome() {
        case .success(let existed): return existed
        case .failure(let fault): throw fault
        case nil:
            writes.leave(reference, seat)
            throw ParameterStore.nobodyWaits
        }
    }

    /// Ten a call, each within the budget of reads and behind those somebody waits for.
    package func list(under root: String) async throws(StoreFault) -> [Reference] {
        let path = root.utf8.last == UInt8(ascii: "/") ? String(root.dropLast()) : root
        var found: Set<Reference> = []
        var token: [UInt8]?
        repeat {
            try refuseWhileOpen()
            try await turn(isWrite: false, isAhead: true)
            let path = path.isEmpty ? "/" : path
            let body = ParameterStoreBody.list(under: path, after: token)
            let page = try await insist(.getParametersByPath, on: path, body, isAhead: true) { (answer) throws(NotJSON) in try ParameterStoreAnswer.page(answer) }
            guard page.next == nil || page.next != token else {
                throw StoreFault(.unavailable, "\(place): the listing does not end: the same page comes again and again")
            }
            found.formUnion(page.references.filter { $0.path.utf8.starts(with: root.utf8) })
            token = page.next
        } while token != nil
        return found.sorted()
    }

    /// A harmless read, of a name below the prefix that nobody uses: whether the store answers, and lets us read there. That KMS decrypts, or that
    /// anything may be written, it does not show.
    package func probe() async throws(StoreFault) {
        guard let reference = Reference(path: "\(settings.prefix)/_check") else {
            throw StoreFault(.misconfigured, "`secrets.parameter_store.prefix` can begin no name")
        }
        _ = try await read([reference], .waiting)
    }

    /// `closed`, `half-open` or `open`.
    package var circuitWord: String { circuit.word }

    /// Whether it failed too often, and nothing has succeeded since: also while one call may try.
    package var isFailing: Bool { circuit.state != .closed }

    /// References that wait to be asked for.
    var inLine: Int { reads.count }
    var deletionsInLine: Int { writes.count }

    /// How many wait for a reference in line.
    func seats(at reference: Reference) -> Int { reads.seats(at: reference) }

    /// Ends every call under way and refuses those who wait. For the end of the process.
    package func close() {
        isClosed = true
        readAlarm?.task.cancel()
        writeAlarm?.task.cancel()
        for flight in flights.values { flight.cancel() }
        dismiss(ParameterStore.nobodyWaits)
    }

    // MARK: Turns

    /// Waits until the budget has a call for us.
    func turn(isWrite: Bool, isAhead: Bool) async throws(StoreFault) {
        guard !isClosed else { throw ParameterStore.nobodyWaits }
        let seat = Seat<Void>()
        if isWrite {
            writes.await(turn: seat, isAhead: isAhead, now: clock())
            pumpWrites()
        } else {
            reads.await(turn: seat, isAhead: isAhead, now: clock())
            pumpReads()
        }
        switch await seat.outcome() {
        case .success: return
        case .failure(let fault): throw fault
        case nil:
            reads.leave(turn: seat)
            writes.leave(turn: seat)
            throw ParameterStore.nobodyWaits
        }
    }

    /// Sends what may go, and sets the alarm for what may not yet.
    private func pumpReads() {
        readAlarm = pump(&reads, &readAllowance, budget: .reads, alarm: readAlarm) { store in
            store.readAlarm = nil
            store.pumpReads()
        } depart: { store, orders, isAhead in
            await store.fetch(orders, isAhead: isAhead)
        }
    }

    private func pumpWrites() {
        writeAlarm = pump(&writes, &writeAllowance, budget: .writes, alarm: writeAlarm) { store in
            store.writeAlarm = nil
            store.pumpWrites()
        } depart: { store, orders, _ in
            await store.remove(orders)
        }
    }

    private func pump<Value>(
        _ queue: inout CallQueue<Value>, _ allowance: inout Allowance, budget: StoreBudget, alarm: Alarm?,
        ring: @escaping @Sendable (isolated ParameterStore) -> Void,
        depart: @escaping @Sendable (isolated ParameterStore, [Order<Value>], Bool) async -> Void
    ) -> Alarm? {
        let now = clock()
        let late = queue.givenUp(now: now)
        if !late.isEmpty { sayCrowded(budget.text, now: now) }
        for order in late { order.land(.failure(crowded(budget.text))) }
        for late in queue.turnsGivenUp(now: now) { late.resume(.failure(crowded(budget.text))) }
        while true {
            switch queue.next(now: now, &allowance) {
            case .depart(let orders, let isAhead, let waited):
                if let waited { metrics.add(budget, waited: waited) }
                let flight = departures
                departures += 1
                flights[flight] = Task {
                    await depart(self, orders, isAhead)
                    self.landed(flight)
                }
            case .turn(let seat, let waited):
                if let waited { metrics.add(budget, waited: waited) }
                seat.resume(.success(()))
            case .wait(let time):
                if let alarm, alarm.time <= time { return alarm }
                alarm?.task.cancel()
                let sleep = sleep
                return (time, Task {
                    await sleep(time)
                    if !Task.isCancelled { ring(self) }
                })
            case .idle:
                return alarm
            }
        }
    }

    private func landed(_ flight: Int) {
        flights[flight] = nil
    }

    /// Lets go of all that did not leave yet.
    func dismiss(_ fault: StoreFault) {
        let (orders, turns) = reads.clear()
        let (deletions, writeTurns) = writes.clear()
        for order in orders { order.land(.failure(fault)) }
        for order in deletions { order.land(.failure(fault)) }
        for seat in turns + writeTurns { seat.resume(.failure(fault)) }
    }

    /// Once a minute, however many have no turn.
    private func sayCrowded(_ budget: String, now: MonotonicTime) {
        guard now >= nextComplaint else { return }
        nextComplaint = now.advanced(by: .seconds(60))
        report(true, crowded(budget).description)
    }

    private func crowded(_ budget: String) -> StoreFault {
        StoreFault(
            .throttled, "\(place): more is asked than `secrets.parameter_store.\(budget)` allows: raise it, if the account's limits do, or `cache.ttl`",
            retryAfter: .seconds(2))
    }

    static let nobodyWaits = StoreFault(.unavailable, "nobody waits any more")
}
