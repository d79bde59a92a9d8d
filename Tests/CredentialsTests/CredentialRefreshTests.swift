// The later life of an entry: read again ahead of its end, served past it where the store does not answer, and ended for good.

@testable import Credentials
@testable import Gateway
import Kernel
import Metrics
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2))) struct CredentialRefreshTests {
    private let ann: UserEmail
    private let crm: ServerInstance
    private let key: CacheKey
    private let reference: Reference
    private let down = StoreFault(.unavailable, "store: down")

    init() throws {
        ann = try user("ann@acme.com")
        crm = try instance(of: try server())
        key = CacheKey(crm, user: ann)
        reference = Reference(crm, user: ann)
    }

    /// Times are the settings' defaults: read again from 270 s, fresh until 300 s, usable until 1200 s.
    private func stage(settings: CacheSettings = CacheSettings(), jitter: UInt64 = 0) throws -> Stage {
        let stage = try Stage(settings: settings, jitter: jitter)
        stage.store.set(#"{"token":"t1"}"#, at: reference)
        return stage
    }

    /// A stage whose entry is `seconds` old, with a worker's view that holds it.
    private func aged(_ seconds: Double, settings: CacheSettings = CacheSettings()) async throws -> (Stage, CredentialView) {
        let stage = try stage(settings: settings)
        var view = stage.view()
        _ = view.insert(try await stage.ask(crm, ann))
        stage.clock.advance(.seconds(seconds))
        return (stage, view)
    }

    /// One whose store has failed once since the entry's time was over.
    private func failing() async throws -> Stage {
        let (stage, _) = try await aged(300)
        stage.store.state.withLock { $0.fault = down }
        #expect(try await stage.ask(crm, ann).isStale)
        await stage.settle()
        return stage
    }

    private func closedGate(_ stage: Stage) -> Gate {
        let gate = Gate()
        stage.store.state.withLock { $0.gate = gate }
        return gate
    }

    // MARK: Ahead

    @Test func `what a worker uses near its end is read again, unhurried, while it is served`() async throws {
        var (stage, view) = try await aged(270)
        let gate = closedGate(stage)
        #expect(view.lookup(key, crm, now: stage.clock.now)?.isHit == true)
        view.sweep(now: stage.clock.now)
        await stage.broker.sweep()
        while stage.store.reads < 2 { await Task.yield() }
        #expect(view.lookup(key, crm, now: stage.clock.now)?.isHit == true, "the view goes on serving")
        #expect(try await stage.ask(crm, ann).answer.isHit, "and so does the broker")
        await gate.open()
        await stage.settle()
        #expect(stage.store.urgencies == [.speculative, .ahead])
        #expect(stage.metrics.value(.cacheRefreshed) == 1)
        stage.clock.advance(.seconds(269))
        _ = try await stage.ask(crm, ann)
        #expect(stage.store.reads == 2, "its time began anew")
    }

    @Test func `a use before that has nothing read again`() async throws {
        var (stage, view) = try await aged(269.999)
        _ = view.lookup(key, crm, now: stage.clock.now)
        view.sweep(now: stage.clock.now)
        await stage.broker.sweep()
        _ = try await stage.ask(crm, ann)
        await stage.settle()
        #expect(stage.store.reads == 1)
    }

    @Test func `what was used in its time is read again before its end, in the company of others, and once`() async throws {
        var (stage, view) = try await aged(150)
        _ = view.lookup(key, crm, now: stage.clock.now)
        for second in 150..<900 {
            stage.clock.advance(.seconds(1))
            view.sweep(now: stage.clock.now)
            await stage.broker.sweep()
            await stage.settle()
            #expect(stage.store.reads == (second < 270 ? 1 : 2), "after \(second + 1) s")
        }
        #expect(stage.store.urgencies == [.speculative, .ahead])
    }

    @Test func `what nobody used in its time is not read again, and nobody holds it longer than it may be needed`() async throws {
        var (stage, view) = try await aged(150)
        for _ in 0..<150 {
            stage.clock.advance(.seconds(1))
            view.sweep(now: stage.clock.now)
            await stage.broker.sweep()
        }
        await stage.settle()
        #expect(stage.store.reads == 1)
        #expect(view.count == 0)
        #expect(await stage.broker.count == 1, "for the case that the store does not answer")
        stage.clock.advance(.seconds(900))
        await stage.broker.sweep()
        #expect(await stage.broker.count == 0)
    }

    @Test func `a use is enough whether a view has it or the broker is asked, and one read whoever uses it`() async throws {
        var (stage, view) = try await aged(270)
        var other = stage.view(worker: 1)
        _ = other.insert(try await stage.ask(crm, ann))
        await stage.settle()
        #expect(stage.store.reads == 2, "the broker was asked")
        for _ in 0..<2 {
            _ = view.lookup(key, crm, now: stage.clock.now)
            _ = other.lookup(key, crm, now: stage.clock.now)
            view.sweep(now: stage.clock.now)
            other.sweep(now: stage.clock.now)
            await stage.broker.sweep()
        }
        await stage.settle()
        #expect(stage.store.reads == 2)
    }

    @Test func `the same value leaves what was rendered and troubles no view`() async throws {
        let (stage, _) = try await aged(270)
        guard case .hit(let before) = try await stage.ask(crm, ann).answer else {
            Issue.record("a hit")
            return
        }
        let sequence = stage.broker.log.sequence
        await stage.settle()
        guard case .hit(let after) = try await stage.ask(crm, ann).answer else {
            Issue.record("a hit")
            return
        }
        #expect(stage.store.reads == 2)
        #expect(before === after, "a 401 to it is a 401 to the present value")
        #expect(stage.broker.log.sequence == sequence)
    }

    @Test func `another value is in force for every view when it is seen`() async throws {
        var (stage, view) = try await aged(270)
        stage.store.set(#"{"token":"t2"}"#, at: reference)
        _ = try await stage.ask(crm, ann)
        await stage.settle()
        #expect(view.lookup(key, crm, now: stage.clock.now) == nil)
        #expect(try await stage.ask(crm, ann).answer.lines == "X-token: t2\r\n")
    }

    @Test(arguments: [false, true]) func `a value put there by other means is in force after its time, used or not`(isUsed: Bool) async throws {
        var (stage, view) = try await aged(0)
        stage.store.set(#"{"token":"t2"}"#, at: reference)
        for _ in 0..<300 {
            stage.clock.advance(.seconds(1))
            if isUsed, view.lookup(key, crm, now: stage.clock.now) == nil { _ = view.insert(try await stage.ask(crm, ann)) }
            view.sweep(now: stage.clock.now)
            await stage.broker.sweep()
            await stage.settle()
        }
        let answer = if let known = view.lookup(key, crm, now: stage.clock.now) { known } else { view.insert(try await stage.ask(crm, ann)) }
        #expect(answer.lines == "X-token: t2\r\n")
        #expect(stage.store.reads == 2)
    }

    @Test func `a deletion seen ahead ends it at once, for every view`() async throws {
        var (stage, view) = try await aged(270)
        stage.store.state.withLock { _ = $0.values.removeValue(forKey: reference) }
        _ = try await stage.ask(crm, ann)
        await stage.settle()
        stage.store.state.withLock { $0.fault = down }
        #expect(view.lookup(key, crm, now: stage.clock.now) == nil)
        #expect(try await stage.ask(crm, ann).answer.isMissing)
        stage.clock.advance(.seconds(5))
        await #expect { try await stage.ask(crm, ann) } throws: { ($0 as? Refusal)?.code == .storeUnavailable }
    }

    @Test func `a deposit overtakes what is being read ahead`() async throws {
        let (stage, _) = try await aged(270)
        let gate = closedGate(stage)
        _ = try await stage.ask(crm, ann)
        while stage.store.reads < 2 { await Task.yield() }
        try await stage.broker.deposit(try fields("new"), at: crm, user: ann)
        await gate.open()
        await stage.settle()
        #expect(await stage.broker.count == 0, "what was read before the deposit is not kept")
        #expect(try await stage.ask(crm, ann).answer.lines == "X-token: new\r\n")
    }

    @Test func `what fails ahead is served to its end, and past it without a wait`() async throws {
        var (stage, view) = try await aged(270)
        stage.store.state.withLock { $0.fault = down }
        for second in 0..<40 {
            let known = view.lookup(key, crm, now: stage.clock.now)
            let answer = if let known { known } else { view.insert(try await stage.ask(crm, ann)) }
            #expect(answer.lines == "X-token: t1\r\n", "\(second)")
            view.sweep(now: stage.clock.now)
            await stage.broker.sweep()
            await stage.settle()
            stage.clock.advance(.seconds(1))
        }
        #expect(stage.store.urgencies.dropFirst().allSatisfy { $0 == .ahead }, "nobody waited")
        #expect(stage.metrics.value(.cacheRefreshFailed) == UInt64(stage.store.reads - 1))
    }

    @Test func `one who has nothing usable does not stand in the row of those who can wait`() async throws {
        var settings = CacheSettings()
        settings.staleIfError = .zero
        let (stage, _) = try await aged(270, settings: settings)
        let gate = closedGate(stage)
        _ = try await stage.ask(crm, ann)
        while stage.store.reads < 2 { await Task.yield() }
        stage.clock.advance(.seconds(30))
        #expect(try await stage.ask(crm, ann).answer.isHit)
        #expect(stage.store.urgencies == [.speculative, .ahead, .waiting])
        #expect(await stage.broker.underWay == 0)
        await gate.open()
        #expect(try await stage.ask(crm, ann).answer.isHit)
        #expect(stage.metrics.value(.storeFailures) == 0)
    }

    @Test func `closing ends what is being read ahead`() async throws {
        let (stage, _) = try await aged(270)
        let gate = closedGate(stage)
        _ = try await stage.ask(crm, ann)
        while stage.store.reads < 2 { await Task.yield() }
        await stage.broker.close()
        #expect(await stage.broker.allAreCancelled)
        await gate.open()
        await stage.settle()
    }

    // MARK: Past its time

    @Test func `while the store fails it is served, to the end of the time of need and not beyond`() async throws {
        let stage = try await failing()
        for _ in 0..<900 {
            #expect(try await stage.ask(crm, ann).answer.lines == "X-token: t1\r\n")
            await stage.settle()
            stage.clock.advance(.seconds(1) - .nanoseconds(1))
            await stage.broker.sweep()
        }
        stage.clock.advance(.nanoseconds(899))
        #expect(try await stage.ask(crm, ann).isStale)
        stage.clock.advance(.nanoseconds(1))
        await #expect { try await stage.ask(crm, ann) } throws: { error in
            guard let refusal = error as? Refusal else { return false }
            return refusal.code == .storeUnavailable && refusal.retryAfter != nil
        }
        #expect(stage.metrics.value(.cacheStale) == 902)
        #expect(stage.store.reads < 70, "attempts are spaced: by half a minute in the end, of which chance takes half here")
    }

    @Test func `no view holds what is past its time beyond the next attempt or the time of need`() async throws {
        let stage = try await failing()
        var view = stage.view()
        let cached = try await stage.ask(crm, ann)
        _ = view.insert(cached)
        #expect(cached.freshUntil.duration(since: stage.clock.now) <= .seconds(1))
        stage.clock.advance(.seconds(899.5))
        _ = view.insert(try await stage.ask(crm, ann))
        stage.clock.advance(.seconds(0.5))
        #expect(view.lookup(key, crm, now: stage.clock.now) == nil)
    }

    @Test func `between attempts nobody asks the store, and an attempt lets nobody wait`() async throws {
        let stage = try await failing()
        let reads = stage.store.reads
        for _ in 0..<10 { #expect(try await stage.ask(crm, ann).isStale) }
        await stage.settle()
        #expect(stage.store.reads == reads)
        stage.clock.advance(.seconds(1))
        let gate = closedGate(stage)
        for _ in 0..<10 { #expect(try await stage.ask(crm, ann).isStale) }
        while stage.store.reads == reads { await Task.yield() }
        #expect(await stage.broker.waiting == 0)
        await gate.open()
        await stage.settle()
        #expect(stage.store.reads == reads + 1)
        #expect(stage.store.urgencies.last == .ahead)
    }

    @Test func `when the store answers again it is fresh again`() async throws {
        let stage = try await failing()
        stage.store.set(#"{"token":"t2"}"#, at: reference)
        stage.store.state.withLock { $0.fault = nil }
        stage.clock.advance(.seconds(1))
        #expect(try await stage.ask(crm, ann).isStale)
        await stage.settle()
        let cached = try await stage.ask(crm, ann)
        #expect(!cached.isStale)
        #expect(cached.answer.lines == "X-token: t2\r\n")
    }

    @Test func `a deletion seen ends it, though the store fails again`() async throws {
        let stage = try await failing()
        stage.store.state.withLock {
            $0.fault = nil
            $0.values = [:]
        }
        stage.clock.advance(.seconds(1))
        #expect(try await stage.ask(crm, ann).isStale, "not seen yet")
        await stage.settle()
        stage.store.state.withLock { $0.fault = down }
        #expect(try await stage.ask(crm, ann).answer.isMissing)
        stage.clock.advance(.seconds(5))
        await #expect(throws: Refusal.self) { try await stage.ask(crm, ann) }
    }

    @Test func `a deletion made here ends it at once, in every view`() async throws {
        let stage = try await failing()
        var view = stage.view()
        _ = view.insert(try await stage.ask(crm, ann))
        _ = try await stage.broker.delete(at: crm, user: ann)
        #expect(view.lookup(key, crm, now: stage.clock.now) == nil)
        await #expect { try await stage.ask(crm, ann) } throws: { ($0 as? Refusal)?.code == .storeUnavailable }
    }

    @Test func `a store that answers in a moment is waited for`() async throws {
        let (stage, _) = try await aged(300)
        stage.store.set(#"{"token":"t2"}"#, at: reference)
        let cached = try await stage.ask(crm, ann)
        #expect(!cached.isStale)
        #expect(cached.answer.lines == "X-token: t2\r\n")
        #expect(stage.store.urgencies == [.speculative, .waiting])
        #expect(stage.metrics.value(.cacheMisses) == 2)
    }

    @Test func `a store that takes longer than a moment is waited for once`() async throws {
        let (stage, _) = try await aged(300)
        let gate = closedGate(stage)
        let (crm, ann) = (crm, ann)
        let first = Task { try await stage.ask(crm, ann) }
        while await stage.broker.waiting < 1 { await Task.yield() }
        stage.clock.advance(CredentialBroker.grace - .nanoseconds(1))
        let second = Task { try await stage.ask(crm, ann) }
        while await stage.broker.waiting < 2 { await Task.yield() }
        await stage.broker.sweep()
        #expect(await stage.broker.waiting == 2)
        stage.clock.advance(.nanoseconds(1))
        await stage.broker.sweep()
        #expect(try await first.value.isStale)
        #expect(try await second.value.isStale)
        #expect(try await stage.ask(crm, ann).isStale, "who comes later does not wait")
        #expect(stage.metrics.value(.cacheStale) == 3)
        await gate.open()
        await stage.settle()
        #expect(try await !stage.ask(crm, ann).isStale)
        #expect(stage.store.reads == 2)
    }

    @Test func `the moment ends without a sweep`() async throws {
        let (stage, _) = try await aged(300)
        let gate = closedGate(stage)
        let (crm, ann) = (crm, ann)
        let waiting = Task { try await stage.ask(crm, ann) }
        while await stage.broker.waiting < 1 { await Task.yield() }
        stage.clock.advance(CredentialBroker.grace)
        #expect(try await waiting.value.isStale)
        await gate.open()
    }

    @Test func `who waits while it is invalidated is not served the old one`() async throws {
        let (stage, _) = try await aged(300)
        let gate = closedGate(stage)
        let (crm, ann) = (crm, ann)
        let waiting = Task { try await stage.ask(crm, ann) }
        while await stage.broker.waiting < 1 { await Task.yield() }
        try await stage.broker.deposit(try fields("new"), at: crm, user: ann)
        stage.clock.advance(CredentialBroker.grace)
        await stage.broker.sweep()
        #expect(try await waiting.value.answer.lines == "X-token: new\r\n")
        await gate.open()
    }

    @Test func `what may not be injected is not served past its time`() async throws {
        let stage = try stage()
        stage.store.set(#"{"other":"x"}"#, at: reference)
        #expect(try await stage.ask(crm, ann).answer.invalidity != nil)
        stage.store.state.withLock { $0.fault = down }
        stage.clock.advance(.seconds(300))
        await #expect { try await stage.ask(crm, ann) } throws: { ($0 as? Refusal)?.code == .storeUnavailable }
    }

    // MARK: A credential's own expiry

    @Test func `nothing is served past its own expiry, whatever the store does`() async throws {
        let stage = try stage()
        let now = stage.clock.now
        let token = Credential(fields: try fields("token"), origin: crm.server.origin, expiry: now.advanced(by: .seconds(400)))
        let held = Held(
            number: 0, content: .stored(token), for: Held.Asker(instance: crm, user: ann), at: now,
            Lifetime(of: CacheSettings(), at: now, expiry: token.expiry) { 0 })
        _ = await stage.broker.keep(held, for: key, now: now)
        stage.store.state.withLock { $0.fault = down }
        stage.clock.advance(.seconds(400) - .nanoseconds(1))
        var view = stage.view()
        let cached = try await stage.ask(crm, ann)
        #expect(cached.isStale)
        #expect(view.insert(cached).lines == "X-token: token\r\n")
        stage.clock.advance(.nanoseconds(1))
        #expect(view.lookup(key, crm, now: stage.clock.now) == nil)
        await #expect { try await stage.ask(crm, ann) } throws: { ($0 as? Refusal)?.code == .storeUnavailable }
    }

    // MARK: Room

    @Test func `what only the views use is not pushed out of the broker by strangers`() async throws {
        var settings = CacheSettings()
        settings.capacity = 20
        let stage = try stage(settings: settings)
        var view = stage.view()
        _ = view.insert(try await stage.ask(crm, ann))
        _ = view.lookup(key, crm, now: stage.clock.now)
        view.sweep(now: stage.clock.now)
        await stage.broker.sweep()
        for n in 0..<200 {
            let stranger = try user("u\(n)@acme.com")
            if n % 2 == 0 { stage.store.set(#"{"token":"x"}"#, at: Reference(crm, user: stranger)) }
            _ = try await stage.ask(crm, stranger)
        }
        let reads = stage.store.reads
        _ = try await stage.ask(crm, ann)
        #expect(stage.store.reads == reads)
        #expect(await stage.broker.count == 22)
    }
}
