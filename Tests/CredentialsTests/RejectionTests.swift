// What the broker does where a server answers 401: one read however many were rejected, that value only, and a record of it.

@testable import Credentials
@testable import Gateway
import Kernel
import Metrics
import Synchronization
import Testing

@Suite struct RejectionTests {
    private let ann: UserEmail
    private let crm: ServerInstance
    private let reference: Reference

    init() throws {
        ann = try user("ann@acme.com")
        crm = try instance(of: try server())
        reference = Reference(crm, user: ann)
    }

    private func stage(ttl: Duration = .seconds(300)) throws -> Stage {
        var settings = CacheSettings()
        settings.ttl = ttl
        let stage = try Stage(settings: settings)
        put("t1", into: stage)
        return stage
    }

    private func put(_ token: String, into stage: Stage) {
        stage.store.set("{\"token\":\"\(token)\"}", at: reference)
    }

    /// What a worker would send.
    private func sent(_ stage: Stage) async throws -> RenderedCredential {
        guard case .hit(let rendered) = try await stage.ask(crm, ann).answer else { throw CredentialFault(field: try #require(FieldName("token")), problem: .missing) }
        return rendered
    }

    /// The lines of the other value, or why there is none.
    private func rejected(_ sent: RenderedCredential, _ stage: Stage) async throws(Refusal) -> String {
        switch try await stage.broker.rejected(sent, for: CacheKey(crm, user: ann), at: crm, user: ann) {
        case .another(let cached): cached.answer.lines ?? "another that is no hit"
        case .nothing(let why): why
        }
    }

    private func rejectedAt(_ stage: Stage) -> Int64? {
        stage.ledger.state.withLock { $0.deposits[reference]?.rejectedAt }
    }

    private func records(_ stage: Stage) -> Int { stage.ledger.state.withLock { $0.rejections } }

    /// Lets others go on until something is so, which it is soon or never.
    private func settled(_ claim: () async -> Bool) async {
        for _ in 0..<1_000_000 {
            if await claim() { return }
            await Task.yield()
        }
        Issue.record("it never came to that")
    }

    // MARK: The store has another value

    @Test func `a value that was replaced underneath is read at once, and is what everybody gets from then on`() async throws {
        let stage = try stage()
        let old = try await sent(stage)
        put("t2", into: stage)
        let before = stage.broker.log.sequence
        #expect(try await rejected(old, stage) == "X-token: t2\r\n")
        #expect(stage.store.reads == 2)
        #expect(stage.broker.log.sequence == before + 1, "views forget the old one")
        #expect(try await stage.ask(crm, ann).answer.lines == "X-token: t2\r\n")
        #expect(try await rejected(old, stage) == "X-token: t2\r\n", "the newer one stays")
        #expect(stage.store.reads == 2)
        #expect(rejectedAt(stage) == nil)
    }

    @Test func `a hundred rejections of one value make one read and one entry in the log`() async throws {
        let stage = try stage()
        let old = try await sent(stage)
        put("t2", into: stage)
        let gate = Gate()
        stage.store.state.withLock { $0.gate = gate }
        let before = stage.broker.log.sequence
        await withTaskGroup(of: String?.self) { group in
            for _ in 0..<100 { group.addTask { try? await self.rejected(old, stage) } }
            await settled { await stage.broker.waiting == 100 }
            await gate.open()
            for await answer in group { #expect(answer == "X-token: t2\r\n") }
        }
        #expect(stage.store.reads == 2)
        #expect(stage.broker.log.sequence == before + 1)
    }

    @Test func `a value that came by a deposit meanwhile is the answer, without a read for it`() async throws {
        let stage = try stage()
        let old = try await sent(stage)
        try await stage.broker.deposit(try fields("t2"), at: crm, user: ann)
        #expect(try await rejected(old, stage) == "X-token: t2\r\n")
        #expect(try await rejected(old, stage) == "X-token: t2\r\n")
        #expect(stage.store.reads == 2)
    }

    @Test func `a second value that is rejected too is on record, and the store is asked no further`() async throws {
        let stage = try stage()
        put("t1", into: stage)
        let old = try await sent(stage)
        put("t2", into: stage)
        _ = try await rejected(old, stage)
        let new = try await sent(stage)
        #expect(try await rejected(new, stage) == "the store has the same value")
        #expect(stage.store.reads == 2)
        #expect(rejectedAt(stage) == 1_700_000_000)
    }

    // MARK: It has the same value

    @Test func `the same value is on record once, and the store is asked once in half a minute`() async throws {
        let stage = try stage(ttl: .seconds(3600))
        let old = try await sent(stage)
        for _ in 0..<5 { #expect(try await rejected(old, stage) == "the store has the same value") }
        #expect(stage.store.reads == 2)
        #expect(rejectedAt(stage) == 1_700_000_000)
        #expect(try await stage.ask(crm, ann).answer.lines == "X-token: t1\r\n", "the server may take it yet")
        stage.clock.advance(.seconds(30) - .nanoseconds(1))
        _ = try await rejected(old, stage)
        #expect(stage.store.reads == 2)
        stage.clock.advance(.nanoseconds(1))
        _ = try await rejected(old, stage)
        #expect(stage.store.reads == 3)
        put("t2", into: stage)
        stage.clock.advance(.seconds(30))
        #expect(try await rejected(old, stage) == "X-token: t2\r\n")
        #expect(records(stage) == 1)
    }

    @Test func `a value fetched anew after its time, with the record of a rejection, is not recorded again`() async throws {
        let stage = try stage()
        let old = try await sent(stage)
        _ = try await rejected(old, stage)
        stage.clock.advance(.seconds(2000))
        let anew = try await sent(stage)
        #expect(anew.isRejected && anew !== old)
        _ = try await rejected(anew, stage)
        #expect(records(stage) == 1)
    }

    @Test func `a server that takes it again mends the record; one that cannot decide writes it once in half a minute`() async throws {
        let stage = try stage()
        let old = try await sent(stage)
        _ = try await rejected(old, stage)
        #expect(old.isRejected)
        let key = CacheKey(crm, user: ann)
        try await stage.broker.accepted(old, for: key, at: crm, user: ann)
        #expect(rejectedAt(stage) == nil && records(stage) == 2)
        _ = try await rejected(old, stage)
        try await stage.broker.accepted(old, for: key, at: crm, user: ann)
        #expect(rejectedAt(stage) == nil && records(stage) == 3)
        stage.clock.advance(.seconds(31))
        _ = try await rejected(try await sent(stage), stage)
        #expect(rejectedAt(stage) != nil && records(stage) == 4)
    }

    @Test func `who is taken is not whoever is cached by now`() async throws {
        let stage = try stage()
        let old = try await sent(stage)
        try await stage.broker.deposit(try fields("t2"), at: crm, user: ann)
        _ = try await rejected(try await sent(stage), stage)
        try await stage.broker.accepted(old, for: CacheKey(crm, user: ann), at: crm, user: ann)
        #expect(rejectedAt(stage) != nil, "t2 is the rejected one")
    }

    @Test func `a deposit clears the record, also one that is made while a rejection is noted`() async throws {
        let stage = try stage()
        let old = try await sent(stage)
        _ = try await rejected(old, stage)
        try await stage.broker.deposit(try fields("t2"), at: crm, user: ann)
        #expect(rejectedAt(stage) == nil)
        let gate = Gate()
        stage.store.state.withLock { $0.writeGate = gate }
        let present = try await sent(stage)
        let (crm, ann) = (crm, ann)
        let deposit = Task { try await stage.broker.deposit(try fields("t3"), at: crm, user: ann) }
        await settled { stage.store.state.withLock { $0.writesUnderWay } == 1 }
        let noted = Task { try await self.rejected(present, stage) }
        let key = CacheKey(crm, user: ann)
        await settled { await stage.broker.changing[key]?.count == 1 }
        await gate.open()
        try await deposit.value
        _ = try await noted.value
        #expect(rejectedAt(stage) == nil, "what was rejected is no more")
    }

    @Test func `a new deposit that is rejected too is asked for and recorded at once`() async throws {
        let stage = try stage()
        _ = try await rejected(try await sent(stage), stage)
        try await stage.broker.deposit(try fields("t2"), at: crm, user: ann)
        let reads = stage.store.reads
        _ = try await rejected(try await sent(stage), stage)
        #expect(rejectedAt(stage) != nil && stage.store.reads == reads + 2)
    }

    // MARK: It has none, or does not say

    @Test func `one that was deleted underneath leaves every view`() async throws {
        let stage = try stage()
        let old = try await sent(stage)
        _ = try await stage.store.delete(reference)
        let before = stage.broker.log.sequence
        #expect(try await rejected(old, stage) == "the store has none any more")
        #expect(stage.broker.log.sequence == before + 1)
        #expect(try await stage.ask(crm, ann).answer.isMissing)
    }

    @Test func `one that was damaged underneath is not tried`() async throws {
        let stage = try stage()
        let old = try await sent(stage)
        stage.store.set("no JSON", at: reference)
        #expect(try await rejected(old, stage).hasPrefix("what the store has now may not be injected: "))
    }

    @Test func `a store that fails is said, asked again after two seconds, and what is cached stays`() async throws {
        let stage = try stage()
        let old = try await sent(stage)
        stage.store.state.withLock { $0.fault = StoreFault(.unavailable, "down") }
        for _ in 0..<3 {
            let refusal = await #expect(throws: Refusal.self) { try await rejected(old, stage) }
            #expect(refusal?.code == .storeUnavailable)
        }
        #expect(stage.store.reads == 2)
        #expect(try await stage.ask(crm, ann).answer.lines == "X-token: t1\r\n", "the server may take it yet")
        #expect(rejectedAt(stage) == nil, "nobody knows whether it is the store's present value")
        stage.clock.advance(.seconds(2))
        put("t2", into: stage)
        stage.store.state.withLock { $0.fault = nil }
        #expect(try await rejected(old, stage) == "X-token: t2\r\n")
        #expect(stage.store.reads == 3)
    }

    @Test func `a record that cannot be written is said, and tried again`() async throws {
        let stage = try stage()
        let old = try await sent(stage)
        // The two look-ups of a read go well, the record does not.
        stage.ledger.state.withLock { $0.callsLeft = 2 }
        let why = try await rejected(old, stage)
        #expect(why.contains("is not on record"))
        stage.ledger.state.withLock { $0.callsLeft = .max }
        _ = try await rejected(old, stage)
        #expect(rejectedAt(stage) != nil)
    }

    @Test func `what is remembered of rejections goes with its time`() async throws {
        let stage = try stage()
        _ = try await rejected(try await sent(stage), stage)
        #expect(await stage.broker.recheckCount == 1)
        stage.clock.advance(.seconds(31))
        await stage.broker.sweep()
        #expect(await stage.broker.recheckCount == 0)
    }
}

extension CredentialBroker {
    fileprivate var recheckCount: Int { rechecks.count }
}
