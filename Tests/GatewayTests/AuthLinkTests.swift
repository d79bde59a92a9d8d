// Auth links: for whom one is, how it ends, and what it offers while the configuration changes under it.

import Gateway
import TLS
import Testing

@Suite struct AuthLinkTests {
    private let acme: ProjectName

    init() throws { acme = try #require(ProjectName("acme")) }

    private func domain(_ text: String) throws -> LinkRestriction { .domains([try #require(EmailDomain(text))]) }
    private func email(_ text: String) throws -> LinkRestriction { .email(try #require(UserEmail(text))) }
    private func names(_ texts: String...) -> LinkServers { .these(texts.compactMap { ServerName($0) }) }

    private func link(
        _ restriction: LinkRestriction, _ servers: LinkServers = .these([]), expires: Int64? = 100, spent: Int64? = nil, deleted: Int64? = nil
    ) -> AuthLink {
        AuthLink(
            id: LinkID(random: Array(0..<10)), project: acme, servers: servers, restriction: restriction, created: 1, expires: expires,
            spent: spent, deleted: deleted)
    }

    private func project(_ instances: [(String, ServerInstance.Level, ServerInstance.Status, Bool)], connect: [EmailDomain] = []) throws -> Project {
        let made = try instances.map { name, level, status, isOpen in
            ServerInstance(
                project: acme, name: try #require(ServerName(name)),
                server: try Sample.server(name, injector: isOpen ? .none : .query([("k", Sample.template("{key}"))])), level: level, status: status)
        }
        return Project(name: acme, title: nil, connect: connect, instances: NameTable(made.map { ($0.name.text, $0) }), navigators: [:])
    }

    private func snapshot(_ project: Project) throws -> Snapshot {
        Snapshot(
            gateway: GatewaySettings(listen: [], publicURL: "http://gw", workers: 1), secrets: .sealedFiles(directory: nil, key: nil),
            cache: CacheSettings(), portalURL: "http://gw", admin: AdminSettings(), log: LogSettings(), servers: [:], projects: [acme: project],
            keys: [:], digest: Digest256(words: (0, 0, 0, 0)))
    }

    // MARK: For whom

    @Test(arguments: ["ann@acme.com", "ANN@Acme.COM", " ann@acme.com\t", "ann+tag@acme.com", "a.n.n@acme.com"])
    func `a user link is for everybody of its domain`(address: String) throws {
        #expect(link(try domain("ACME.com")).admits(try #require(UserEmail(address))))
    }

    @Test(arguments: [
        "ann@sub.acme.com", "ann@evilacme.com", "ann@acme.com.evil.org", "ann@acme.co", "ann@acme.comm", "acme.com@evil.org", "ann@acme-com.org",
        "ann@cme.com", "ann@acme.co.m",
    ]) func `and for nobody of another, however alike`(address: String) throws {
        #expect(!link(try domain("acme.com")).admits(try #require(UserEmail(address))))
    }

    @Test(arguments: [
        "ann@acme.com@evil.org", "\"ann@acme.com\"@evil.org", "ann@acme.com.", "ann@\u{FF43}ompany.com", "ann@acme.com%0d%0a", "ann@acme.com\r\n",
        "ann@acme.com\n", "ann@[127.0.0.1]", "ann@acme.com,bob@evil.org", "ann@acme.com bob@evil.org", "@acme.com", "ann@", "ann", "ann@ac\u{212A}me.com",
        "ann(comment)@acme.com", "<ann@acme.com>", "ann@acme.com\u{0}", "ann@acme..com", "ann@-acme.com", "ann\u{200B}@acme.com",
    ]) func `what is no address gets as far as no link`(text: String) {
        #expect(UserEmail(text) == nil)
    }

    @Test func `a project link is for one address only`() throws {
        let link = link(try email("Ann@acme.com"))
        #expect(try link.level == .project && link.admits(#require(UserEmail("ann@ACME.com"))))
        for other in ["ann+x@acme.com", "bob@acme.com", "ann@acme.org"] { #expect(!link.admits(try #require(UserEmail(other)))) }
    }

    @Test(arguments: ["", ".", "acme.com.", ".acme.com", "*.acme.com", "@acme.com", "ann@acme.com", "acme..com", "acme_com", "10.0.0.1", "k\u{E4}se.example", "\u{212A}asse.example"])
    func `what is no domain is refused`(text: String) {
        #expect(EmailDomain(text) == nil)
    }

    @Test func `a Kelvin sign is no k`() {
        #expect(EmailDomain("\u{212A}asse.example") == nil && EmailDomain("Kasse.example")?.text == "kasse.example")
    }

    // MARK: State

    @Test func `it ends with its second, its spending or its deletion`() throws {
        let user = try domain("acme.com")
        #expect(link(user).state(at: 99) == .active && link(user).state(at: 100) == .expired)
        #expect(link(user, expires: nil).state(at: .max) == .active)
        #expect(link(try email("ann@acme.com"), spent: 50).state(at: 60) == .spent)
        #expect(link(try email("ann@acme.com"), spent: 50).state(at: 200) == .spent, "spent says more than expired")
        #expect(link(user, deleted: 50).state(at: 60) == .deleted)
    }

    // MARK: Servers

    @Test func `offered is what has its level, is active and needs a credential, in the chosen order`() throws {
        let now = try snapshot(
            project([
                ("crm", .user, .active, false), ("docs", .user, .active, true), ("legacy", .user, .paused, false), ("maps", .project, .active, false),
                ("wiki", .user, .active, false),
            ]))
        let all = names("wiki", "maps", "legacy", "gone", "docs", "crm")
        #expect(link(try domain("acme.com"), all).offered(in: now).map(\.name.text) == ["wiki", "crm"])
        #expect(link(try email("ann@acme.com"), all).offered(in: now).map(\.name.text) == ["maps"])
    }

    @Test func `a link of a project that is gone offers nothing`() throws {
        let other = AuthLink(
            id: nil, project: try #require(ProjectName("globex")), servers: .everyOne, restriction: try domain("acme.com"), created: nil, expires: nil)
        #expect(other.offered(in: try snapshot(project([("crm", .user, .active, false)]))).isEmpty)
    }

    @Test func `the standing link follows the project's servers and never ends`() throws {
        let acmeCom = try #require(EmailDomain("acme.com"))
        let before = try project([("crm", .user, .active, false)], connect: [acmeCom])
        let after = try project([("crm", .project, .active, false), ("wiki", .user, .active, false)], connect: [acmeCom])
        let link = try #require(AuthLink(standingFor: before))
        #expect(try link.id == nil && link.state(at: .max) == .active && link.admits(#require(UserEmail("ann@acme.com"))))
        #expect(link.offered(in: try snapshot(before)).map(\.name.text) == ["crm"])
        #expect(link.offered(in: try snapshot(after)).map(\.name.text) == ["wiki"])
        #expect(AuthLink(standingFor: try project([("crm", .user, .active, false)])) == nil)
    }

    @Test func `a link is made for servers that fit, or not at all, and all that do not are named`() throws {
        let project = try project([
            ("crm", .user, .active, false), ("docs", .user, .active, true), ("legacy", .user, .paused, false), ("maps", .project, .active, false),
        ])
        #expect(try LinkServers(["crm", "crm"], of: .user, in: project) == names("crm"))
        #expect(try LinkServers(["maps"], of: .project, in: project) == names("maps"))
        #expect {
            try LinkServers(["crm", "docs", "legacy", "maps", "nope", "No Name", "maps"], of: .user, in: project)
        } throws: { error in
            (error as? UnfitServers)?.servers.map { "\($0.name) \($0.reason)" } == [
                "docs needsNone", "legacy paused", "maps otherLevel(Gateway.ServerInstance.Level.project)", "nope unknown", "No Name unknown",
            ]
        }
    }

    // MARK: Audit

    @Test(arguments: [AuditActor.gateway, .uid("0"), .token(TokenID(random: Array(0..<10)))])
    func `an actor is one word that reads back`(actor: AuditActor) throws {
        #expect(AuditActor(actor.description) == actor)
        let person = AuditActor.person(try #require(UserEmail("ann@acme.com")))
        #expect(AuditActor("ann@acme.com") == person && person.description == "ann@acme.com")
        #expect(AuditActor("token:x") == nil && AuditActor("nobody") == nil)
    }
}
