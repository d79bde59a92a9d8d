// Sessions, one-time sign-ins, bearer tokens, the audit, users and what they used, in a real database.

import Foundation
import Gateway
import Kernel
@testable import State
import TLS
import Testing

@Suite struct StatePeopleTests {
    private let world: StateWorld
    private let state: StateDatabase

    init() throws {
        world = try StateWorld()
        state = try StateDatabase(inState: world.path)
    }

    // MARK: Sessions

    @Test func `a session lasts until its end, over restarts, and is found by its token only`() async throws {
        defer { world.remove() }
        let session = PortalSession(email: world.ann, created: 10, renewed: 10, expires: 100, link: nil)
        try await state.open(session, token: world.token(1))
        try state.close()
        let again = try StateDatabase(inState: world.path)
        #expect(try await again.session(world.token(1), at: 99) == session)
        #expect(try await again.session(world.token(1), at: 100) == nil)
        #expect(try await again.session(world.token(2), at: 50) == nil)
    }

    @Test func `a renewed session has another token, and only its own person's`() async throws {
        defer { world.remove() }
        try await state.open(PortalSession(email: world.ann, created: 10, renewed: 10, expires: 100, link: nil), token: world.token(1))
        let his = PortalSession(email: world.bob, created: 10, renewed: 50, expires: 200, link: nil)
        #expect(try await !state.renew(world.token(1), as: his, token: world.token(2)))
        let renewed = PortalSession(email: world.ann, created: 10, renewed: 50, expires: 200, link: nil)
        #expect(try await state.renew(world.token(1), as: renewed, token: world.token(2)))
        #expect(try await state.session(world.token(1), at: 60) == nil)
        #expect(try await state.session(world.token(2), at: 60) == renewed)
        #expect(try await !state.renew(world.token(1), as: renewed, token: world.token(3)))
    }

    @Test func `a session is closed by itself, or with all of its person's`() async throws {
        defer { world.remove() }
        for byte in 1...3 as ClosedRange<UInt8> {
            try await state.open(
                PortalSession(email: byte == 3 ? world.bob : world.ann, created: 1, renewed: 1, expires: 100, link: nil), token: world.token(byte))
        }
        #expect(try await state.close(world.token(1)))
        #expect(try await !state.close(world.token(1)))
        try await state.closeSessions(of: world.ann)
        #expect(try await state.session(world.token(2), at: 50) == nil)
        #expect(try await state.session(world.token(3), at: 50) != nil)
    }

    // MARK: Once, and bearer tokens

    @Test func `a one-time sign-in is taken by one of fifty, before its end`() async throws {
        defer { world.remove() }
        let state = state
        try await state.allowSignIn(world.ann, token: world.token(1), expires: 100, noted: world.entry(.signInLink))
        let taken = await withTaskGroup(of: UserEmail?.self) { group in
            for _ in 0..<50 { group.addTask { (try? await state.takeSignIn(world.token(1), at: 50)) ?? nil } }
            return await group.reduce(into: [UserEmail]()) { if let email = $1 { $0.append(email) } }
        }
        #expect(taken == [world.ann])
        try await state.allowSignIn(world.bob, token: world.token(2), expires: 100, noted: world.entry(.signInLink))
        #expect(try await state.takeSignIn(world.token(2), at: 100) == nil)
        #expect(try await state.takeSignIn(world.token(2), at: 50) == nil)
    }

    @Test func `a bearer token is good until it is revoked or expires, and notes that it is used`() async throws {
        defer { world.remove() }
        let (lasting, brief) = (TokenID(random: Array(0..<10)), TokenID(random: Array(1..<11)))
        try await state.create(TokenRecord(id: lasting, note: "ci", creator: .uid("0"), created: 10, expires: nil), token: world.token(1), noted: world.entry(.tokenCreated))
        try await state.create(TokenRecord(id: brief, note: nil, creator: .uid("0"), created: 11, expires: 100), token: world.token(2), noted: world.entry(.tokenCreated))
        #expect(try await state.token(world.token(1), at: 500)?.id == lasting)
        #expect(try await state.token(world.token(2), at: 99)?.id == brief)
        #expect(try await state.token(world.token(2), at: 100) == nil)
        #expect(try await state.token(world.token(3), at: 50) == nil)
        #expect(try await state.token(world.token(1), at: 530)?.lastUsed == 500)
        #expect(try await state.tokens().map(\.id) == [brief, lasting])
        #expect(try await state.tokens().last?.lastUsed == 500, "once a minute is enough")
        #expect(try await state.revoke(lasting, noted: world.entry(.tokenRevoked)))
        #expect(try await !state.revoke(lasting, noted: world.entry(.tokenRevoked)))
        #expect(try await state.token(world.token(1), at: 600) == nil)
    }

    // MARK: Audit

    @Test func `the audit is asked by any of its columns, newest first, page by page`() async throws {
        defer { world.remove() }
        let globex = try #require(ProjectName("globex"))
        let link = LinkID(random: Array(0..<10))
        for at in 1...30 as ClosedRange<Int64> {
            try await state.append(
                AuditEntry(
                    time: at, actor: at % 2 == 0 ? .person(world.ann) : .gateway, action: at % 3 == 0 ? .deposit : .revocation,
                    project: at <= 10 ? globex : world.acme, server: at == 7 ? world.crm : nil, user: at % 5 == 0 ? world.bob : nil,
                    link: at == 8 ? link : nil, source: "192.0.2.1", detail: at == 9 ? "words" : nil))
        }
        func times(_ change: (inout AuditQuery) -> Void) async throws -> [Int64] {
            var query = AuditQuery(limit: 1000)
            change(&query)
            return try await state.audit(query).map(\.entry.time)
        }
        #expect(try await times { _ in } == Array((1...30).reversed()))
        #expect(try await times { $0.project = globex } == Array((1...10).reversed()))
        #expect(try await times { $0.user = world.bob; $0.action = .deposit } == [30, 15])
        #expect(try await times { $0.server = world.crm } == [7])
        #expect(try await times { $0.link = link } == [8])
        #expect(try await times { $0.since = 12; $0.until = 14 } == [14, 13, 12])
        let page = try await state.audit(AuditQuery(limit: 4))
        #expect(page.map(\.entry.time) == [30, 29, 28, 27])
        #expect(try await times { $0.before = page.last?.number; $0.limit = 2 } == [26, 25])
        #expect(try await times { $0.limit = -5 } == [30])
        let ninth = try await state.audit({ var query = AuditQuery(); query.since = 9; query.until = 9; return query }()).first?.entry
        #expect(ninth == AuditEntry(time: 9, actor: .gateway, action: .deposit, project: globex, source: "192.0.2.1", detail: "words"))
    }

    @Test func `what is past its time goes, what is in use stays`() async throws {
        defer { world.remove() }
        let day: Int64 = 86_400
        let now = 1000 * day
        for age in [1, 9, 11] as [Int64] { try await state.append(world.entry(.reload, at: now - age * day)) }
        for (byte, expires) in [(UInt8(1), now - 11 * day), (2, now - 9 * day), (3, now + day)] {
            try await world.made(world.link(.email(world.ann), expires: expires, id: byte), token: byte, in: state)
        }
        try await state.open(PortalSession(email: world.ann, created: 1, renewed: 1, expires: now, link: nil), token: world.token(8))
        try await state.add([
            UseCount(project: world.acme, server: world.crm, user: world.ann, calls: 1, last: now - 11 * day),
            UseCount(project: world.acme, server: world.crm, user: world.bob, calls: 1, last: now - 8 * day),
        ])
        try await state.tidy(now: now, keep: 10 * day)
        #expect(try await state.audit(AuditQuery()).map(\.entry.action) == [.reload, .reload])
        #expect(try await state.links(of: world.acme).map(\.link.expires) == [now + day, now - 9 * day])
        #expect(try await state.users(UserQuery(project: world.acme), at: now).map(\.email) == [world.bob])
        #expect(try await state.session(world.token(8), at: 0) == nil)
    }

    // MARK: Users

    @Test func `a user's calls of seven days are told, today's included, each project's apart`() async throws {
        defer { world.remove() }
        let globex = try #require(ProjectName("globex"))
        let now: Int64 = 100 * 86_400 + 5
        func use(_ email: UserEmail, _ calls: Int, daysAgo: Int64, project: ProjectName? = nil) -> UseCount {
            UseCount(project: project ?? world.acme, server: world.crm, user: email, calls: calls, last: now - daysAgo * 86_400)
        }
        try await state.add([use(world.ann, 5, daysAgo: 0), use(world.ann, 7, daysAgo: 6), use(world.ann, 100, daysAgo: 7), use(world.bob, 1, daysAgo: 9)])
        try await state.add([use(world.ann, 2, daysAgo: 0), use(world.ann, 30, daysAgo: 1, project: globex)])
        #expect(try await state.users(UserQuery(project: world.acme), at: now) == [
            UserRecord(email: world.ann, firstSeen: now - 7 * 86_400, lastSeen: now, calls: 14),
            UserRecord(email: world.bob, firstSeen: now - 9 * 86_400, lastSeen: now - 9 * 86_400, calls: 0),
        ])
        #expect(try await state.user(world.ann, of: globex, at: now)?.calls == 30)
        #expect(try await state.user(world.bob, of: globex, at: now) == nil)
    }

    @Test func `a forgotten user is gone with calls and completions, in that project only`() async throws {
        defer { world.remove() }
        let id = try await world.made(world.link(try world.domain()), token: 1, in: state)
        try await state.record(LinkCompletion(link: id, email: world.ann, server: world.crm, at: 5))
        try await state.add([UseCount(project: world.acme, server: world.crm, user: world.ann, calls: 1, last: 100)])
        #expect(try await state.forget(world.ann, in: world.acme, noted: world.entry(.userDeleted, user: world.ann)))
        #expect(try await !state.forget(world.ann, in: world.acme, noted: world.entry(.userDeleted, user: world.ann)))
        #expect(try await state.users(UserQuery(project: world.acme), at: 100).isEmpty)
        #expect(try await state.completions(of: id).isEmpty)
        try await state.saw(world.ann, in: world.acme, at: 200)
        #expect(try await state.user(world.ann, of: world.acme, at: 200)?.calls == 0)
        #expect(try await state.audit(AuditQuery()).map(\.entry.action) == [.userDeleted, .linkCreated])
    }

    @Test func `users come a page at a time, by the beginning of their address`() async throws {
        defer { world.remove() }
        let names = (0..<250).map { "\($0 % 2 == 0 ? "ann" : "bob")\(1000 + $0)@acme.com" }
        for name in names { try await state.saw(try #require(UserEmail(name)), in: world.acme, at: name.hasPrefix("ann") ? 10 : 20) }
        var query = UserQuery(project: world.acme, limit: 100)
        var found: [String] = []
        while true {
            let page = try await state.users(query, at: 100).map(\.email)
            #expect(page.count <= 100)
            found += page.map(\.text)
            guard let last = page.last else { break }
            query.after = last
        }
        #expect(found == names.sorted())
        query = UserQuery(project: world.acme, prefix: "bob11")
        #expect(try await state.users(query, at: 100).map(\.email.text) == names.filter { $0.hasPrefix("bob11") }.sorted())
        #expect(try await state.census(query, since: 15, servers: [:]) == UserCensus(all: 250, matching: 50, recent: 125, needy: 0))
        for odd in ["bob%", "b_b", "'", "bob1100@acme.com\u{0}", "é"] {
            query.prefix = odd
            #expect(try await state.users(query, at: 100).isEmpty)
        }
    }

    @Test func `who has to connect something again is counted once, whatever the reason`() async throws {
        defer { world.remove() }
        let old = Origin(scheme: .https, host: "old.example", port: 443)
        let now = Origin(scheme: .https, host: "up.example", port: 443)
        func deposit(_ email: UserEmail, _ server: String, _ origin: Origin) throws -> Deposit {
            let name = try #require(ServerName(server))
            return Deposit(
                reference: try #require(Reference(path: "/acme/users/\(email.text.prefix { $0 != "@" })/\(server)")), project: world.acme, server: name, level: .user, user: email,
                origin: origin, depositedAt: 1, updatedAt: 1)
        }
        for each in [try deposit(world.ann, "crm", old), try deposit(world.ann, "wiki", old), try deposit(world.bob, "crm", now)] { try await state.record(each) }
        let (crm, wiki) = (world.crm, try #require(ServerName("wiki")))
        let query = UserQuery(project: world.acme)
        #expect(try await state.census(query, since: 0, servers: [crm: now, wiki: now]).needy == 1)
        #expect(try await state.census(query, since: 0, servers: [crm: nil, wiki: nil]).needy == 0)
        try await state.setRejected(try deposit(world.bob, "crm", now).reference, at: 5)
        #expect(try await state.census(query, since: 0, servers: [crm: nil]).needy == 1)
        #expect(try await state.census(query, since: 0, servers: [crm: now, wiki: now]).needy == 2)
        #expect(try await state.deposits(in: world.acme, of: [world.bob, world.ann]).map(\.server) == [crm, crm, wiki])
    }

    @Test func `the use of keys is added up, the last time kept, and let go when its time is over`() async throws {
        defer { world.remove() }
        func use(_ id: String, _ calls: Int, _ last: Int64) throws -> KeyUse {
            KeyUse(project: world.acme, navigator: try #require(NavigatorName("agent")), key: try #require(APIKeyID(id)), calls: calls, last: last)
        }
        try await state.add([try use("key1", 2, 100), try use("key2", 1, 50)])
        try await state.add([try use("key1", 3, 90)])
        #expect(try await state.keyUses(of: world.acme) == [try use("key1", 5, 100), try use("key2", 1, 50)])
        #expect(try await state.keyUses(of: try #require(ProjectName("globex"))).isEmpty)
        try await state.tidy(now: 160, keep: 100)
        #expect(try await state.keyUses(of: world.acme) == [try use("key1", 5, 100)])
    }

    // MARK: Deposits under way

    @Test func `a deposit that the end of the process cut off is told of by the next one`() async throws {
        defer { world.remove() }
        let (first, second) = (world.entry(.deposit, at: 5, user: world.ann), world.entry(.replacement, at: 6, user: world.bob))
        let (lost, done, dropped) = (try await state.begin(first), try await state.begin(second), try await state.begin(first))
        try await state.settle(done, as: second)
        try await state.settle(dropped, as: nil)
        #expect(try await state.audit(AuditQuery()).map(\.entry) == [second] && lost != done)
        try state.close()
        for _ in 0..<2 {
            let next = try StateDatabase(inState: world.path)
            let rows = try await next.audit(AuditQuery()).map(\.entry)
            #expect(rows == [first.saying(StateDatabase.interrupted), second])
            try next.close()
        }
    }

    // MARK: Backup

    @Test func `a copy is whole, opens as it is, and nothing of its making is left`() async throws {
        defer { world.remove() }
        try await world.made(world.link(try world.domain()), token: 1, in: state)
        try await state.saw(world.ann, in: world.acme, at: 5)
        let copy = try await state.backup()
        try await world.made(world.link(.email(world.bob), id: 2), token: 2, in: state)
        #expect(try FileManager.default.contentsOfDirectory(atPath: world.path).allSatisfy { $0.hasPrefix("state.db") })
        let other = try StateWorld()
        defer { other.remove() }
        let bytes = try copy.read(copy.size, at: 0)
        #expect(bytes.count == copy.size && bytes.count > 1000)
        try Data(bytes).write(to: URL(filePath: other.path + "/state.db"))
        let restored = try StateDatabase(inState: other.path)
        #expect(try await restored.links(of: world.acme).map(\.link.restriction) == [try world.domain()])
        #expect(try await restored.users(UserQuery(project: world.acme), at: 5).map(\.email) == [world.ann])
        try await world.made(world.link(.email(world.bob), id: 2), token: 2, in: restored)
    }

    @Test func `copies are made one at a time, while others write; what a crash left does not keep the next from being made`() async throws {
        defer { world.remove() }
        let state = state
        let copies = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<8 {
                group.addTask { (try? await state.backup()) != nil }
                group.addTask { (try? await state.saw(world.ann, in: world.acme, at: Int64(number))) == nil }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(copies >= 1)
        try Data().write(to: URL(filePath: world.path + "/backup.part"))
        await #expect(throws: StateFault("another backup is being made: wait until it is done")) { _ = try await state.backup() }
        try state.close()
        _ = try await StateDatabase(inState: world.path).backup()
    }
}
