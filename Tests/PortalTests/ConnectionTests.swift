// A connection that a command begins: its page, the way back, and what the command is told.

import FoundationEssentials
import Gateway
import HTTPTypes
import Hummingbird
import NIOCore
import State
import OAuth
import Synchronization
import Testing

@testable import Portal

@Suite struct ConnectionTests {
    private func begin(_ world: World) async throws -> ConnectionBegun {
        let answer = await world.ask(.post, "/api/v1/projects/acme/credentials/hub/connect?user=ann@acme.com", door: "socket")
        #expect(answer.status == 201)
        return try JSONDecoder().decode(ConnectionBegun.self, from: Data(answer.body.utf8))
    }

    private func page(_ begun: ConnectionBegun) -> String { String(begun.url.dropFirst("http://localhost".count)) }

    private func report(_ world: World, _ begun: ConnectionBegun) async throws -> ConnectionReport {
        let answer = await world.ask(.get, "/api/v1/connections/\(begun.id)", door: "socket")
        return try JSONDecoder().decode(ConnectionReport.self, from: Data(answer.body.utf8))
    }

    /// Opens the page; the cookie that the browser has then.
    private func open(_ world: World, _ begun: ConnectionBegun) async throws -> String {
        let answer = await world.ask(.get, page(begun), door: "public")
        #expect((answer.status, answer.headers[.location]) == (303, "https://login.example/authorize?state=s"))
        let cookie = try #require(answer.headers[.setCookie])
        #expect(cookie.hasPrefix("__Host-claviger-connect=cc_") && cookie.hasSuffix("; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=1200"))
        return String(cookie.prefix { $0 != ";" })
    }

    @Test func `the page opens once, sets a cookie, and who comes back with it is connected`() async throws {
        let world = try World(signing: true)
        let begun = try await begin(world)
        #expect(try await report(world, begun).state == "waiting")
        let cookie = try await open(world, begun)
        #expect(try await report(world, begun).state == "opened")
        #expect(await world.ask(.get, page(begun), door: "public").status == 410)
        let back = await world.ask(.get, "/connect/callback/hub?code=c&state=s", door: "public", cookie: "a=b; \(cookie)")
        #expect(back.status == 200)
        #expect(back.body.contains("Hub &lt;1&gt; is connected") && back.body.contains("ann@acme.com"))
        #expect(back.headers[.cacheControl] == "no-store")
        let end = try await report(world, begun)
        #expect((end.state, end.scopes) == ("connected", ["a"]))
        let audit = await world.ask(.get, "/api/v1/audit?user=ann@acme.com", door: "socket").body
        #expect(audit.contains("\"action\":\"deposit\"") && audit.contains("\"server\":\"hub\""))
    }

    @Test func `who comes back without the cookie, or with another, is not connected`() async throws {
        let world = try World(signing: true)
        let begun = try await begin(world)
        _ = try await open(world, begun)
        let elsewhere = try World(signing: true)
        let other = try await open(elsewhere, try await begin(elsewhere))
        for cookie in [nil, other, "__Host-claviger-connect=short"] {
            let back = await world.ask(.get, "/connect/callback/hub?code=c&state=s", door: "public", cookie: cookie)
            #expect(back.status == 400)
        }
        #expect(try await report(world, begun).state == "opened")
    }

    @Test(arguments: [
        (ConnectFault.declined("access_denied"), 400, "declined"), (.mixedUp, 400, "another issuer"), (.provider("the secret is wrong"), 502, "the secret is wrong"),
        (.passing("down"), 503, "down"), (.notAllowed("The link has ended."), 410, "The link has ended."),
    ])
    func `what goes wrong is said to the person without a word of the inside, and to the command with it`(
        fault: ConnectFault, status: Int, words: String
    ) async throws {
        let world = try World(signing: true)
        world.connector.books.withLock { $0.end = fault }
        let begun = try await begin(world)
        let cookie = try await open(world, begun)
        let back = await world.ask(.get, "/connect/callback/hub?code=c&state=s", door: "public", cookie: cookie)
        #expect(back.status == status)
        if status > 500 { #expect(!back.body.contains(words)) }
        let end = try await report(world, begun)
        #expect(end.state == "failed")
        #expect(end.message?.contains(words) == true)
    }

    @Test func `few may wait at once for what becomes of it, and a project's administrator waits for his own`() async throws {
        let world = try World(signing: true)
        let begun = try await begin(world)
        let path = "/api/v1/connections/\(begun.id)?after=waiting"
        await withTaskGroup(of: Int.self) { group in
            for _ in 0..<(ConnectionBook.mostWaiting + 3) { group.addTask { await world.ask(.get, path, door: "socket").status } }
            // Those beyond the bound are told so at once; the others wait until it ends.
            for _ in 0..<3 { #expect(await group.next() == 429) }
            world.portal.connections.end(begun.id, .connected(scopes: []))
            for await status in group { #expect(status == 200) }
        }
        #expect(await world.ask(.get, path, door: "socket").status == 200)
        let route = try #require(APIRoute.all.first { $0.path == "/connections/{id}" })
        for (project, isHis) in [("acme", true), ("globex", false)] {
            let call = APICall(
                request: .init(head: HTTPRequest(method: .get, scheme: "http", authority: "localhost", path: path), body: .init(buffer: .init())),
                names: ["id": begun.id], principal: Principal(actor: .uid("1"), source: "x"), projects: [try #require(ProjectName(project))])
            var isPermitted = true
            do throws(APIFault) { try await world.portal.permit(route, call) } catch { isPermitted = false }
            #expect(isPermitted == isHis)
        }
    }

    @Test func `where nobody can be sent, the command is told why at once`() async throws {
        let world = try World(signing: true)
        world.connector.books.withLock { $0.refusal = .provider("no S256") }
        let begun = try await begin(world)
        #expect(await world.ask(.get, page(begun), door: "public").status == 502)
        #expect(try await report(world, begun).message == "no S256")
    }

    @Test func `a provider that forgot the client is visited once more`() async throws {
        let world = try World(signing: true)
        world.connector.books.withLock { $0.isAgain = true }
        let cookie = try await open(world, try await begin(world))
        let back = await world.ask(.get, "/connect/callback/hub?code=c&state=s", door: "public", cookie: cookie)
        #expect((back.status, back.headers[.location]) == (303, "https://login.example/again"))
        // Nothing is under way any more that a later start would have to tell of.
        #expect(try await world.state.begin(AuditEntry(time: 1, actor: .gateway, action: .deposit)) == 1)
    }

    @Test(arguments: [("crm?user=ann@acme.com", 409), ("hub", 400), ("nothing", 404), ("shared", 409)])
    func `only what is connected by signing in can be connected so, and for somebody`(server: String, status: Int) async throws {
        let parts = server.split(separator: "?", maxSplits: 1)
        let path = "/api/v1/projects/acme/credentials/\(parts[0])/connect" + (parts.count > 1 ? "?\(parts[1])" : "")
        let world = try World(signing: true)
        #expect(await world.ask(.post, path, door: "socket").status == status)
    }

    @Test func `the client's metadata document is there for servers that may need one, and for no other`() async throws {
        let world = try World(signing: true)
        #expect(await world.ask(.get, "/.well-known/oauth-client/hub.json", door: "public").status == 200)
        for path in ["crm.json", "hub", "../hub.json", ".json", "hub.json/x"] {
            #expect(await world.ask(.get, "/.well-known/oauth-client/\(path)", door: "public").status == 404)
        }
        #expect(await world.ask(.post, "/.well-known/oauth-client/hub.json", door: "public").status == 405)
    }
}
