// What the tests of this target share: a clock that stands still, a directory that goes away, servers, a store and a ledger in memory.

@testable import Credentials
import EventLoop
import Foundation
@testable import Gateway
import Kernel
import Metrics
import Synchronization
import Testing

final class TestClock: Sendable {
    private let time = Mutex(MonotonicTime(nanoseconds: 1_000_000_000_000))

    var now: MonotonicTime { time.withLock { $0 } }

    func advance(_ duration: Duration) {
        time.withLock { $0 = $0.advanced(by: duration) }
    }
}

/// A new directory of mode 0700 that is removed with everything in it.
final class Scratch: Sendable {
    let path: String

    init() throws {
        let name = SecureRandom.bytes(8).map { String($0, radix: 16) }.joined()
        path = FileManager.default.temporaryDirectory.path + "/claviger-test-" + name
        _ = try Directory(path, createdWith: 0o700)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path + "/" + name)))
    }

    func write(_ bytes: [UInt8], to name: String, mode: Int = 0o600) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
        try setMode(mode, of: name)
    }

    func setMode(_ mode: Int, of name: String) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path + "/" + name)
    }

    func mode(of name: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path + "/" + name)[.posixPermissions] as? Int
    }

    func names(_ inner: String = "") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path + "/" + inner).sorted()
    }
}

/// A loop on a thread of its own for as long as this lives.
final class TestLoop: Sendable {
    let loop: EventLoop

    init() throws { loop = try EventLoop.started(name: "test") }

    deinit { loop.stop() }
}

extension Secret {
    convenience init(_ text: String) {
        self.init(copying: text.utf8Span.span.raw)
    }

    var octets: [UInt8] { bytes.copied() }

    var text: String { String(decoding: octets, as: UTF8.self) }
}

extension CredentialAnswer {
    /// The injected header lines; nil for every other answer.
    var lines: String? {
        if case .hit(let rendered) = self { rendered.fields?.text } else { nil }
    }

    var isMissing: Bool {
        if case .missing = self { true } else { false }
    }

    var invalidity: String? {
        if case .invalid(let why) = self { why } else { nil }
    }
}

func server(host: String = "crm.example.com", fields: [String] = ["token"]) throws -> Server {
    let names = try fields.map { try #require(FieldName($0)) }
    let injector: Injector =
        names.isEmpty ? .none : .header(names.map { ("X-\($0.text)", Template(parts: [.field($0)])) })
    return Server(
        name: try #require(ServerName("crm")), title: nil, origin: Origin(scheme: .https, host: host, port: 443),
        path: Template(parts: [.literal("/mcp")]), query: nil, transport: .http, injector: injector, fields: names.map { Field(name: $0) },
        tls: UpstreamTLS(), timeouts: UpstreamTimeouts(connect: .seconds(5), response: .seconds(5), body: .seconds(5), streamIdle: .seconds(5)))
}

func instance(of server: Server, level: ServerInstance.Level = .user, project: String = "acme", name: String = "crm") throws -> ServerInstance {
    ServerInstance(
        project: try #require(ProjectName(project)), name: try #require(ServerName(name)), server: server, level: level, status: .active)
}

func user(_ text: String) throws -> UserEmail {
    try #require(UserEmail(text))
}

func fields(_ token: String) throws -> [FieldName: Secret] {
    [try #require(FieldName("token")): Secret(token)]
}

/// Opened once; those who wait before that wait.
actor Gate {
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func pass() async {
        if isOpen { return }
        await withCheckedContinuation { waiting.append($0) }
    }

    func open() {
        isOpen = true
        for one in waiting { one.resume() }
        waiting = []
    }
}

/// A store in memory that counts, fails and waits when it is told to.
final class MemoryStore: SecretStore {
    struct State {
        var values: [Reference: Secret] = [:]
        var damaged: Set<Reference> = []
        /// Of each read, in order.
        var urgencies: [ReadUrgency] = []
        var fault: StoreFault?
        var writeFault: StoreFault?
        /// Passed by the next read, after it has taken its value.
        var gate: Gate?
        var writeGate: Gate?
        var writesUnderWay = 0
        var mostWritesAtOnce = 0
        /// It takes a value, and has none afterwards.
        var forgetsWrites = false
    }

    let state = Mutex(State())

    var reads: Int { state.withLock { $0.urgencies.count } }

    var urgencies: [ReadUrgency] { state.withLock { $0.urgencies } }

    func set(_ json: String, at reference: Reference) {
        state.withLock { $0.values[reference] = Secret(json) }
    }

    func read(_ references: [Reference], _ urgency: ReadUrgency) async throws(StoreFault) -> [Reference: StoredSecret] {
        let (found, gate, fault) = state.withLock { state in
            state.urgencies.append(urgency)
            var found: [Reference: StoredSecret] = [:]
            for reference in references {
                if state.damaged.contains(reference) { found[reference] = .damaged(StoreFault(.damaged, "crm: damaged")) }
                if let value = state.values[reference] { found[reference] = .value(value) }
            }
            let gate = state.gate
            state.gate = nil
            return (found, gate, state.fault)
        }
        await gate?.pass()
        if let fault { throw fault }
        return found
    }

    func write(_ value: Secret, to reference: Reference) async throws(StoreFault) {
        let (gate, fault) = state.withLock { state in
            state.writesUnderWay += 1
            state.mostWritesAtOnce = max(state.mostWritesAtOnce, state.writesUnderWay)
            return (state.writeGate, state.writeFault)
        }
        await gate?.pass()
        state.withLock { state in
            state.writesUnderWay -= 1
            if fault == nil, !state.forgetsWrites { state.values[reference] = value }
        }
        if let fault { throw fault }
    }

    func delete(_ reference: Reference) async throws(StoreFault) -> Bool {
        state.withLock { $0.values.removeValue(forKey: reference) != nil }
    }

    func list(under root: String) async throws(StoreFault) -> [Reference] {
        state.withLock { $0.values.keys.filter { $0.path.hasPrefix(root) }.sorted() }
    }
}

/// A ledger in memory; `failsAfter` calls it fails for good.
final class MemoryLedger: OriginLedger {
    struct Failure: Error {}

    struct State {
        var deposits: [Reference: Deposit] = [:]
        var callsLeft = Int.max
        /// Calls of `setRejected`.
        var rejections = 0
    }

    let state = Mutex(State())

    func standing(of reference: Reference) async throws -> Standing? {
        try call { state in state.deposits[reference].map { Standing(origin: $0.origin, isRejected: $0.rejectedAt != nil) } }
    }

    func adopt(_ deposit: Deposit) async throws -> Origin {
        try call { state in
            if let known = state.deposits[deposit.reference] { return known.origin }
            state.deposits[deposit.reference] = deposit
            return deposit.origin
        }
    }

    func record(_ deposit: Deposit) async throws {
        try call { $0.deposits[deposit.reference] = deposit }
    }

    func setRejected(_ reference: Reference, at time: Int64?) async throws {
        try call { state in
            state.rejections += 1
            guard let known = state.deposits[reference] else { return }
            state.deposits[reference] = Deposit(
                reference: known.reference, project: known.project, server: known.server, level: known.level, user: known.user,
                origin: known.origin, depositedAt: known.depositedAt, updatedAt: known.updatedAt, rejectedAt: time)
        }
    }

    func forget(_ reference: Reference) async throws {
        try call { $0.deposits[reference] = nil }
    }

    func deposits(at references: [Reference]) async throws -> [Reference: Deposit] {
        try call { $0.deposits.filter { references.contains($0.key) } }
    }

    func deposits(in project: ProjectName) async throws -> [Deposit] {
        try call { $0.deposits.values.filter { $0.project == project } }
    }

    private func call<R>(_ body: (inout State) -> sending R) throws -> R {
        let failed = state.withLock { state in
            state.callsLeft -= 1
            return state.callsLeft < 0
        }
        if failed { throw Failure() }
        return state.withLock { body(&$0) }
    }
}

/// Tokens that a test hands out.
final class MemoryTokens: TokenSource {
    struct Books: Sendable {
        /// What is answered; the number goes up with every token that is dropped.
        var answer: Result<Int, TokenFault> = .failure(.missing)
        var life = Duration.seconds(3600)
        var asked = 0
        var dropped: [Int] = []
        var removed = 0
    }

    let books = Mutex(Books())
    let clock: TestClock

    init(_ clock: TestClock) {
        self.clock = clock
    }

    func token(at instance: ServerInstance, user: UserEmail?) async throws(TokenFault) -> BearerToken {
        let (answer, life) = books.withLock { books in
            books.asked += 1
            return (books.answer, books.life)
        }
        let now = clock.now
        let number = try answer.get()
        return BearerToken(
            value: Secret(copying: "access-\(number)".utf8Span.span.raw), number: number, expiry: now.advanced(by: life),
            refreshFrom: now.advanced(by: life / 2))
    }

    func needsMore(_ challenges: [String], at instance: ServerInstance, user: UserEmail?) async -> String { "" }
    func rejected(_ number: Int, at instance: ServerInstance, user: UserEmail?) async {
        books.withLock { books in
            books.dropped.append(number)
            if case .success(number) = books.answer { books.answer = .success(number + 1) }
        }
    }

    func remove(at instance: ServerInstance, user: UserEmail?) async throws(StoreFault) -> String? {
        books.withLock { books in
            books.removed += 1
            defer { books.answer = .failure(.missing) }
            if case .success = books.answer { return "revoked" } else { return nil }
        }
    }
}

/// A broker with everything that belongs to it.
final class Stage: Sendable {
    let clock = TestClock()
    let store = MemoryStore()
    let ledger = MemoryLedger()
    let tokens: MemoryTokens
    let metrics = Metrics(workers: 2, refusals: [], version: "test")
    let broker: CredentialBroker
    private let loop: TestLoop

    /// - Parameter store: another one than `store`, which is in memory.
    init(settings: CacheSettings = CacheSettings(), jitter: UInt64 = 0, prefix: String = "", store: (any SecretStore)? = nil) throws {
        loop = try TestLoop()
        let clock = clock
        tokens = MemoryTokens(clock)
        broker = CredentialBroker(
            on: loop.loop, store: store ?? self.store, ledger: ledger, tokens: tokens, settings: settings, prefix: prefix, metrics: metrics.shared,
            clock: { clock.now },
            wallClock: { 1_700_000_000 }, random: { jitter })
    }

    /// Until every read that is under way has landed.
    func settle() async {
        while await broker.underWay > 0 { await Task.yield() }
    }

    /// A worker's view of this broker's cache.
    func view(worker: Int = 0, capacity: Int = 100) -> CredentialView {
        CredentialView(of: broker.log, broker.uses, capacity: capacity, metrics: metrics.shard(worker))
    }

    /// What a request would be answered: the broker asked directly.
    func ask(_ instance: ServerInstance, _ user: UserEmail?) async throws(Refusal) -> CachedCredential {
        try await broker.credential(for: CacheKey(instance, user: user), at: instance, user: user)
    }
}

extension CredentialBroker {
    /// Reads that have not landed.
    var underWay: Int { flights.count + overtaken.count }

    var allAreCancelled: Bool { flights.values.allSatisfy { $0.task?.isCancelled == true } }
}

/// A number that several tasks look at.
final class SharedNumber: Sendable {
    private let number = Atomic<Int>(0)

    var value: Int { number.load(ordering: .sequentiallyConsistent) }

    func set(_ value: Int) { number.store(value, ordering: .sequentiallyConsistent) }
}
