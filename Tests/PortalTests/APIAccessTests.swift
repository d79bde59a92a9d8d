// The API for signed-in administrators: of every project, or of theirs; and only from pages of our own.

import Gateway
import HTTPTypes
import Hummingbird
import NIOCore
import State
import Testing

@testable import Portal

@Suite struct APIAccessTests {
    /// The cookie of somebody who has signed in at the administration's pages.
    private func cookie(of address: String, in world: World) async throws -> String {
        let token = SessionToken(random: Array(0..<32))
        let session = PortalSession(email: try #require(UserEmail(address)), created: 1, renewed: 1, expires: 2_000_000_000, link: nil)
        try await world.state.open(session, token: token.digest)
        return "\(Side.administration.cookie)=\(token.text)"
    }

    @Test func `an administrator of every project does everything, and is named in the audit`() async throws {
        let world = try World(admins: ["ops@acme.com"])
        let cookie = try await cookie(of: "ops@acme.com", in: world)
        #expect(await world.ask(.get, "/api/v1/status", door: "admin", cookie: cookie).status == 200)
        #expect(await world.ask(.post, "/api/v1/tokens", door: "admin", body: "{}", cookie: cookie, site: "same-origin").status == 201)
        let entry = try #require(try await world.state.audit(AuditQuery(limit: 1)).first?.entry)
        #expect(entry.actor.description == "ops@acme.com" && entry.source == "192.0.2.7")
        #expect(await world.ask(.get, "/api/v1/status", door: "public", cookie: cookie).status == 404)
    }

    @Test(arguments: [nil, "cross-site", "same-site", "none"]) func `a change that another site may have sent is refused`(site: String?) async throws {
        let world = try World(admins: ["ops@acme.com"])
        let cookie = try await cookie(of: "ops@acme.com", in: world)
        #expect(await world.ask(.post, "/api/v1/tokens", door: "admin", body: "{}", cookie: cookie, site: site).status == 403)
        #expect(try await world.state.tokens().isEmpty)
    }

    @Test(arguments: ["ann@acme.com", "lead@globex.com"]) func `who administers nothing gets nothing`(address: String) async throws {
        let world = try World(admins: ["ops@acme.com"])
        let cookie = try await cookie(of: address, in: world)
        #expect(await world.ask(.get, "/api/v1/status", door: "admin", cookie: cookie).status == 401)
    }

    @Test func `a project's administrator does what is of the project, and the rest is not his`() async throws {
        let world = try World()
        let acme = try #require(ProjectName("acme"))
        let reach = APICaller(
            principal: Principal(actor: .person(try #require(UserEmail("lead@acme.com"))), source: "192.0.2.7"), projects: [acme])
        let elsewhere = APICaller(principal: reach.principal, projects: [try #require(ProjectName("globex"))])
        for route in APIRoute.all {
            var names = Dictionary(uniqueKeysWithValues: route.names.map { ($0, "x") })
            if names["project"] != nil { names["project"] = "acme" }
            var head = HTTPRequest(method: route.method, scheme: "http", authority: "localhost", path: "/api/v1\(route.path)?project=acme")
            head.headerFields = [:]
            func isPermitted(_ caller: APICaller) async -> Bool {
                let call = APICall(
                    request: .init(head: head, body: .init(buffer: .init())), names: names, principal: caller.principal, projects: caller.projects)
                do throws(APIFault) { try await world.portal.permit(route, call) } catch { return false }
                return true
            }
            let isOpen = ["/openapi.json", "/projects"].contains(route.path)
            let isOfProject = route.names.contains("project") || route.path == "/audit"
            #expect(await isPermitted(reach) == (isOpen || isOfProject), "\(route.method) \(route.path)")
            #expect(await isPermitted(elsewhere) == isOpen, "\(route.method) \(route.path)")
            #expect(await isPermitted(.everywhere(reach.principal)))
        }
        let link = try await world.portal.createLink(
            LinkDraft(
                project: try #require(world.portal.snapshot().projects[acme]), servers: ["crm"],
                restriction: .domains([try #require(EmailDomain("acme.com"))]), expires: nil), by: reach.principal
        ).link
        let route = try #require(APIRoute.all.first { $0.path == "/links/{id}" })
        let head = HTTPRequest(method: .get, scheme: "http", authority: "localhost", path: "/")
        func call(_ caller: APICaller) throws -> APICall {
            APICall(
                request: .init(head: head, body: .init(buffer: .init())), names: ["id": try #require(link.id).text], principal: caller.principal,
                projects: caller.projects)
        }
        try await world.portal.permit(route, call(reach))
        await #expect(throws: APIFault.self) { try await world.portal.permit(route, call(elsewhere)) }
    }
}
