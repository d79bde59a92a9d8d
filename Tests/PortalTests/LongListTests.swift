// Lists that are long: every page of them small, and nobody left out.

import Foundation
import Gateway
import HTTPTypes
import Kernel
import State
import Testing

@testable import Portal

@Suite struct LongListTests {
    private func signedIn(_ world: World) async throws -> String {
        let token = SessionToken(random: SecureRandom.bytes(32))
        let session = PortalSession(email: try #require(UserEmail("ops@acme.com")), created: 1, renewed: 1, expires: 2_000_000_000, link: nil)
        try await world.state.open(session, token: token.digest)
        return "\(Side.administration.cookie)=\(token.text)"
    }

    /// From page to page by its link: every page's body.
    private func pages(_ first: String, in world: World, most: Int = 400) async throws -> [String] {
        let cookie = try await signedIn(world)
        var (path, bodies): (String?, [String]) = (first, [])
        while let next = path, bodies.count < most {
            let answer = await world.ask(.get, next, door: "admin", cookie: cookie)
            #expect(answer.status == 200)
            #expect(answer.body.utf8.count + Stylesheet.text.utf8.count < 30_000)
            bodies.append(answer.body)
            path = answer.body.firstMatch(of: /href="([^"]*)" rel="next"/).map { String($0.1).replacing("&amp;", with: "&") }
        }
        return bodies
    }

    @Test func `thousands of users are on pages of thirty kilobytes, each once`() async throws {
        let world = try World(admins: ["ops@acme.com"])
        let acme = try #require(ProjectName("acme"))
        // As long as addresses may be, and with what has to be escaped.
        let long = String(repeating: "o'", count: 30) + "@" + String(repeating: "a", count: 60) + ".example"
        let names = (0..<2000).map { "user\(10_000 + $0)@acme.com" } + (0..<20).map { "z\($0)\(long)" }
        for start in stride(from: 0, to: names.count, by: 500) {
            try await world.state.add(
                try names[start..<min(start + 500, names.count)].map {
                    UseCount(project: acme, server: try #require(ServerName("crm")), user: try #require(UserEmail($0)), calls: 1, last: 999_999_990)
                })
        }
        let bodies = try await pages("/admin/acme/users", in: world)
        let shown = bodies.flatMap { $0.matches(of: /<th scope="row"><a href="[^"]*">([^<]*)<\/a>/).map { String($0.1).replacing("&#39;", with: "'") } }
        #expect(shown == names.sorted() && bodies.count < 100)
        #expect(bodies[0].contains("2,020 people, 2,020 of them active this week") && bodies[0].contains("Next page") && !bodies[0].contains("First page"))
        #expect(bodies.last?.contains("First page") == true)
        let found = try await pages("/admin/acme/users?find=USER1123", in: world)
        #expect(found.count == 1 && found[0].contains("10 addresses begin so.") && found[0].contains("user11239@acme.com") && !found[0].contains("user11240@"))
        let none = try await pages("/admin/acme/users?find=%3Cb%3E", in: world)
        #expect(none[0].contains("0 addresses begin so.") && !none[0].contains("<b>"))
    }

    @Test func `hundreds of links and rows of the audit are on such pages, too`() async throws {
        let world = try World(admins: ["ops@acme.com"])
        let acme = try #require(ProjectName("acme"))
        let project = try #require(world.portal.snapshot().projects[acme])
        let principal = Principal(actor: .uid("0"), source: "admin.sock")
        for number in 0..<120 {
            let draft = LinkDraft(
                project: project, servers: ["crm"], restriction: .domains([try #require(EmailDomain("d\(1000 + number).example"))]), expires: nil)
            _ = try await world.portal.createLink(draft, by: principal)
        }
        let links = try await pages("/admin/acme/links", in: world)
        let shown = links.flatMap { $0.matches(of: /@d(\d+)\.example/).map { String($0.1) } }
        #expect(Set(shown).count == 120 && links.count > 1)
        let audit = try await pages("/admin/acme/audit?action=link_created", in: world)
        #expect(audit.joined().matches(of: /<td>Link made/).count == 120 && audit.count > 1)
        var (after, ids): (String, [String]) = ("", [])
        repeat {
            let answer = await world.ask(.get, "/api/v1/projects/acme/links?limit=50\(after)", door: "socket")
            let list = try JSONDecoder().decode(LinkList.self, from: Data(answer.body.utf8))
            ids += list.links.compactMap(\.id)
            after = list.next.map { "&after=\($0)" } ?? ""
        } while !after.isEmpty
        #expect(ids.count == 120 && Set(ids).count == 120)
        #expect(await world.ask(.get, "/api/v1/projects/acme/links?after=xxxxxxxxxx", door: "socket").status != 200)
    }

    @Test func `the API gives users in parts, and an address with a slash by its name`() async throws {
        let world = try World()
        let acme = try #require(ProjectName("acme"))
        for name in ["a/b@acme.com", "ann@acme.com", "bob@acme.com"] { try await world.state.saw(try #require(UserEmail(name)), in: acme, at: 1) }
        func list(_ query: String) async throws -> UserList {
            try JSONDecoder().decode(UserList.self, from: Data(await world.ask(.get, "/api/v1/projects/acme/users?\(query)", door: "socket").body.utf8))
        }
        let first = try await list("limit=2")
        #expect(first.users.map(\.email) == ["a/b@acme.com", "ann@acme.com"] && first.next == "ann@acme.com")
        let rest = try await list("limit=2&after=ann%40acme.com")
        #expect(rest.users.map(\.email) == ["bob@acme.com"] && rest.next == nil)
        #expect(try await list("prefix=AN").users.map(\.email) == ["ann@acme.com"])
        for wrong in ["limit=0", "limit=1001", "limit=x", "after=x"] {
            #expect(await world.ask(.get, "/api/v1/projects/acme/users?\(wrong)", door: "socket").status == 400)
        }
        let one = await world.ask(.get, "/api/v1/projects/acme/users/a%2Fb%40acme.com", door: "socket")
        #expect(one.status == 200 && one.body.contains(#""email":"a/b@acme.com""#))
        // Decoded once: what is left of it is the address's own.
        #expect(await world.ask(.get, "/api/v1/projects/acme/users/a%252Fb%40acme.com", door: "socket").status == 404)
        #expect(await world.ask(.delete, "/api/v1/projects/acme/users/a%2Fb%40acme.com", door: "socket").status == 204)
    }
}
