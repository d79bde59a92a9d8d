// From one store into another: everything arrives with its record, nothing is replaced unasked, and what fails is said and can be done again.

@testable import Credentials
import Gateway
import Kernel
import Metrics
import Synchronization
import Testing

@Suite struct CredentialTransferTests {
    private let source: Stage
    private let target: Stage
    private let key: MasterKey
    private let crm: ServerInstance
    private let ann: UserEmail

    init() throws {
        source = try Stage(prefix: "/claviger")
        target = try Stage()
        key = try MasterKey(Secret(String(repeating: "0f", count: 32)), from: "test")
        crm = try instance(of: try server())
        ann = try user("ann@acme.com")
    }

    /// Ann's credential, a shared one, a grant, a client and an unrecorded one; what the export has of them.
    private func exported() async throws -> [[UInt8]] {
        try await source.broker.deposit(try fields("anns"), at: crm, user: ann)
        try await source.broker.deposit(try fields("shared"), at: try instance(of: try server(), level: .project, name: "all"), user: nil)
        for (path, value) in [("/claviger/acme/users/x/crm.grant", "grant"), ("/claviger/_clients/y", "client"), ("/claviger/acme/shared/other", "other")] {
            source.store.set(value, at: try #require(Reference(path: path)))
        }
        let references = try await source.broker.references()
        #expect(references.count == 5)
        let batch = try await source.broker.export(references, under: key)
        #expect(batch.lines.count == 5 && batch.gone.isEmpty && batch.unreadable.isEmpty)
        return batch.lines
    }

    private func outcomes(_ lines: [[UInt8]], replacing: Bool = false) async -> [ImportOutcome] {
        let batch = await target.broker.take(lines, under: key, replacing: replacing) { _ in }
        #expect(batch.stopped == nil)
        return batch.outcomes.map(\.outcome)
    }

    private func value(at path: String) throws -> String? {
        let reference = try #require(Reference(path: path))
        return target.store.state.withLock { $0.values[reference]?.text }
    }

    private var annsPlace: String { Reference(crm, user: ann).path }

    @Test func `everything arrives under the other store's prefix, with whose it is and for which origin`() async throws {
        let outcomes = await outcomes(try await exported())
        #expect(outcomes == Array(repeating: .imported, count: 5))
        #expect(try value(at: annsPlace) == #"{"token":"anns"}"#)
        #expect(try value(at: "/acme/users/x/crm.grant") == "grant" && value(at: "/_clients/y") == "client" && value(at: "/acme/shared/other") == "other")
        let here = target.ledger.state.withLock { Set($0.deposits.values) }
        let there = source.ledger.state.withLock { $0.deposits.values.map { ($0.server.text, $0.user, $0.origin, $0.depositedAt) } }
        #expect(here.count == 2 && there.count == 2)
        for (server, user, origin, deposited) in there {
            #expect(here.contains { $0.server.text == server && $0.user == user && $0.origin == origin && $0.depositedAt == deposited })
        }
        #expect(try await target.ask(crm, ann).answer.lines == "X-token: anns\r\n")
    }

    @Test func `what was known to be missing is there for the next request`() async throws {
        let lines = try await exported()
        #expect(try await target.ask(crm, ann).answer.isMissing)
        _ = await outcomes(lines)
        #expect(try await target.ask(crm, ann).answer.lines == "X-token: anns\r\n")
    }

    @Test func `again, it is all there already and nothing is written`() async throws {
        let lines = try await exported()
        _ = await outcomes(lines)
        let written = target.metrics.value(.storeWrites)
        #expect(await outcomes(lines) == Array(repeating: .present, count: 5))
        #expect(target.metrics.value(.storeWrites) == written)
    }

    @Test func `another value stays, and gives way when that is asked for`() async throws {
        let lines = try await exported()
        try await target.broker.deposit(try fields("newer"), at: crm, user: ann)
        #expect(await outcomes(lines).filter { if case .conflicting = $0 { true } else { false } }.count == 1)
        #expect(try value(at: annsPlace) == #"{"token":"newer"}"#)
        #expect(await outcomes(lines, replacing: true).filter { $0 == .imported }.count == 1)
        #expect(try value(at: annsPlace) == #"{"token":"anns"}"#)
    }

    @Test func `an older generation of a grant replaces no newer one, whoever asks for it`() async throws {
        func grant(_ generation: Int) -> String { #"{"generation":"\#(generation)","issuer":"https://login.example","refresh_token":"r\#(generation)"}"# }
        let (there, here) = (try #require(Reference(path: "/claviger/acme/users/x/crm.grant")), try #require(Reference(path: "/acme/users/x/crm.grant")))
        source.store.set(grant(9), at: there)
        target.store.set(grant(10), at: here)
        let older = try await source.broker.export([here], under: key).lines
        let words = "a later generation of the grant is stored there (10, not 9); its person connects anew, if need be"
        #expect(await outcomes(older, replacing: true) == [.conflicting(words)])
        #expect(try value(at: here.path) == grant(10))
        source.store.set(grant(11), at: there)
        let newer = try await source.broker.export([here], under: key).lines
        #expect(await outcomes(newer, replacing: true) == [.imported])
        #expect(try value(at: here.path) == grant(11))
    }

    @Test func `the same value for another origin is a conflict, too`() async throws {
        let lines = try await exported()
        let moved = try instance(of: try server(host: "crm.evil.example"))
        try await target.broker.deposit(try fields("anns"), at: moved, user: ann)
        #expect(await outcomes(lines).contains { if case .conflicting(let words) = $0 { words.contains("crm.evil.example") } else { false } })
        #expect(try await target.ask(crm, ann).answer.isMissing)
        #expect(await outcomes(lines, replacing: true).allSatisfy { $0 == .present })
        #expect(try await target.ask(crm, ann).answer.lines == "X-token: anns\r\n")
    }

    @Test func `a value without a record loses the one that stood there of another`() async throws {
        let lines = try await exported()
        let other = try instance(of: try server(), level: .project, name: "other")
        try await target.broker.deposit(try fields("old"), at: other, user: nil)
        _ = await outcomes(lines, replacing: true)
        #expect(try value(at: "/acme/shared/other") == "other")
        #expect(target.ledger.state.withLock { $0.deposits.values.allSatisfy { $0.server.text != "other" } })
    }

    @Test(arguments: 0..<4) func `cut off at any step of the ledger, the same lines again bring it to its end`(calls: Int) async throws {
        let lines = try await exported()
        target.ledger.state.withLock { $0.callsLeft = calls }
        let batch = await target.broker.take(lines, under: key, replacing: false) { _ in }
        #expect(batch.stopped != nil && batch.outcomes.count < 5)
        // Nothing that is injected is wrong meanwhile.
        target.ledger.state.withLock { $0.callsLeft = .max }
        let answer = try await target.ask(crm, ann).answer
        #expect(answer.isMissing || answer.lines == "X-token: anns\r\n")
        let again = await outcomes(lines)
        #expect(again.allSatisfy { $0 == .imported || $0 == .present })
        #expect(target.ledger.state.withLock { $0.deposits.count } == 2)
    }

    @Test func `a store that fails stops the batch, and says how far it came`() async throws {
        let lines = try await exported()
        _ = await outcomes(Array(lines[..<2]))
        target.store.state.withLock { $0.writeFault = StoreFault(.unavailable, "the disk is full") }
        let batch = await target.broker.take(lines, under: key, replacing: false) { _ in }
        #expect(batch.outcomes.map(\.outcome) == [.present, .present] && batch.stopped?.description == "the disk is full" && batch.stopped?.isLasting == false)
    }

    @Test func `a store that does not give back what was written is not believed`() async throws {
        let lines = try await exported()
        target.store.state.withLock { $0.forgetsWrites = true }
        let pauses = Mutex<[Duration]>([])
        let batch = await target.broker.take([lines[0]], under: key, replacing: false) { pause in pauses.withLock { $0.append(pause) } }
        #expect(batch.outcomes.count == 1 && batch.stopped == nil)
        guard case .failed = batch.outcomes.first?.outcome else { Issue.record("believed"); return }
        #expect(pauses.withLock { $0 } == [.milliseconds(200), .seconds(1), .seconds(3)])
    }

    @Test func `what is damaged at the source is named, and the others go`() async throws {
        _ = try await exported()
        let place = try #require(Reference(path: "/claviger/_clients/y"))
        source.store.state.withLock { $0.values[place] = nil; _ = $0.damaged.insert(place) }
        let references = try ["/_clients/y", "/acme/shared/all", "/acme/shared/none"].map { try #require(Reference(path: $0)) }
        let batch = try await source.broker.export(references, under: key)
        #expect(batch.lines.count == 1 && batch.unreadable.map(\.reference.path) == ["/_clients/y"] && batch.gone.map(\.path) == ["/acme/shared/none"])
    }

    @Test func `a line that is not this key's fails alone`() async throws {
        var lines = try await exported()
        lines[1][30] ^= 1
        let outcomes = await outcomes(lines)
        guard case .failed = outcomes[1] else { Issue.record("taken"); return }
        #expect(outcomes.filter { $0 == .imported }.count == 4)
    }

    @Test func `a deposit that is under way comes first, and is not written over`() async throws {
        let lines = try await exported()
        let gate = Gate()
        target.store.state.withLock { $0.writeGate = gate }
        async let deposit: Void = target.broker.deposit(try fields("mine"), at: crm, user: ann)
        while target.store.state.withLock({ $0.writesUnderWay }) == 0 { await Task.yield() }
        async let batch = target.broker.take(lines, under: key, replacing: false) { _ in }
        await gate.open()
        try await deposit
        let outcomes = await batch.outcomes.map(\.outcome)
        #expect(outcomes.filter { if case .conflicting = $0 { true } else { false } }.count == 1)
        #expect(try value(at: annsPlace) == #"{"token":"mine"}"#)
    }
}
