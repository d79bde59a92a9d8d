// Links, sessions, tokens, audit and use in a real database: what was acknowledged is there after a restart, and races have one winner.

import Foundation
import Gateway
import Kernel
@testable import State
import TLS
import Testing

/// A state directory of its own.
struct StateWorld {
    let path: String
    let ann: UserEmail
    let bob: UserEmail
    let acme: ProjectName
    let crm: ServerName
    let wiki: ServerName

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/claviger-state-" + SecureRandom.bytes(8).map { String($0, radix: 16) }.joined()
        _ = try Directory(path, createdWith: 0o700)
        ann = try #require(UserEmail("ann@acme.com"))
        bob = try #require(UserEmail("bob@acme.com"))
        acme = try #require(ProjectName("acme"))
        crm = try #require(ServerName("crm"))
        wiki = try #require(ServerName("wiki"))
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    func entry(_ action: AuditAction, at time: Int64 = 10, link: LinkID? = nil, user: UserEmail? = nil) -> AuditEntry {
        AuditEntry(time: time, actor: .uid("0"), action: action, project: acme, user: user, link: link, source: "admin.sock")
    }

    func link(_ restriction: LinkRestriction, expires: Int64 = 100, id: UInt8 = 0, project: ProjectName? = nil) -> AuthLink {
        AuthLink(
            id: LinkID(random: Array(repeating: id, count: 10)), project: project ?? acme, servers: .these([crm, wiki]), restriction: restriction,
            created: 10 + Int64(id), expires: expires)
    }

    func domain(_ text: String = "acme.com") throws -> LinkRestriction { .domains([try #require(EmailDomain(text))]) }

    func token(_ byte: UInt8) -> Digest256 { LinkToken(random: Array(repeating: byte, count: 32)).digest }

    /// As `link`, put into the database.
    @discardableResult
    func made(_ link: AuthLink, token byte: UInt8, in state: StateDatabase) async throws -> LinkID {
        try await state.create(link, token: token(byte), noted: entry(.linkCreated, link: link.id))
        return try #require(link.id)
    }
}

@Suite struct StateLinkTests {
    private let world: StateWorld

    init() throws { world = try StateWorld() }

    @Test func `a link is found by its token and listed, over a restart`() async throws {
        defer { world.remove() }
        let (user, project) = (world.link(try world.domain(), id: 1), world.link(.email(world.ann), id: 2))
        let first = try StateDatabase(inState: world.path)
        try await world.made(user, token: 1, in: first)
        try await world.made(project, token: 2, in: first)
        try await world.made(world.link(.email(world.bob), id: 3, project: ProjectName("globex")), token: 3, in: first)
        try first.close()
        let state = try StateDatabase(inState: world.path)
        #expect(try await state.link(token: world.token(1)) == user)
        #expect(try await state.link(token: world.token(2)) == project)
        #expect(try await state.link(token: world.token(4)) == nil)
        #expect(try await state.links(of: world.acme).map(\.link) == [project, user], "the newest first")
        #expect(try await state.link(try #require(user.id))?.creator == .uid("0"))
        #expect(try await state.audit(AuditQuery(project: world.acme)).map(\.entry.action) == [.linkCreated, .linkCreated, .linkCreated])
    }

    @Test func `a token or an id that is taken makes no second link`() async throws {
        defer { world.remove() }
        let state = try StateDatabase(inState: world.path)
        try await world.made(world.link(.email(world.ann), id: 1), token: 1, in: state)
        for (id, token) in [(UInt8(1), UInt8(2)), (2, 1)] {
            await #expect(throws: StateFault.self) { try await world.made(world.link(.email(world.bob), id: id), token: token, in: state) }
        }
        #expect(try await state.links(of: world.acme).count == 1)
        #expect(try await state.audit(AuditQuery()).count == 1)
    }

    @Test func `who connected what is told with the link, the same said twice once`() async throws {
        defer { world.remove() }
        let state = try StateDatabase(inState: world.path)
        let id = try await world.made(world.link(try world.domain()), token: 1, in: state)
        for (email, server, at) in [(world.ann, world.crm, 20), (world.bob, world.crm, 30), (world.ann, world.wiki, 25), (world.ann, world.crm, 40)] {
            try await state.record(LinkCompletion(link: id, email: email, server: server, at: Int64(at)))
        }
        try await state.record(LinkCompletion(link: LinkID(random: Array(10..<20)), email: world.ann, server: world.crm, at: 50))
        let record = try #require(try await state.links(of: world.acme).first)
        #expect(record.people == 2 && record.lastUsed == 40)
        #expect(try await state.completions(of: id).map { "\($0.email.text) \($0.server) \($0.at)" } == [
            "ann@acme.com crm 40", "bob@acme.com crm 30", "ann@acme.com wiki 25",
        ])
    }

    @Test func `an edit changes what it names, and no link's type`() async throws {
        defer { world.remove() }
        let state = try StateDatabase(inState: world.path)
        let id = try await world.made(world.link(try world.domain()), token: 1, in: state)
        let moved = try await state.edit(id, LinkEdit(restriction: try world.domain("acme.org")), noted: world.entry(.linkEdited, link: id))
        #expect(try moved?.restriction == world.domain("acme.org") && moved?.expires == 100)
        let longer = try await state.edit(id, LinkEdit(restriction: .email(world.ann), expires: 900), noted: world.entry(.linkEdited, link: id))
        #expect(try longer?.restriction == world.domain("acme.org") && longer?.expires == 900)
        #expect(try await state.link(token: world.token(1)) == longer)
        #expect(try await state.edit(LinkID(random: Array(10..<20)), LinkEdit(expires: 1), noted: world.entry(.linkEdited)) == nil)
        #expect(try await state.audit(AuditQuery()).map(\.entry.action) == [.linkEdited, .linkEdited, .linkCreated])
    }

    @Test func `a renewed link has another token, and is not spent any more`() async throws {
        defer { world.remove() }
        let state = try StateDatabase(inState: world.path)
        let id = try await world.made(world.link(.email(world.ann)), token: 1, in: state)
        let session = PortalSession(email: world.ann, created: 20, renewed: 20, expires: 1000, link: id)
        try await state.open(session, token: world.token(9))
        #expect(try await state.spend(id, by: world.ann, noted: world.entry(.linkSpent, at: 30)) == .spent)
        let renewed = try await state.renew(id, token: world.token(2), expires: 500, noted: world.entry(.linkRenewed, at: 200))
        #expect(renewed?.state(at: 200) == .active && renewed?.expires == 500)
        #expect(try await state.link(token: world.token(1)) == nil)
        #expect(try await state.link(token: world.token(2)) == renewed)
        #expect(try await state.session(world.token(9), at: 200) == nil, "who came by the old URL comes again")
    }

    @Test func `a deleted link is not listed, not changed, and known as that`() async throws {
        defer { world.remove() }
        let state = try StateDatabase(inState: world.path)
        let id = try await world.made(world.link(.email(world.ann)), token: 1, in: state)
        #expect(try await state.delete(id, noted: world.entry(.linkDeleted, at: 50)))
        #expect(try await !state.delete(id, noted: world.entry(.linkDeleted, at: 51)))
        #expect(try await state.links(of: world.acme).isEmpty)
        #expect(try await state.link(token: world.token(1))?.state(at: 60) == .deleted)
        #expect(try await state.edit(id, LinkEdit(expires: 900), noted: world.entry(.linkEdited)) == nil)
        #expect(try await state.renew(id, token: world.token(2), expires: 900, noted: world.entry(.linkRenewed)) == nil)
        #expect(try await state.spend(id, by: world.ann, noted: world.entry(.linkSpent, at: 60)) == .over(.deleted))
        #expect(try await state.audit(AuditQuery()).map(\.entry.action) == [.linkDeleted, .linkCreated])
    }

    @Test func `of a hundred who finish a project link at once, one spends it`() async throws {
        defer { world.remove() }
        let state = try StateDatabase(inState: world.path)
        let id = try await world.made(world.link(.email(world.ann)), token: 1, in: state)
        let outcomes = await withTaskGroup(of: LinkSpending?.self) { group in
            for _ in 0..<100 {
                group.addTask { try? await state.spend(id, by: world.ann, noted: world.entry(.linkSpent, at: 50, link: id, user: world.ann)) }
            }
            return await group.reduce(into: [LinkSpending: Int]()) { if let outcome = $1 { $0[outcome, default: 0] += 1 } }
        }
        #expect(outcomes == [.spent: 1, .over(.spent): 99])
        #expect(try await state.audit(AuditQuery()).count { $0.entry.action == .linkSpent } == 1)
    }

    @Test func `nobody else spends it, nobody spends a user link, and none that expired`() async throws {
        defer { world.remove() }
        let state = try StateDatabase(inState: world.path)
        let mine = try await world.made(world.link(.email(world.ann), id: 1), token: 1, in: state)
        let everyones = try await world.made(world.link(try world.domain(), id: 2), token: 2, in: state)
        #expect(try await state.spend(mine, by: world.bob, noted: world.entry(.linkSpent, at: 50)) == .refused)
        #expect(try await state.spend(everyones, by: world.ann, noted: world.entry(.linkSpent, at: 50)) == .refused)
        #expect(try await state.spend(mine, by: world.ann, noted: world.entry(.linkSpent, at: 100)) == .over(.expired))
        #expect(try await state.link(mine)?.link.state(at: 50) == .active)
    }
}
