// Many who want a token at once, before a provider that rotates and forgives no reuse.

import EventLoop
import Gateway
import Kernel
@testable import OAuth
import Outbound
import Synchronization
import Testing

/// A provider whose every refresh token may be shown once; shown again, the whole family ends (RFC 9700, section 4.14).
private final class StrictProvider: HTTPClient {
    enum Mood: Sendable { case answers, losesAnswer, isDown, isUnreachable, hangs }

    struct Books: Sendable {
        var current = "r0"
        var spent: Set<String> = []
        var isRevoked = false
        var requests = 0
        var underWay = 0
        var mostAtOnce = 0
        var moods: [Mood] = []
        var lost = 0
        var hanging: [CheckedContinuation<Void, Never>] = []
    }

    let books = Mutex(Books())

    /// Ends every request that hangs; no answer to it comes.
    func letGo() {
        let hanging = books.withLock { books in
            defer { books.hanging = [] }
            return books.hanging
        }
        for one in hanging { one.resume() }
    }

    func send(_ request: OutboundRequest) async throws(OutboundFault) -> OutboundResponse {
        let form = request.body.map { String(decoding: $0.bytes.copied(), as: UTF8.self) } ?? ""
        let shown = form.split(separator: "&").first { $0.hasPrefix("refresh_token=") }.map { String($0.dropFirst(14)) } ?? ""
        let mood = books.withLock { books in
            books.requests += 1
            books.underWay += 1
            books.mostAtOnce = max(books.mostAtOnce, books.underWay)
            return books.moods.popLast() ?? .answers
        }
        await Task.yield()
        defer { books.withLock { $0.underWay -= 1 } }
        switch mood {
        case .isUnreachable: throw OutboundFault(.unreachable, .safe, "provider: refused")
        case .isDown: return answer(503, "")
        case .hangs:
            await withCheckedContinuation { continuation in books.withLock { $0.hanging.append(continuation) } }
            throw OutboundFault(.broken, .ifRepeatable, "provider: reset")
        case .answers, .losesAnswer: break
        }
        let (status, body) = books.withLock { books -> (Int, String) in
            guard !books.isRevoked, shown == books.current else {
                if books.spent.contains(shown) { books.isRevoked = true }
                return (400, "{\"error\":\"invalid_grant\"}")
            }
            books.spent.insert(shown)
            books.current = "r\(books.spent.count)"
            if mood == .losesAnswer { books.lost += 1 }
            return (200, "{\"access_token\":\"a\(books.spent.count)\",\"expires_in\":3600,\"refresh_token\":\"\(books.current)\"}")
        }
        guard mood != .losesAnswer else { throw OutboundFault(.broken, .ifRepeatable, "provider: reset") }
        return answer(status, body)
    }

    private func answer(_ status: Int, _ body: String) -> OutboundResponse {
        OutboundResponse(status: status, body: Secret(copying: Array(body.utf8).span.raw))
    }
}

/// A store in memory that may fail to confirm.
private final class MemoryStore: GrantStore {
    struct Shelf: Sendable {
        var records: [Reference: GrantRecord] = [:]
        var failures = 0
        var writes = 0
        var isOpen = false
        /// Where there is something that is no grant.
        var unreadable: Set<Reference> = []
    }

    let shelf = Mutex(Shelf())

    var isOpen: Bool { shelf.withLock { $0.isOpen } }

    func read(_ reference: Reference) async throws(GrantStoreFault) -> GrantRecord? {
        let (record, isUnreadable) = shelf.withLock { ($0.records[reference], $0.unreadable.contains(reference)) }
        if isUnreadable { throw GrantStoreFault("what lies there is no grant; connect it again", isUnreadable: true) }
        return record
    }

    func write(_ record: GrantRecord, to reference: Reference) async throws(GrantStoreFault) {
        let fails = shelf.withLock { shelf -> Bool in
            shelf.writes += 1
            guard shelf.failures == 0 else {
                shelf.failures -= 1
                return true
            }
            // A write that comes late may not undo a later one.
            if (shelf.records[reference]?.generation ?? 0) < record.generation { shelf.records[reference] = record }
            return false
        }
        if fails { throw GrantStoreFault("the store is down") }
    }
}

private final class TestClock: Sendable {
    private let time = Mutex(MonotonicTime(nanoseconds: 1_000_000_000_000))
    var now: MonotonicTime { time.withLock { $0 } }
    func advance(_ duration: Duration) { time.withLock { $0 = $0.advanced(by: duration) } }
}

/// Terms that are always known.
private struct FixedTerms: TermsSource {
    let terms: GrantTerms

    func terms(for server: OAuthServer, _ record: GrantRecord?) async throws(NoTerms) -> GrantTerms { terms }
    func renewed(_ client: OAuthClient, for server: OAuthServer, _ record: GrantRecord?) async throws(NoTerms) -> GrantTerms { terms }
}

private final class Notes: GrantObserver {
    let ended = Mutex<[Reference]>([])

    func saved(_ record: GrantRecord, as reference: Reference) async {}
    func disconnected(_ reference: Reference, _ words: String) async { ended.withLock { $0.append(reference) } }
    func renewed(_ reference: Reference) {}
    func refreshed(_ outcome: RefreshOutcome, took: Duration) {}
    func unsaved(_ count: Int) {}
    func report(isTrouble: Bool, _ words: String) {}
}

@Suite struct GrantKeeperTests {
    private let provider = StrictProvider()
    private let store = MemoryStore()
    private let clock = TestClock()
    private let reference: Reference
    private let terms: GrantTerms
    private let plan: TokenPlan
    private let notes = Notes()
    private let loop: EventLoop

    init() throws {
        reference = try #require(Reference(path: "/acme/users/abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst/crm.grant"))
        terms = GrantTerms(tokenEndpoint: try ServiceURL("https://provider.example/token"), client: OAuthClient(identifier: "me", proof: .none), resource: nil)
        let url = try ServiceURL("https://mcp.example/mcp")
        plan = TokenPlan(OAuthServer(name: "crm", title: "CRM", url: url, settings: OAuthSettings()), .grant)
        loop = try .started(name: "grants")
        let first = GrantRecord(
            key: .refreshToken(Secret(copying: Array("r0".utf8).span.raw)), issuer: "https://provider.example", client: "me", scopes: [], generation: 1,
            origin: "https://mcp.example", resource: nil)
        store.shelf.withLock { $0.records[reference] = first }
    }

    private func keeper() -> GrantKeeper {
        let clock = clock
        return GrantKeeper(
            on: loop, store: store, client: provider, terms: FixedTerms(terms: terms), observer: notes, clock: { clock.now }, wallClock: { 1000 },
            random: { 0 })
    }

    private func text(_ secret: Secret) -> String { String(decoding: secret.bytes.copied(), as: UTF8.self) }

    /// What `callers` at once get: tokens, or the first fault.
    private func ask(_ keeper: GrantKeeper, callers: Int) async -> Result<Set<String>, GrantFault> {
        await withTaskGroup(of: Result<String, GrantFault>.self) { group in
            for _ in 0..<callers {
                group.addTask {
                    do throws(GrantFault) {
                        return .success(self.text(try await keeper.token(of: reference, by: plan).value))
                    } catch {
                        return .failure(error)
                    }
                }
            }
            var tokens: Set<String> = []
            var fault: GrantFault?
            for await result in group {
                switch result {
                case .success(let token): tokens.insert(token)
                case .failure(let reason): fault = fault ?? reason
                }
            }
            return fault.map { .failure($0) } ?? .success(tokens)
        }
    }

    @Test func `fifty callers at each of four hundred expiries make one refresh each, and the family lives`() async {
        let keeper = keeper()
        for expiry in 1...400 {
            #expect(await ask(keeper, callers: 50) == .success(["a\(expiry)"]))
            clock.advance(.seconds(3600))
        }
        let books = provider.books.withLock { $0 }
        #expect(books.requests == 400)
        #expect(books.mostAtOnce == 1)
        #expect(!books.isRevoked)
        #expect(store.shelf.withLock { $0.records[reference]?.generation } == 401)
    }

    @Test func `a new keeper goes on where the last one was killed`() async {
        for round in 1...100 {
            #expect(await ask(keeper(), callers: 5) == .success(["a\(round)"]))
        }
        #expect(provider.books.withLock { !$0.isRevoked })
    }

    @Test func `a provider that is down or unreachable ends nothing`() async {
        let keeper = keeper()
        _ = await ask(keeper, callers: 3)
        for _ in 0..<50 {
            clock.advance(.seconds(3600))
            provider.books.withLock { $0.moods = [.isDown] }
            guard case .failure(.unavailable) = await ask(keeper, callers: 10) else {
                Issue.record("a token, or a connection that ended")
                return
            }
            clock.advance(.seconds(60))
            provider.books.withLock { $0.moods = [.isUnreachable, .isUnreachable] }
            guard case .success = await ask(keeper, callers: 10) else {
                Issue.record("no token")
                return
            }
        }
        #expect(provider.books.withLock { !$0.isRevoked })
    }

    @Test func `an answer that is truly lost is found out, and the connection is said to have ended`() async {
        let keeper = keeper()
        provider.books.withLock { $0.moods = [.losesAnswer] }
        guard case .failure(.disconnected) = await ask(keeper, callers: 10) else {
            Issue.record("not disconnected")
            return
        }
        #expect(provider.books.withLock { $0.lost == 1 && $0.requests == 2 })
        #expect(notes.ended.withLock { $0 } == [reference])
    }

    @Test func `a grant that is removed while its token is refreshed is not written again`() async throws {
        let keeper = keeper()
        async let token = keeper.token(of: reference, by: plan)
        while provider.books.withLock({ $0.requests }) == 0 { await Task.yield() }
        let last = await keeper.remove(reference, by: plan) { () -> Result<Void, GrantStoreFault> in .success(store.shelf.withLock { $0.records = [:] }) }
        // Who asked before got what was under way; its generation is the one to be revoked.
        _ = try? await token
        #expect(last.newest?.generation == 2)
        #expect(store.shelf.withLock { $0.records.isEmpty })
        await #expect(throws: GrantFault.missing) { try await keeper.token(of: reference, by: plan) }
    }

    @Test func `a person who connects anew gets the generation behind all that were`() async throws {
        let keeper = keeper()
        for _ in 0..<5 {
            _ = await ask(keeper, callers: 2)
            clock.advance(.seconds(3600))
        }
        let fresh = GrantRecord(
            key: .refreshToken(Secret(copying: Array("new".utf8).span.raw)), issuer: "https://provider.example", client: "me", scopes: [], generation: 1,
            origin: "https://mcp.example", resource: nil)
        try await keeper.connect(
            fresh, access: Secret(copying: Array("anew".utf8).span.raw), life: .seconds(60), obtained: clock.now, as: reference, by: plan)
        #expect(store.shelf.withLock { $0.records[reference]?.generation } == 7)
        #expect(await ask(keeper, callers: 10) == .success(["anew"]))
    }

    @Test func `a grant for another origin or of another issuer is none`() async throws {
        let url = try ServiceURL("https://other.example/mcp")
        let moved = TokenPlan(OAuthServer(name: "crm", title: "CRM", url: url, settings: OAuthSettings()), .grant)
        await #expect(throws: GrantFault.missing) { try await keeper().token(of: reference, by: moved) }
        let elsewhere = TokenPlan(
            OAuthServer(
                name: "crm", title: "CRM", url: plan.server.url, settings: OAuthSettings(issuer: "https://provider.example/")), .grant)
        await #expect(throws: GrantFault.missing) { try await keeper().token(of: reference, by: elsewhere) }
        #expect(provider.books.withLock { $0.requests } == 0)
    }

    @Test func `what is under way at the end is waited for`() async throws {
        let keeper = keeper()
        async let token = keeper.token(of: reference, by: plan)
        while provider.books.withLock({ $0.requests }) == 0 { await Task.yield() }
        await keeper.finish()
        #expect(store.shelf.withLock { $0.records[reference]?.generation } == 2)
        _ = try await token
    }

    @Test func `a store that does not confirm does not stop tokens, and gets the last generation when it works again`() async {
        let keeper = keeper()
        store.shelf.withLock { $0.failures = 1000 }
        for expiry in 1...20 {
            #expect(await ask(keeper, callers: 10) == .success(["a\(expiry)"]))
            #expect(await keeper.unsavedCount == 1)
            clock.advance(.seconds(3600))
        }
        #expect(store.shelf.withLock { $0.records[reference]?.generation } == 1)
        store.shelf.withLock { $0.failures = 0 }
        await keeper.tick()
        while await keeper.unsavedCount > 0 { await Task.yield() }
        #expect(store.shelf.withLock { $0.records[reference]?.generation } == 21)
        #expect(provider.books.withLock { !$0.isRevoked })
    }

    @Test func `a 401 to one token makes one refresh, whoever says it and how often`() async throws {
        let keeper = keeper()
        let token = try await keeper.token(of: reference, by: plan)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<100 { group.addTask { await keeper.rejected(token.number, of: reference) } }
        }
        #expect(await ask(keeper, callers: 50) == .success(["a2"]))
        #expect(provider.books.withLock { $0.requests } == 2)
    }

    @Test func `a removal that fails leaves the newest generation, which the store does not have, in memory`() async throws {
        let keeper = keeper()
        store.shelf.withLock { $0.failures = 1000 }
        #expect(await ask(keeper, callers: 3) == .success(["a1"]))
        let removal = await keeper.remove(reference, by: plan) { () -> Result<Void, GrantStoreFault> in .failure(GrantStoreFault("the store is down")) }
        #expect(throws: GrantStoreFault.self) { try removal.outcome.get() }
        #expect(await keeper.unsavedCount == 1)
        clock.advance(.seconds(3600))
        #expect(await ask(keeper, callers: 3) == .success(["a2"]))
        #expect(provider.books.withLock { !$0.isRevoked })
    }

    @Test func `at the end a provider that does not answer holds up nobody else's generation`() async throws {
        let keeper = keeper()
        let slow = (0..<8).compactMap { Reference(path: "/acme/shared/slow\($0).grant") }
        store.shelf.withLock { shelf in
            for one in slow { shelf.records[one] = shelf.records[reference] }
            shelf.failures = 1
        }
        #expect(await ask(keeper, callers: 1) == .success(["a1"]))
        provider.books.withLock { $0.moods = Array(repeating: .hangs, count: slow.count) }
        let asking = slow.map { one in Task { try? await keeper.token(of: one, by: plan) } }
        while provider.books.withLock({ $0.hanging.count }) < slow.count { await Task.yield() }
        let ending = Task { await keeper.finish() }
        for _ in 0..<100_000 where store.shelf.withLock({ $0.records[reference]?.generation }) != 2 { await Task.yield() }
        #expect(store.shelf.withLock { $0.records[reference]?.generation } == 2)
        // What got no answer is not sent again: its answer would be lost with the process.
        let sent = provider.books.withLock { $0.requests }
        provider.letGo()
        await ending.value
        for one in asking { _ = await one.value }
        #expect(provider.books.withLock { $0.requests } == sent)
        await #expect(throws: GrantFault.self) { try await keeper.token(of: slow[0], by: plan) }
        #expect(provider.books.withLock { $0.requests } == sent)
    }

    @Test func `what lies in the store and is no grant does not keep a person from connecting again`() async throws {
        let keeper = keeper()
        store.shelf.withLock { shelf in
            shelf.records = [:]
            shelf.unreadable = [reference]
        }
        let fresh = GrantRecord(
            key: .refreshToken(Secret(copying: Array("new".utf8).span.raw)), issuer: "https://provider.example", client: "me", scopes: [], generation: 1,
            origin: "https://mcp.example", resource: nil)
        try await keeper.connect(
            fresh, access: Secret(copying: Array("anew".utf8).span.raw), life: .seconds(60), obtained: clock.now, as: reference, by: plan)
        #expect(await ask(keeper, callers: 2) == .success(["anew"]))
        #expect(store.shelf.withLock { $0.records[reference]?.generation } == 1)
    }

    @Test func `a provider that exchanges the refresh token is shown the newest, also where the store has an older one`() async throws {
        let keeper = keeper()
        store.shelf.withLock { $0.failures = 1000 }
        #expect(await ask(keeper, callers: 1) == .success(["a1"]))
        #expect(text(try await keeper.refreshToken(of: reference, by: plan)) == "r1")
    }

    @Test func `a grant of another provider or client than what is written out now is none`() async throws {
        func asked(_ settings: OAuthSettings) -> TokenPlan {
            TokenPlan(OAuthServer(name: "crm", title: "CRM", url: plan.server.url, settings: settings), .grant)
        }
        let endpoints = asked(OAuthSettings(authorizationEndpoint: "https://new.example/a", tokenEndpoint: "https://new.example/t"))
        await #expect(throws: GrantFault.missing) { try await keeper().token(of: reference, by: endpoints) }
        await #expect(throws: GrantFault.missing) { try await keeper().token(of: reference, by: asked(OAuthSettings(clientID: "another"))) }
        #expect(provider.books.withLock { $0.requests } == 0)
        let same = asked(OAuthSettings(authorizationEndpoint: "https://provider.example/a", tokenEndpoint: "https://provider.example/t", clientID: "me"))
        _ = try await keeper().token(of: reference, by: same)
    }
}
