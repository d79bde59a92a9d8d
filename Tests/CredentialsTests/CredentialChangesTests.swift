// Deposits and deletions: in force for the next request, refused with words, and never half done.

@testable import Credentials
@testable import Gateway
import Kernel
import Metrics
import Synchronization
import Testing

@Suite struct CredentialChangesTests {
    private let ann: UserEmail
    private let crm: ServerInstance
    private let reference: Reference

    init() throws {
        ann = try user("ann@acme.com")
        crm = try instance(of: try server())
        reference = Reference(crm, user: ann)
    }

    /// What the store and the ledger would say to a gateway started anew.
    private func afterRestart(_ stage: Stage, _ instance: ServerInstance) async throws -> CredentialAnswer {
        let fresh = try Stage()
        let (values, deposits) = (stage.store.state.withLock { $0.values }, stage.ledger.state.withLock { $0.deposits })
        fresh.store.state.withLock { $0.values = values }
        fresh.ledger.state.withLock { $0.deposits = deposits }
        return try await fresh.ask(instance, ann).answer
    }

    @Test func `a deposit is in force for the next request, and recorded`() async throws {
        let stage = try Stage()
        #expect(try await stage.ask(crm, ann).answer.isMissing)
        try await stage.broker.deposit(try fields("one"), at: crm, user: ann)
        #expect(try await stage.ask(crm, ann).answer.lines == "X-token: one\r\n")
        try await stage.broker.deposit(try fields("two"), at: crm, user: ann)
        #expect(try await stage.ask(crm, ann).answer.lines == "X-token: two\r\n")
        let deposit = try #require(stage.ledger.state.withLock { $0.deposits[reference] })
        #expect(deposit.origin == crm.server.origin)
        #expect(deposit.user == ann)
    }

    @Test func `a fetch that a deposit overtook is not kept`() async throws {
        let stage = try Stage()
        let gate = Gate()
        stage.store.set(#"{"token":"old"}"#, at: reference)
        stage.store.state.withLock { $0.gate = gate }
        let (crm, ann) = (crm, ann)
        let early = Task { try await stage.ask(crm, ann) }
        while await stage.broker.waiting < 1 { await Task.yield() }
        try await stage.broker.deposit(try fields("new"), at: crm, user: ann)
        #expect(try await stage.ask(crm, ann).answer.lines == "X-token: new\r\n", "who asks after the deposit does not join the old fetch")
        await gate.open()
        let old = try await early.value
        #expect(old.answer.lines == "X-token: old\r\n", "who asked before may be answered as of then")
        var view = stage.view()
        _ = view.insert(old)
        #expect(view.count == 0, "but no view keeps it")
        #expect(try await stage.ask(crm, ann).answer.lines == "X-token: new\r\n")
    }

    @Test func `a deletion is in force for the next request`() async throws {
        let stage = try Stage()
        try await stage.broker.deposit(try fields("one"), at: crm, user: ann)
        _ = try await stage.ask(crm, ann)
        #expect(try await stage.broker.delete(at: crm, user: ann))
        #expect(try await stage.ask(crm, ann).answer.isMissing)
        #expect(try await !stage.broker.delete(at: crm, user: ann))
        #expect(stage.ledger.state.withLock { $0.deposits.isEmpty })
    }

    @Test func `values that do not fit are refused and nothing is touched`() async throws {
        let stage = try Stage()
        let other = try #require(FieldName("other"))
        for values in [[:], [other: Secret("x")], try fields("a\r\nb"), try fields("").merging([other: Secret("x")]) { first, _ in first }] {
            await #expect { try await stage.broker.deposit(values, at: crm, user: ann) } throws: { error in
                if case .values(let faults)? = error as? DepositFault { !faults.isEmpty } else { false }
            }
        }
        #expect(stage.store.state.withLock { $0.values.isEmpty })
        #expect(stage.ledger.state.withLock { $0.deposits.isEmpty })
    }

    @Test func `a deposit must be somebody's, and for a server that takes one`() async throws {
        let stage = try Stage()
        await #expect { try await stage.broker.deposit(try fields("x"), at: crm, user: nil) } throws: { error in
            if case .userNeeded? = error as? DepositFault { true } else { false }
        }
        let open = try instance(of: try server(fields: []))
        await #expect { try await stage.broker.deposit([:], at: open, user: ann) } throws: { error in
            if case .noCredentialNeeded? = error as? DepositFault { true } else { false }
        }
    }

    @Test func `a store that fails leaves the old value, and the caches ask again`() async throws {
        let stage = try Stage()
        try await stage.broker.deposit(try fields("old"), at: crm, user: ann)
        _ = try await stage.ask(crm, ann)
        let before = stage.broker.log.sequence
        stage.store.state.withLock { $0.writeFault = StoreFault(.unavailable, "disk: full") }
        await #expect { try await stage.broker.deposit(try fields("new"), at: crm, user: ann) } throws: { error in
            if case .store? = error as? DepositFault { true } else { false }
        }
        #expect(stage.broker.log.sequence > before, "the write may have happened after all")
        #expect(try await stage.ask(crm, ann).answer.lines == "X-token: old\r\n")
    }

    // A deposit at an unchanged origin makes two calls of the ledger, one before the value is written and one after.
    @Test(arguments: 0...2) func `a deposit cut off anywhere is there whole or not at all`(calls: Int) async throws {
        let stage = try Stage()
        stage.ledger.state.withLock { $0.callsLeft = calls }
        let result = await Result { () async throws in try await stage.broker.deposit(try fields("new"), at: crm, user: ann) }
        stage.ledger.state.withLock { $0.callsLeft = .max }
        let answer = try await afterRestart(stage, crm)
        switch calls {
        case 0: #expect(answer.isMissing && result.isFailure)
        case 1: #expect(answer.lines == "X-token: new\r\n" && result.isFailure, "stored, and recorded for this very origin")
        default: #expect(answer.lines == "X-token: new\r\n" && !result.isFailure)
        }
    }

    @Test(arguments: 0...2) func `an old value never goes to a new origin, wherever a new deposit is cut off`(calls: Int) async throws {
        let stage = try Stage()
        try await stage.broker.deposit(try fields("for the old origin"), at: crm, user: ann)
        let moved = try instance(of: try server(host: "new.example.com"))
        #expect(try await stage.ask(moved, ann).answer.isMissing)
        for writeFails in [true, false] {
            stage.store.state.withLock { $0.writeFault = writeFails ? StoreFault(.unavailable, "disk: full") : nil }
            stage.ledger.state.withLock { $0.callsLeft = calls }
            _ = try? await stage.broker.deposit(try fields("for the new one"), at: moved, user: ann)
            stage.ledger.state.withLock { $0.callsLeft = .max }
            let answer = try await afterRestart(stage, moved)
            if writeFails || calls < 2 {
                #expect(answer.isMissing)
            } else {
                #expect(answer.lines == "X-token: for the new one\r\n")
            }
            let back = try await afterRestart(stage, crm)
            #expect(back.lines == nil || back.lines == "X-token: for the old origin\r\n" || !writeFails)
        }
    }

    @Test func `a value put by other means during a crash is adopted, a recorded one never re-adopted`() async throws {
        let stage = try Stage()
        stage.store.set(#"{"token":"from a tool"}"#, at: reference)
        #expect(try await stage.ask(crm, ann).answer.lines == "X-token: from a tool\r\n")
        let moved = try instance(of: try server(host: "new.example.com"))
        #expect(try await afterRestart(stage, moved).isMissing)
    }

    @Test func `changes of one credential wait for one another`() async throws {
        let stage = try Stage()
        let gate = Gate()
        stage.store.state.withLock { $0.writeGate = gate }
        let (crm, ann) = (crm, ann)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for n in 0..<20 { group.addTask { try await stage.broker.deposit(try fields("t\(n)"), at: crm, user: ann) } }
            while stage.store.state.withLock({ $0.writesUnderWay }) < 1 { await Task.yield() }
            await gate.open()
            try await group.waitForAll()
        }
        #expect(stage.store.state.withLock { $0.mostWritesAtOnce } == 1)
        #expect(await stage.broker.changing.isEmpty)
    }

    @Test func `a deposit once begun is finished though its task is cancelled`() async throws {
        let stage = try Stage()
        let gate = Gate()
        stage.store.state.withLock { $0.writeGate = gate }
        let (crm, ann) = (crm, ann)
        let task = Task { try await stage.broker.deposit(try fields("new"), at: crm, user: ann) }
        while stage.store.state.withLock({ $0.writesUnderWay }) < 1 { await Task.yield() }
        task.cancel()
        await gate.open()
        try await task.value
        #expect(try await stage.ask(crm, ann).answer.lines == "X-token: new\r\n")
    }

    @Test func `the list has what the store has, with what is recorded`() async throws {
        let stage = try Stage()
        try await stage.broker.deposit(try fields("one"), at: crm, user: ann)
        let bob = Reference(crm, user: try user("bob@acme.com"))
        stage.store.set(#"{"token":"from a tool"}"#, at: bob)
        let other = try instance(of: crm.server, project: "acme-2")
        try await stage.broker.deposit(try fields("elsewhere"), at: other, user: ann)
        let listed = try await stage.broker.list(crm.project)
        #expect(Set(listed.map(\.reference)) == [reference, bob])
        #expect(listed.first { $0.reference == reference }?.deposit?.user == ann)
        #expect(listed.first { $0.reference == bob }.map { $0.deposit == nil } == true)
    }

    @Test func `a pattern is matched against the whole value`() {
        #expect(FieldPattern.matches("[a-z]{3}", Secret("abc")))
        #expect(!FieldPattern.matches("[a-z]{3}", Secret("abcd")))
        #expect(!FieldPattern.matches("[a-z", Secret("abc")))
        #expect(FieldPattern.matches("^ghp_[A-Za-z0-9]+$", Secret("ghp_x1")))
    }
}

extension Result where Failure == any Error {
    init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }

    var isFailure: Bool {
        if case .failure = self { true } else { false }
    }
}
