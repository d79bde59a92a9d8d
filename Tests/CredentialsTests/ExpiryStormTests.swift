// Ten thousand entries that end together, over a store that gives three hundred values a second: nobody is refused, nobody waits.

@testable import Credentials
@testable import Gateway
import Kernel
import Metrics
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2))) struct ExpiryStormTests {
    @Test func `those in use are read again in time, most of them, and the others served meanwhile`() async throws {
        var storm = try await Storm()
        storm.stage.clock.advance(.seconds(265))
        await withDiscardingTaskGroup { group in
            // Everybody asks once in twenty seconds, from before the time to read ahead until the last one has been read.
            for tick in 0..<240 {
                for n in 0..<125 { storm.ask((tick * 125 + n) % Storm.users, in: &group) }
                await storm.pass()
            }
            storm.store.open()
        }
        #expect(storm.tally.refused == 0)
        #expect(storm.tally.served == 30_000)
        #expect(storm.tally.longest <= CredentialBroker.grace)
        #expect(storm.tally.stale < Storm.users / 4)
        #expect(storm.stage.metrics.value(.cacheRefreshed) == UInt64(Storm.users), "each once")
    }

    @Test func `those who all come back after the end are served all the same, and read again as the store can`() async throws {
        var storm = try await Storm()
        storm.stage.clock.advance(.seconds(301))
        await withDiscardingTaskGroup { group in
            for tick in 0..<160 {
                // At first a hundred more than may wait.
                let count = tick == 0 ? Storm.users + 100 : 250
                for n in 0..<count { storm.ask((tick * 250 + n) % Storm.users, in: &group) }
                await storm.pass()
            }
            storm.store.open()
        }
        #expect(storm.tally.refused == 0)
        #expect(storm.tally.served == Storm.users + 100 + 159 * 250)
        #expect(storm.tally.longest <= CredentialBroker.grace)
        #expect(storm.stage.metrics.value(.cacheRefreshed) == UInt64(Storm.users), "each once")
    }

    @Test func `a store that fails for ten minutes costs nobody a request, and is asked a bounded number of times`() async throws {
        var storm = try await Storm()
        storm.stage.clock.advance(.seconds(301))
        storm.store.fail()
        await withDiscardingTaskGroup { group in
            // One of a hundred users, each once a second, is enough to see the spacing.
            for _ in 0..<600 {
                for n in 0..<100 { storm.ask(n, in: &group) }
                for _ in 0..<4 { await storm.pass() }
            }
        }
        #expect(storm.tally.refused == 0)
        #expect(storm.tally.served == 60_000)
        // Half a minute apart in the end, of which chance takes half here.
        #expect(storm.store.failures < 100 * 50)
    }
}

/// Everybody's credential is cached, and all end at the same instant.
private struct Storm {
    static let users = 10_000
    private static let valuesASecond = 300
    /// Four a second: as long as a moment.
    private static let tick = CredentialBroker.grace

    let store = PacedStore()
    let stage: Stage
    let tally = Tally()
    private let crm: ServerInstance
    private let people: [UserEmail]
    private var view: CredentialView
    private var started = 0

    init() async throws {
        crm = try instance(of: try server())
        people = try (0..<Storm.users).map { try user("u\($0)@acme.com") }
        stage = try Stage(store: store)
        view = stage.view(capacity: Storm.users)
        for person in people { _ = view.insert(try await stage.ask(crm, person)) }
        store.limit()
    }

    /// One asks: his view, or else the broker, as a request does.
    mutating func ask(_ number: Int, in group: inout DiscardingTaskGroup) {
        started += 1
        let person = people[number]
        if view.lookup(CacheKey(crm, user: person), crm, now: stage.clock.now)?.isHit == true {
            tally.state.withLock { $0.served += 1 }
            return
        }
        let (stage, crm, tally, asked) = (stage, crm, tally, stage.clock.now)
        group.addTask {
            let cached = try? await stage.ask(crm, person)
            tally.record(cached, after: stage.clock.now.duration(since: asked))
        }
    }

    /// A tick passes: the store gives what it can, everybody sweeps, and all that can go on goes on.
    mutating func pass() async {
        await settle()
        stage.clock.advance(Storm.tick)
        store.give(Storm.valuesASecond / 4)
        view.sweep(now: stage.clock.now)
        await stage.broker.sweep()
        await settle()
        for cached in tally.take() { _ = view.insert(cached) }
    }

    /// Until all who asked are served, refused or waiting, and all reads have reached the store or landed.
    private func settle() async {
        while await stage.broker.underWay > store.queued { await Task.yield() }
        while tally.served + tally.refused + (await stage.broker.waiting) < started { await Task.yield() }
    }
}

/// What happened to those who asked.
private final class Tally: Sendable {
    struct State {
        var served = 0
        var stale = 0
        var refused = 0
        var longest = Duration.zero
        var answers: [CachedCredential] = []
    }

    let state = Mutex(State())

    var served: Int { state.withLock { $0.served } }
    var stale: Int { state.withLock { $0.stale } }
    var refused: Int { state.withLock { $0.refused } }
    var longest: Duration { state.withLock { $0.longest } }

    func record(_ cached: CachedCredential?, after wait: Duration) {
        state.withLock { state in
            guard let cached, cached.answer.isHit else {
                state.refused += 1
                return
            }
            state.served += 1
            if cached.isStale { state.stale += 1 }
            state.longest = max(state.longest, wait)
            state.answers.append(cached)
        }
    }

    func take() -> [CachedCredential] {
        state.withLock { state in
            defer { state.answers = [] }
            return state.answers
        }
    }
}

/// The same value for everybody, at once, or when it is given: first to those for whom a request waits.
private final class PacedStore: SecretStore {
    private struct State {
        var isOpen = true
        var isFailing = false
        var failures = 0
        var urgent: [CheckedContinuation<Void, Never>] = []
        var patient: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// How many reads wait to be given their value.
    var queued: Int { state.withLock { $0.urgent.count + $0.patient.count } }

    var failures: Int { state.withLock { $0.failures } }

    func limit() { state.withLock { $0.isOpen = false } }

    func open() {
        state.withLock { $0.isOpen = true }
        give(.max)
    }

    func fail() { state.withLock { $0.isFailing = true } }

    func give(_ count: Int) {
        let chosen = state.withLock { state in
            let urgent = Array(state.urgent.prefix(count))
            let patient = Array(state.patient.prefix(count - urgent.count))
            state.urgent.removeFirst(urgent.count)
            state.patient.removeFirst(patient.count)
            return urgent + patient
        }
        for one in chosen { one.resume() }
    }

    func read(_ references: [Reference], _ urgency: ReadUrgency) async throws(StoreFault) -> [Reference: StoredSecret] {
        let fails = state.withLock { state in
            if state.isFailing { state.failures += 1 }
            return state.isFailing
        }
        if fails { throw StoreFault(.unavailable, "store: down") }
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen {
                    switch urgency {
                    case .waiting, .speculative: state.urgent.append(continuation)
                    case .ahead: state.patient.append(continuation)
                    }
                }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
        return Dictionary(uniqueKeysWithValues: references.map { ($0, .value(Secret(#"{"token":"t"}"#))) })
    }

    func write(_ value: Secret, to reference: Reference) async throws(StoreFault) {}

    func delete(_ reference: Reference) async throws(StoreFault) -> Bool { false }

    func list(under root: String) async throws(StoreFault) -> [Reference] { [] }
}
