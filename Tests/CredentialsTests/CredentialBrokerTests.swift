// CredentialBroker: one read however many ask, times kept to the nanosecond, and no answer that is not the store's or the origin's.

@testable import Credentials
@testable import Gateway
import Kernel
import Metrics
import Synchronization
import Testing

@Suite struct CredentialBrokerTests {
    private let ann: UserEmail
    private let crm: ServerInstance

    init() throws {
        ann = try user("ann@acme.com")
        crm = try instance(of: try server())
    }

    /// Nothing is read ahead and nothing served past its time: that is `CredentialRefreshTests`'.
    private func stage(token: String? = "t1", capacity: Int = 100_000, jitter: UInt64 = 0) throws -> Stage {
        var settings = CacheSettings()
        settings.capacity = capacity
        settings.refreshAhead = .zero
        settings.staleIfError = .zero
        let stage = try Stage(settings: settings, jitter: jitter)
        if let token { stage.store.set("{\"token\":\"\(token)\"}", at: Reference(crm, user: ann)) }
        return stage
    }

    // MARK: One read

    @Test func `a credential is read once and kept for its time`() async throws {
        let stage = try stage()
        #expect(try await stage.ask(crm, ann).answer.lines == "X-token: t1\r\n")
        stage.clock.advance(.seconds(300) - .nanoseconds(1))
        _ = try await stage.ask(crm, ann)
        #expect(stage.store.reads == 1)
        stage.clock.advance(.nanoseconds(1))
        _ = try await stage.ask(crm, ann)
        #expect(stage.store.reads == 2)
    }

    @Test func `a thousand concurrent misses make one read`() async throws {
        let stage = try stage()
        let gate = Gate()
        stage.store.state.withLock { $0.gate = gate }
        let (crm, ann) = (crm, ann)
        await withTaskGroup(of: String?.self) { group in
            for _ in 0..<1_000 { group.addTask { try? await stage.ask(crm, ann).answer.lines } }
            while await stage.broker.waiting < 1_000 { await Task.yield() }
            await gate.open()
            for await lines in group { #expect(lines == "X-token: t1\r\n") }
        }
        #expect(stage.store.reads == 1)
        #expect(stage.metrics.value(.cacheMisses) == 1)
        #expect(stage.metrics.value(.cacheJoined) == 999)
        #expect(stage.metrics.value(.storeReads) == 1)
    }

    @Test func `two users and two projects never share an answer`() async throws {
        let stage = try stage()
        let bob = try user("bob@acme.com")
        let other = try instance(of: crm.server, project: "globex")
        stage.store.set(#"{"token":"t2"}"#, at: Reference(crm, user: bob))
        stage.store.set(#"{"token":"t3"}"#, at: Reference(other, user: ann))
        #expect(try await stage.ask(crm, ann).answer.lines == "X-token: t1\r\n")
        #expect(try await stage.ask(crm, bob).answer.lines == "X-token: t2\r\n")
        #expect(try await stage.ask(other, ann).answer.lines == "X-token: t3\r\n")
        #expect(try await stage.ask(crm, try user("carol@acme.com")).answer.isMissing)
    }

    @Test func `project level is one credential for all, and user level never falls back on it`() async throws {
        let stage = try stage(token: nil)
        let shared = try instance(of: crm.server, level: .project)
        stage.store.set(#"{"token":"shared"}"#, at: Reference(shared, user: nil))
        #expect(try await stage.ask(shared, ann).answer.lines == "X-token: shared\r\n")
        #expect(try await stage.ask(shared, try user("bob@acme.com")).answer.lines == "X-token: shared\r\n")
        #expect(stage.store.reads == 1)
        #expect(try await stage.ask(crm, ann).answer.isMissing)
    }

    // MARK: Waiting

    @Test func `one who leaves does not end the fetch for the others`() async throws {
        let stage = try stage()
        let gate = Gate()
        stage.store.state.withLock { $0.gate = gate }
        let (crm, ann) = (crm, ann)
        let leaving = Task { try await stage.ask(crm, ann) }
        let staying = Task { try await stage.ask(crm, ann) }
        while await stage.broker.waiting < 2 { await Task.yield() }
        leaving.cancel()
        await #expect(throws: Refusal.self) { try await leaving.value }
        await gate.open()
        #expect(try await staying.value.answer.lines == "X-token: t1\r\n")
        #expect(stage.store.reads == 1)
    }

    @Test func `a fetch that nobody waits for any more still lands in the cache`() async throws {
        let stage = try stage()
        let gate = Gate()
        stage.store.state.withLock { $0.gate = gate }
        let (crm, ann) = (crm, ann)
        let leaving = Task { try await stage.ask(crm, ann) }
        while await stage.broker.waiting < 1 { await Task.yield() }
        leaving.cancel()
        _ = await leaving.result
        await gate.open()
        while await stage.broker.count < 1 { await Task.yield() }
        _ = try await stage.ask(crm, ann)
        #expect(stage.store.reads == 1)
    }

    @Test func `one who comes already cancelled is let go`() async throws {
        let stage = try stage()
        let gate = Gate()
        stage.store.state.withLock { $0.gate = gate }
        let (crm, ann) = (crm, ann)
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await stage.ask(crm, ann)
        }
        task.cancel()
        await #expect(throws: Refusal.self) { try await task.value }
        await gate.open()
    }

    @Test func `who waits ten seconds is told to come back, and the fetch goes on`() async throws {
        let stage = try stage()
        let gate = Gate()
        stage.store.state.withLock { $0.gate = gate }
        let (crm, ann) = (crm, ann)
        let early = Task { try await stage.ask(crm, ann) }
        while await stage.broker.waiting < 1 { await Task.yield() }
        stage.clock.advance(.seconds(5))
        let later = Task { try await stage.ask(crm, ann) }
        while await stage.broker.waiting < 2 { await Task.yield() }
        stage.clock.advance(.seconds(5))
        await stage.broker.sweep()
        await #expect { try await early.value } throws: { error in
            guard let refusal = error as? Refusal else { return false }
            return refusal.code == .storeUnavailable && refusal.retryAfter != nil
        }
        await gate.open()
        #expect(try await later.value.answer.lines == "X-token: t1\r\n")
        #expect(stage.store.reads == 1)
    }

    // MARK: Absence and failure

    @Test func `an absent credential is known to be absent for a short time`() async throws {
        let stage = try stage(token: nil)
        #expect(try await stage.ask(crm, ann).answer.isMissing)
        stage.clock.advance(.seconds(5) - .nanoseconds(1))
        #expect(try await stage.ask(crm, ann).answer.isMissing)
        #expect(stage.store.reads == 1)
        #expect(stage.metrics.value(.cacheNegativeHits) == 1)
        stage.clock.advance(.nanoseconds(1))
        stage.store.set(#"{"token":"put by other means"}"#, at: Reference(crm, user: ann))
        #expect(try await stage.ask(crm, ann).answer.lines != nil)
    }

    @Test func `what was deposited is asked for before what nobody is known to have`() async throws {
        let stage = try stage(token: nil)
        _ = try await stage.ask(crm, ann)
        try await stage.broker.deposit([try #require(FieldName("token")): Secret("t2")], at: crm, user: ann)
        _ = try await stage.ask(crm, ann)
        #expect(stage.store.urgencies == [.speculative, .waiting])
    }

    @Test func `a deposit ends what is remembered of a failure`() async throws {
        let stage = try stage()
        stage.store.state.withLock { $0.fault = StoreFault(.unavailable, "down") }
        await #expect(throws: Refusal.self) { try await stage.ask(crm, ann) }
        stage.store.state.withLock { $0.fault = nil }
        try await stage.broker.deposit([try #require(FieldName("token")): Secret("t2")], at: crm, user: ann)
        #expect(try await stage.ask(crm, ann).answer.isHit)
    }

    @Test func `a missing credential's refusal says where to connect`() async throws {
        let stage = try stage(token: nil)
        let cached = try await stage.ask(crm, ann)
        #expect { try cached.answer.credential(at: crm, portalURL: "https://connect.example.com") } throws: { error in
            guard let refusal = error as? Refusal else { return false }
            return refusal.code == .credentialMissing && refusal.connect?.url == "https://connect.example.com/connect/acme/crm"
        }
    }

    @Test func `a store that fails is asked again a second later, and nothing is kept`() async throws {
        let stage = try stage()
        stage.store.state.withLock { $0.fault = StoreFault(.unavailable, "disk: gone") }
        for _ in 0..<5 {
            await #expect { try await stage.ask(crm, ann) } throws: { error in
                guard let refusal = error as? Refusal else { return false }
                return refusal.code == .storeUnavailable && refusal.retryAfter != nil && refusal.detail == "disk: gone"
            }
        }
        #expect(stage.store.reads == 1, "who asks again and again does not take the store's budget")
        stage.clock.advance(CredentialBroker.failureSpan)
        stage.store.state.withLock { $0.fault = nil }
        #expect(try await stage.ask(crm, ann).answer.lines == "X-token: t1\r\n")
        #expect(stage.metrics.value(.storeFailures) == 1)
    }

    @Test func `while the store is down what is cached is used`() async throws {
        let stage = try stage()
        _ = try await stage.ask(crm, ann)
        stage.store.state.withLock { $0.fault = StoreFault(.unavailable, "disk: gone") }
        #expect(try await stage.ask(crm, ann).answer.lines == "X-token: t1\r\n")
    }

    @Test func `a ledger that fails is a store that fails`() async throws {
        let stage = try stage()
        stage.ledger.state.withLock { $0.callsLeft = 0 }
        await #expect { try await stage.ask(crm, ann) } throws: { ($0 as? Refusal)?.code == .storeUnavailable }
    }

    @Test(arguments: ["not json", "{\"other\":\"x\"}", "{\"token\":\"\"}", "{\"token\":\"a\\r\\nX-Evil: 1\"}", "{\"token\":7}"])
    func `a value that may not be injected is no credential, and its words are not repeated`(json: String) async throws {
        let stage = try stage(token: nil)
        stage.store.set(json, at: Reference(crm, user: ann))
        let cached = try await stage.ask(crm, ann)
        let why = try #require(cached.answer.invalidity)
        #expect(!why.contains("Evil"))
        #expect { try cached.answer.credential(at: crm, portalURL: "") } throws: { ($0 as? Refusal)?.code == .credentialInvalid }
        stage.clock.advance(.seconds(5))
        _ = try await stage.ask(crm, ann)
        #expect(stage.store.reads == 2, "looked at again after a short time")
    }

    @Test func `a damaged value is no credential`() async throws {
        let stage = try stage(token: nil)
        stage.store.state.withLock { _ = $0.damaged.insert(Reference(crm, user: ann)) }
        #expect(try await stage.ask(crm, ann).answer.invalidity == "crm: damaged")
    }

    // MARK: Origin

    @Test func `a value that nobody recorded is adopted for the origin that asks first, and for no other`() async throws {
        let stage = try stage()
        _ = try await stage.ask(crm, ann)
        let reference = Reference(crm, user: ann)
        #expect(stage.ledger.state.withLock { $0.deposits[reference]?.origin } == crm.server.origin)
        let moved = try instance(of: try server(host: "evil.example.com"))
        #expect(try await stage.ask(moved, ann).answer.isMissing)
        #expect(try await stage.ask(crm, ann).answer.lines == "X-token: t1\r\n")
        #expect(stage.store.reads == 1)
    }

    @Test(arguments: ["http://crm.example.com:443", "https://crm.example.com:444", "https://www.crm.example.com:443"])
    func `another scheme, port or host is another origin`(origin: String) async throws {
        let stage = try stage()
        let parts = origin.split(separator: ":")
        let recorded = Origin(
            scheme: parts[0] == "http" ? .http : .https, host: String(parts[1].dropFirst(2)), port: try #require(UInt16(parts[2])))
        let present = Deposit(at: crm, user: ann, prefix: "", now: 0)
        let older = Deposit(
            reference: present.reference, project: present.project, server: present.server, level: .user, user: ann, origin: recorded,
            depositedAt: 0, updatedAt: 0)
        stage.ledger.state.withLock { $0.deposits[older.reference] = older }
        #expect(try await stage.ask(crm, ann).answer.isMissing)
    }

    // MARK: Time and room

    @Test func `a reload renders anew without asking the store`() async throws {
        let stage = try stage()
        let first = try await stage.ask(crm, ann)
        let reloaded = try instance(of: try server())
        let second = try await stage.ask(reloaded, ann)
        #expect(second.answer.lines == first.answer.lines)
        #expect(second.server === reloaded.server)
        #expect(stage.store.reads == 1)
    }

    @Test(arguments: [UInt64.zero, .max / 2, .max]) func `jitter takes at most a tenth`(random: UInt64) async throws {
        let stage = try stage(jitter: random)
        _ = try await stage.ask(crm, ann)
        stage.clock.advance(.seconds(270) - .milliseconds(1))
        _ = try await stage.ask(crm, ann)
        #expect(stage.store.reads == 1)
        stage.clock.advance(.seconds(30))
        _ = try await stage.ask(crm, ann)
        #expect(stage.store.reads == (random == 0 ? 1 : 2))
    }

    @Test func `what is past its time is dropped though nobody asks`() async throws {
        let stage = try stage()
        _ = try await stage.ask(crm, ann)
        stage.clock.advance(.seconds(300) - .nanoseconds(1))
        await stage.broker.sweep()
        #expect(await stage.broker.count == 1)
        stage.clock.advance(.nanoseconds(1))
        await stage.broker.sweep()
        #expect(await stage.broker.count == 0)
    }

    @Test func `the cache holds no more than its capacity`() async throws {
        let stage = try stage(capacity: 10)
        for n in 0..<50 {
            let user = try user("u\(n)@acme.com")
            if n < 30 { stage.store.set(#"{"token":"x"}"#, at: Reference(crm, user: user)) }
            _ = try await stage.ask(crm, user)
        }
        #expect(await stage.broker.count == 11, "and a tenth as many that are missing")
        #expect(stage.metrics.value(.cacheEvicted) == 20 + 19)
        #expect(stage.metrics.value(.brokerEntries) == 11)
        stage.clock.advance(.seconds(300))
        await stage.broker.sweep()
        #expect(stage.metrics.value(.brokerEntries) == 0)
    }

    @Test func `closing lets everybody go`() async throws {
        let stage = try stage()
        let gate = Gate()
        stage.store.state.withLock { $0.gate = gate }
        let (crm, ann) = (crm, ann)
        let waiting = Task { try await stage.ask(crm, ann) }
        while await stage.broker.waiting < 1 { await Task.yield() }
        await stage.broker.close()
        await #expect(throws: Refusal.self) { try await waiting.value }
        await gate.open()
    }
}
