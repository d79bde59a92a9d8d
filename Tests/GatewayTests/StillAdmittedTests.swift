// Whom a stream may go on for when another configuration is in force.

import Gateway
import Kernel
import TLS
import Testing

struct StillAdmittedTests {
    struct World: Sendable {
        var key = "aaaa"
        var secret: UInt8 = 1
        var users = UserPolicy.everyone
        var host = "up.example.com"
        var status = ServerInstance.Status.active
        var level = ServerInstance.Level.user
        var isDenied = false
        var project = "acme"

        func snapshot() throws -> Snapshot {
            let (project, name, id) = (try #require(ProjectName(project)), try #require(ServerName("crm")), try #require(APIKeyID(key)))
            let server = try Sample.server("crm", host: host)
            let instance = ServerInstance(project: project, name: name, server: server, level: level, status: status)
            let navigator = Navigator(
                project: project, name: try #require(NavigatorName("bot")), users: users, deniedServers: isDenied ? [name] : [], rate: nil,
                reachable: NameTable(isDenied ? [] : [("crm", instance)]))
            return Snapshot(
                gateway: GatewaySettings(listen: [], publicURL: "http://localhost", workers: 1), secrets: .sealedFiles(directory: nil, key: nil),
                cache: CacheSettings(), portalURL: "http://localhost", admin: AdminSettings(), log: LogSettings(), servers: [name: server],
                projects: [project: Project(name: project, title: nil, instances: NameTable([("crm", instance)]), navigators: [navigator.name: navigator])],
                keys: [id: KeyEntry(id: id, sha256: Digest256(hashing: [secret].span.raw), expires: nil, note: nil, navigator: navigator)],
                digest: Digest256(hashing: [9].span.raw))
        }
    }

    private func goesOn(_ later: World) throws -> Bool {
        let former = try World().snapshot()
        let key = try #require(former.keys.values.first)
        let instance = try #require(key.navigator.reachable.values.first)
        return try later.snapshot().stillAdmits(key, for: try #require(UserEmail("ann@acme.com")), to: instance)
    }

    @Test func `what is as it was goes on, also where other users come in`() throws {
        #expect(try goesOn(World()))
        #expect(try goesOn(World(users: .only(domains: ["acme.com"], emails: []))))
    }

    @Test(arguments: [
        World(key: "bbbb"), World(secret: 2), World(users: .only(domains: ["acme.org"], emails: [])), World(host: "other.example.com"),
        World(status: .paused), World(level: .project), World(isDenied: true), World(project: "globex"),
    ])
    func `who would not be let in to the same place does not`(later: World) throws {
        #expect(try !goesOn(later))
    }
}
