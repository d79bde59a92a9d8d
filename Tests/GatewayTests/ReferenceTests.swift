// Reference: the contract's paths, and what may be one.

@testable import Gateway
import Testing

@Suite struct ReferenceTests {
    private func instance(_ level: ServerInstance.Level) throws -> ServerInstance {
        let server = Server(
            name: try #require(ServerName("crm")), title: nil, origin: Origin(scheme: .https, host: "crm.example.com", port: 443),
            path: Template(parts: [.literal("/mcp")]), query: nil, transport: .http, injector: .none, fields: [], tls: UpstreamTLS(),
            timeouts: UpstreamTimeouts(connect: .seconds(1), response: .seconds(1), body: .seconds(1), streamIdle: .seconds(1)))
        return ServerInstance(
            project: try #require(ProjectName("acme")), name: try #require(ServerName("sales")), server: server, level: level, status: .active)
    }

    @Test func `a user's credential lies under the digest of the normalised address`() throws {
        let path = "/acme/users/7ftj3olomwqzii4wsyry6hdq6mwjzoruypmefoafz4wj4qvr6osq/sales"
        for address in ["ann@acme.com", " Ann@ACME.com\t"] {
            let user = try #require(UserEmail(address))
            #expect(Reference(try instance(.user), user: user).path == path)
            #expect(Reference(try instance(.user), user: user, prefix: "/claviger").path == "/claviger" + path)
        }
    }

    @Test func `a project's credential is shared, whoever asks`() throws {
        #expect(Reference(try instance(.project), user: UserEmail("ann@acme.com")).path == "/acme/shared/sales")
        #expect(Reference(try instance(.project), user: nil).path == "/acme/shared/sales")
    }

    @Test(arguments: [ServerInstance.Level.user, .project], ["", "/claviger"])
    func `whose server's credential lies at a path is read from it`(level: ServerInstance.Level, prefix: String) throws {
        let (instance, user) = (try instance(level), try #require(UserEmail("ann@acme.com")))
        let reference = Reference(instance, user: user, prefix: prefix)
        for path in [reference.path, reference.path + ".grant"] {
            let owner = try #require(Reference(path: path)?.owner(prefix: prefix))
            #expect(owner.project == instance.project && owner.server == instance.name)
            #expect(owner.user == (level == .user ? user.digest : nil))
            #expect(ServerInstance.digest(owner.project, owner.server, owner.user == nil ? .project : .user) == instance.digest)
        }
    }

    @Test(arguments: [
        "/acme/users/short/crm", "/acme/users/7ftj3olomwqzii4wsyry6hdq6mwjzoruypmefoafz4wj4qvr6ost/crm", "/_clients/abc", "/acme/shared/Crm", "/acme/crm",
        "/acme/other/crm", "/acme/shared/a/crm", "/acme/users/7ftj3olomwqzii4wsyry6hdq6mwjzoruypmefoafz4wj4qvr6osq/_idp-x.grant", "/other/acme/shared/crm",
    ]) func `what lies elsewhere is no server's credential`(path: String) throws {
        #expect(try #require(Reference(path: path)).owner() == nil)
    }

    @Test(arguments: ["/a", "/acme/shared/crm", "/claviger/acme/users/abc/crm.grant", "/_clients/ABC"]) func `a path is read back`(path: String) {
        #expect(Reference(path: path)?.path == path)
    }

    @Test(arguments: ["", "/", "a", "a/b", "/a/", "//a", "/a//b", "/.", "/..", "/a/../b", "/.new-1", "/a b", "/a+b", "/é", "/a\0"])
    func `anything else is none`(path: String) {
        #expect(Reference(path: path) == nil)
    }

    @Test func `a path longer than Parameter Store takes is none`() {
        #expect(Reference(path: "/" + String(repeating: "a", count: 1010)) != nil)
        #expect(Reference(path: "/" + String(repeating: "a", count: 1011)) == nil)
    }
}
