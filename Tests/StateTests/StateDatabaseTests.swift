// StateDatabase: users and references remembered, kept apart by project, closed to others, and without any secret.

import Credentials
import EventLoop
import Foundation
@testable import Gateway
import Kernel
import Metrics
@testable import State
import Testing

extension StateDatabase: OriginLedger {}

@Suite struct StateDatabaseTests {
    private let path: String
    private let ann: UserEmail
    private let bob: UserEmail
    private let acme: ProjectName

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/claviger-state-" + SecureRandom.bytes(8).map { String($0, radix: 16) }.joined()
        _ = try Directory(path, createdWith: 0o700)
        ann = try #require(UserEmail("ann@acme.com"))
        bob = try #require(UserEmail("bob@acme.com"))
        acme = try #require(ProjectName("acme"))
    }

    private func remove() { try? FileManager.default.removeItem(atPath: path) }

    private func instance(_ host: String = "crm.example.com", project: String = "acme", level: ServerInstance.Level = .user) throws -> ServerInstance {
        let token = try #require(FieldName("token"))
        let server = Server(
            name: try #require(ServerName("crm")), title: nil, origin: Origin(scheme: .https, host: host, port: 443),
            path: Template(parts: [.literal("/mcp")]), query: nil, transport: .http,
            injector: .header([("Authorization", Template(parts: [.literal("Bearer "), .field(token)]))]), fields: [Field(name: token)],
            tls: UpstreamTLS(),
            timeouts: UpstreamTimeouts(connect: .seconds(5), response: .seconds(5), body: .seconds(5), streamIdle: .seconds(5)))
        return ServerInstance(
            project: try #require(ProjectName(project)), name: try #require(ServerName("crm")), server: server, level: level, status: .active)
    }

    private func deposit(_ user: UserEmail?, _ instance: ServerInstance, at now: Int64) -> Deposit {
        Deposit(at: instance, user: user, prefix: "", now: now)
    }

    @Test func `a deposit is remembered over a restart`() async throws {
        defer { remove() }
        let deposit = deposit(ann, try instance(), at: 100)
        let first = try StateDatabase(inState: path)
        #expect(try await first.standing(of: deposit.reference) == nil)
        try await first.record(deposit)
        try first.close()
        let second = try StateDatabase(inState: path)
        #expect(try await second.standing(of: deposit.reference) == Standing(origin: deposit.origin, isRejected: false))
        #expect(try await second.deposits(in: acme) == [deposit])
    }

    @Test func `what is on record is found by reference, with its user`() async throws {
        defer { remove() }
        let state = try StateDatabase(inState: path)
        let anns = deposit(ann, try instance(), at: 100)
        let shared = deposit(nil, try instance(project: "other", level: .project), at: 200)
        let none = deposit(bob, try instance(), at: 300)
        try await state.record(anns)
        try await state.record(shared)
        let found = try await state.deposits(at: [anns.reference, shared.reference, none.reference])
        #expect(found == [anns.reference: anns, shared.reference: shared])
    }

    @Test func `adopting changes nothing that is on record`() async throws {
        defer { remove() }
        let state = try StateDatabase(inState: path)
        let old = deposit(ann, try instance("old.example.com"), at: 100)
        let new = deposit(ann, try instance("new.example.com"), at: 200)
        #expect(try await state.adopt(old) == old.origin)
        #expect(try await state.adopt(new) == old.origin)
        #expect(try await state.deposits(in: acme) == [old])
    }

    @Test func `recording replaces the origin, and keeps the first time only where it is the same`() async throws {
        defer { remove() }
        let state = try StateDatabase(inState: path)
        try await state.record(deposit(ann, try instance(), at: 100))
        try await state.record(deposit(ann, try instance(), at: 200))
        let renewed = try #require(try await state.deposits(in: acme).first)
        #expect(renewed.depositedAt == 100 && renewed.updatedAt == 200)
        let moved = deposit(ann, try instance("new.example.com"), at: 300)
        try await state.record(moved)
        #expect(try await state.deposits(in: acme) == [moved])
    }

    @Test func `a rejection is on record until it is mended or something is deposited, over restarts`() async throws {
        defer { remove() }
        let mine = deposit(ann, try instance(), at: 100)
        let his = deposit(bob, try instance(), at: 100)
        let first = try StateDatabase(inState: path)
        for one in [mine, his] { try await first.record(one) }
        for time: Int64 in [150, 155] { try await first.setRejected(mine.reference, at: time) }
        try first.close()
        let state = try StateDatabase(inState: path)
        #expect(try await state.standing(of: mine.reference) == Standing(origin: mine.origin, isRejected: true))
        #expect(try await state.deposits(in: acme).map(\.rejectedAt) == [150, nil])
        #expect(try await state.adopt(mine) == mine.origin)
        #expect(try await state.standing(of: mine.reference)?.isRejected == true, "nothing new came")
        try await state.setRejected(mine.reference, at: nil)
        #expect(try await state.deposits(in: acme).map(\.rejectedAt) == [nil, nil])
        try await state.setRejected(mine.reference, at: 160)
        try await state.record(mine)
        #expect(try await state.deposits(in: acme) == [mine, his])
        try await state.setRejected(Reference(try instance(project: "globex"), user: ann), at: 170)
    }

    @Test func `projects and users are kept apart, and shared credentials are nobody's`() async throws {
        defer { remove() }
        let state = try StateDatabase(inState: path)
        let mine = deposit(ann, try instance(), at: 1)
        let his = deposit(bob, try instance(), at: 1)
        let elsewhere = deposit(ann, try instance(project: "globex"), at: 1)
        let shared = deposit(nil, try instance(level: .project), at: 1)
        for one in [his, elsewhere, shared, mine] { try await state.record(one) }
        #expect(try await Set(state.deposits(in: acme)) == [mine, his, shared])
        #expect(try await state.deposits(in: try #require(ProjectName("globex"))) == [elsewhere])
        try await state.forget(mine.reference)
        try await state.forget(mine.reference)
        #expect(try await Set(state.deposits(in: acme)) == [his, shared])
    }

    @Test func `a user's first and last time only widen`() async throws {
        defer { remove() }
        let state = try StateDatabase(inState: path)
        for time: Int64 in [50, 20, 90, 60] { try await state.saw(ann, in: acme, at: time) }
        let user = try #require(try await state.users(UserQuery(project: acme), at: 90).first)
        #expect(user == UserRecord(email: ann, firstSeen: 20, lastSeen: 90, calls: 0))
        #expect(try await state.users(UserQuery(project: try #require(ProjectName("globex"))), at: 90).isEmpty)
    }

    @Test func `a user with a credential is not forgotten before it`() async throws {
        defer { remove() }
        let state = try StateDatabase(inState: path)
        let deposit = deposit(ann, try instance(), at: 1)
        let noted = AuditEntry(time: 1, actor: .gateway, action: .userDeleted, project: acme, user: ann)
        try await state.record(deposit)
        await #expect(throws: StateFault.self) { try await state.forget(ann, in: acme, noted: noted) }
        try await state.forget(deposit.reference)
        #expect(try await state.forget(ann, in: acme, noted: noted))
        #expect(try await !state.forget(ann, in: acme, noted: noted))
    }

    @Test func `all its files are for the daemon alone`() async throws {
        defer { remove() }
        try Data().write(to: URL(fileURLWithPath: path + "/state.db"))
        let state = try StateDatabase(inState: path)
        try await state.saw(ann, in: acme, at: 1)
        let names = try FileManager.default.contentsOfDirectory(atPath: path)
        #expect(names.contains("state.db-wal"))
        for name in names {
            #expect(try FileManager.default.attributesOfItem(atPath: path + "/" + name)[.posixPermissions] as? Int == 0o600, "\(name)")
        }
    }

    @Test func `a file that is no database is refused by name`() throws {
        defer { remove() }
        try Data("not a database, but long enough to be looked at as one".utf8).write(to: URL(fileURLWithPath: path + "/state.db"))
        #expect { try StateDatabase(inState: path) } throws: { "\($0)".contains("\(path)/state.db") }
    }

    @Test func `a deposit through broker, sealed files and state leaves no byte of the secret in any file`() async throws {
        defer { remove() }
        let canary = "canary-0123456789-abcdefghij"
        let (storeLoop, brokerLoop) = (try EventLoop.started(name: "store"), try EventLoop.started(name: "broker"))
        defer { storeLoop.stop(); brokerLoop.stop() }
        let store = try SealedFiles(at: path + "/secrets", key: nil, state: path, on: storeLoop)
        let state = try StateDatabase(inState: path)
        let metrics = Metrics(workers: 1, refusals: [], version: "test")
        let broker = CredentialBroker(
            on: brokerLoop, store: store, ledger: state, tokens: NoTokens(), settings: CacheSettings(), metrics: metrics.shared, clock: { .now() },
            wallClock: { 1 }, random: { 0 })
        let crm = try instance()
        let token = try #require(FieldName("token"))
        try await broker.deposit([token: Secret(copying: canary.utf8Span.span.raw)], at: crm, user: ann)
        let key = CacheKey(crm, user: ann)
        let answer = try await broker.credential(for: key, at: crm, user: ann).answer
        guard case .hit(let rendered) = answer else {
            Issue.record("deposited and there")
            return
        }
        #expect(rendered.fields.map { String(decoding: $0.bytes.copied(), as: UTF8.self) } == "Authorization: Bearer \(canary)\r\n")
        #expect(try await broker.list(acme).first?.deposit?.user == ann)
        var files = 0
        for case let name as String in try #require(FileManager.default.enumerator(atPath: path)) {
            guard let bytes = try? Data(contentsOf: URL(fileURLWithPath: path + "/" + name)) else { continue }
            files += 1
            #expect(bytes.range(of: Data(canary.utf8)) == nil, "\(name)")
            #expect(bytes.range(of: Data(canary.utf8.prefix(12))) == nil, "\(name)")
        }
        #expect(files >= 4, "state.db, its log, the key, the sealed file")
        #expect(try await broker.delete(at: crm, user: ann))
        #expect(try await broker.credential(for: key, at: crm, user: ann).answer.isMissingForTest)
    }
}

extension CredentialAnswer {
    fileprivate var isMissingForTest: Bool {
        if case .missing = self { true } else { false }
    }
}

private struct NoTokens: TokenSource {
    func token(at instance: ServerInstance, user: UserEmail?) async throws(TokenFault) -> BearerToken { throw .missing }
    func needsMore(_ challenges: [String], at instance: ServerInstance, user: UserEmail?) async -> String { "" }
    func rejected(_ number: Int, at instance: ServerInstance, user: UserEmail?) async {}
    func remove(at instance: ServerInstance, user: UserEmail?) async throws(StoreFault) -> String? { nil }
}
