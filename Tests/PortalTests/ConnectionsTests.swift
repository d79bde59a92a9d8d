// Who is connected to what, from what is on record: by where a credential lies, not by whose name it was given under.

import Gateway
import Testing

@testable import Portal

@Suite struct ConnectionsTests {
    private let acme: ProjectName
    private let ann: UserEmail

    init() throws {
        acme = try #require(ProjectName("acme"))
        ann = try #require(UserEmail("ann@acme.com"))
    }

    private func instance(
        _ name: String, oauth: OAuthSettings? = nil, host: String = "up.example.com", level: ServerInstance.Level = .user,
        status: ServerInstance.Status = .active
    ) throws -> ServerInstance {
        let (field, name, second) = (try #require(FieldName("token")), try #require(ServerName(name)), Duration.seconds(1))
        let server = Server(
            name: name, title: nil, origin: Origin(scheme: .https, host: host, port: 443), path: Template(parts: [.literal("/mcp")]), query: nil,
            transport: .http, injector: .query([("key", Template(parts: [.field(field)]))]), fields: [Field(name: field)], oauth: oauth, tls: UpstreamTLS(),
            timeouts: UpstreamTimeouts(connect: second, response: second, body: second, streamIdle: second))
        return ServerInstance(project: acme, name: name, server: server, level: level, status: status)
    }

    /// What `ann` is told of these, after a deposit at each of `given`.
    private func states(_ instances: [ServerInstance], after given: [ServerInstance]) -> [String: Connection] {
        let project = Project(name: acme, title: nil, instances: NameTable(instances.map { ($0.name.text, $0) }), navigators: [:])
        let connections = Connections(given.map { Deposit(at: $0, user: ann, prefix: "/p", now: 1) }, prefix: "/p")
        return Dictionary(uniqueKeysWithValues: connections.of(ann, in: project).map { ($0.instance.name.text, $0.state) })
    }

    @Test func `each server has its own, unless one grant is exchanged for several`() throws {
        let exchange = OAuthSettings(grant: .tokenExchange, issuer: "https://login.example.com")
        let (mail, calendar) = (try instance("mail", oauth: exchange, host: "a.example.com"), try instance("calendar", oauth: exchange, host: "b.example.com"))
        let (crm, wiki) = (try instance("crm"), try instance("wiki"))
        #expect(states([mail, calendar, crm, wiki], after: [mail, crm]) == ["mail": .connected, "calendar": .connected, "crm": .connected, "wiki": .missing])
    }

    @Test func `a deposit counts for the server as it is: its address, its level, its method`() throws {
        #expect(states([try instance("crm")], after: [try instance("crm", host: "old.example.com")]) == ["crm": .moved])
        #expect(states([try instance("crm", oauth: OAuthSettings())], after: [try instance("crm")]) == ["crm": .missing])
        #expect(states([try instance("crm", level: .project)], after: [try instance("crm")]).isEmpty)
    }

    @Test func `what is asked of nobody is not told, nor what is paused and was never connected`() throws {
        let machine = try instance("machine", oauth: OAuthSettings(grant: .clientCredentials), level: .project)
        #expect(!machine.needsDeposit)
        let (rest, idle) = (try instance("rest", status: .paused), try instance("idle", status: .paused))
        #expect(states([machine, rest, idle], after: [rest]) == ["rest": .connected])
    }
}
