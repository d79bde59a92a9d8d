// Signing in at the identity provider, as the portal does it: who is let in, where he comes out, and that nothing of that is the browser's to say.

import Gateway
import HTTPTypes
import OAuth
import State
import Synchronization
import Testing

@testable import Portal

@Suite struct SignInProviderTests {
    private static let base = "/connect/acme"

    /// Opens the page and presses the button; the browser's cookie, and what the page said.
    private func leave(_ world: World, base: String = base, door: String = "public", server: String = "") async throws -> (cookie: String, status: Int, body: String) {
        let page = await world.ask(.get, base + server, door: door)
        let cookie = try #require(page.headers[values: .setCookie].first { $0.hasPrefix(Cookie.visit) }?.split(separator: ";").first.map(String.init))
        let word = try #require(page.body.firstMatch(of: /name="csrf" value="([^"]+)"/)?.output.1)
        let gone = await world.ask(.post, "\(base)/_provider", door: door, body: "csrf=\(word)&server=\(server)", cookie: cookie, site: "same-origin")
        return (cookie, gone.status, gone.body)
    }

    private func come(_ world: World, _ cookie: String?, state: String = "s", path: String = "/connect/_sign-in/callback", door: String = "public") async -> (
        status: Int, headers: HTTPFields, body: String
    ) {
        await world.ask(.get, "\(path)?code=c&state=\(state)", door: door, cookie: cookie)
    }

    @Test func `who is let in is signed in, where he began, with a session that is new`() async throws {
        let world = try World(connect: ["acme.com"], hasProvider: true)
        let (cookie, status, body) = try await leave(world, server: "/crm")
        #expect(status == 200 && body.contains("https://login.example/authorize?state=s") && body.contains("login.example"))
        let begun = try #require(world.provider.books.withLock { $0.begun.last })
        #expect(begun.redirectURI == "http://localhost/connect/_sign-in/callback")
        let back = await come(world, cookie)
        #expect(back.status == 303 && back.headers[.location] == "/connect/acme/crm")
        let session = try #require(back.headers[values: .setCookie].first { $0.hasPrefix("\(Cookie.session)=") }?.split(separator: ";").first.map(String.init))
        #expect(back.headers[values: .setCookie].contains { $0.hasPrefix("\(Cookie.visit)=;") })
        #expect(await world.ask(.get, "/connect/acme", door: "public", cookie: session).body.contains("ana@acme.com"))
        let rows = try await world.state.audit(AuditQuery())
        #expect(rows.first?.entry.action == .signIn && rows.first?.entry.detail == "at the identity provider" && rows.first?.entry.source == "192.0.2.7")
        #expect(await come(world, cookie).status == 400)
    }

    @Test func `another browser, another state, or none, signs in nobody`() async throws {
        let world = try World(connect: ["acme.com"], hasProvider: true)
        for (isOwn, state) in [(false, "s"), (true, "t"), (true, "")] {
            let (cookie, _, _) = try await leave(world)
            let other = try await leave(try World(connect: ["acme.com"], hasProvider: true)).cookie
            let back = await come(world, isOwn ? cookie : other, state: state)
            #expect(back.status == 400 && back.headers[values: .setCookie].isEmpty && back.body.contains("cannot be finished"))
        }
        _ = try await leave(world)
        #expect(await come(world, nil).status == 400)
        #expect(try await world.state.audit(AuditQuery()).isEmpty)
    }

    @Test func `an address that the page is not for is told so, and not signed in`() async throws {
        let world = try World(connect: ["acme.com"], hasProvider: true)
        world.provider.books.withLock { $0.address = "ana@sub.acme.com" }
        let (cookie, _, _) = try await leave(world)
        let back = await come(world, cookie)
        #expect(back.status == 403 && back.headers[values: .setCookie].isEmpty)
        #expect(back.body.contains("This is not for ana@sub.acme.com") && back.body.contains("@acme.com") && back.body.contains("href=\"/connect/acme\""))
        #expect(try await world.state.audit(AuditQuery()).isEmpty)
    }

    @Test(arguments: [
        (SignInFault.declined("access_denied"), 400, "declined"), (.mixedUp, 400, "another service"), (.unverified, 403, "Confirm the address"), (.nobody, 403, "no email address"),
        (.clock("off"), 502, "clocks"), (.provider("secret words"), 502, "log says"), (.passing("secret words"), 503, "Try again"),
    ])
    func `what goes wrong there is said in plain words, with a way back`(_ fault: SignInFault, _ status: Int, _ words: String) async throws {
        let world = try World(connect: ["acme.com"], hasProvider: true)
        let (cookie, _, _) = try await leave(world)
        world.provider.books.withLock { $0.end = fault }
        let back = await come(world, cookie)
        #expect(back.status == status && back.body.contains(words) && back.body.contains("href=\"/connect/acme\"") && !back.body.contains("secret words"))
        #expect(back.headers[values: .setCookie].isEmpty)
    }

    @Test func `a provider that is down is said on the page where one began`() async throws {
        let world = try World(connect: ["acme.com"], hasProvider: true)
        world.provider.books.withLock { $0.refusal = .passing("secret words") }
        let (_, status, body) = try await leave(world)
        #expect(status == 503 && body.contains("does not answer") && body.contains("Send me a code") && !body.contains("secret words"))
    }

    @Test func `the page offers what is configured, one way or both`() async throws {
        let both = await (try World(connect: ["acme.com"], hasProvider: true)).ask(.get, "/connect/acme", door: "public").body
        #expect(both.contains("_provider") && both.contains("Send me a code"))
        let provider = await (try World(connect: ["acme.com"], hasProvider: true, codes: .nowhere)).ask(.get, "/connect/acme", door: "public").body
        #expect(provider.contains("_provider") && !provider.contains("Send me a code") && !provider.contains("not set up"))
        let code = await (try World(connect: ["acme.com"])).ask(.get, "/connect/acme", door: "public").body
        #expect(!code.contains("_provider") && code.contains("Send me a code"))
        let none = await (try World(connect: ["acme.com"], codes: .nowhere)).ask(.get, "/connect/acme", door: "public").body
        #expect(none.contains("not set up"))
    }

    @Test func `a form that is not ours sends nobody anywhere`() async throws {
        let world = try World(connect: ["acme.com"], hasProvider: true)
        let (cookie, _, _) = try await leave(world)
        world.provider.books.withLock { $0.begun = [] }
        #expect(await world.ask(.post, "/connect/acme/_provider", door: "public", body: "csrf=none", cookie: cookie, site: "same-origin").status == 403)
        #expect(await world.ask(.post, "/connect/acme/_provider", door: "public", body: "", cookie: cookie, site: "cross-site").status == 403)
        #expect(world.provider.books.withLock { $0.begun.isEmpty })
    }

    @Test func `an administrator comes back by the people's address, and is let in at his own host`() async throws {
        let world = try World(admins: ["ana@acme.com"], hasProvider: true)
        let (cookie, status, _) = try await leave(world, base: "/admin", door: "admin")
        #expect(status == 200)
        let bounced = await come(world, nil)
        #expect(bounced.status == 303 && bounced.headers[.location] == "http://127.0.0.1:9901/admin/_provider?code=c&state=s")
        let back = await come(world, cookie, path: "/admin/_provider", door: "admin")
        #expect(back.status == 303 && back.headers[.location] == "/admin")
        #expect(back.headers[values: .setCookie].contains { $0.hasPrefix("\(Cookie.adminSession)=ca") || $0.hasPrefix("\(Cookie.adminSession)=") })

        world.provider.books.withLock { $0.address = "bob@acme.com" }
        let (other, _, _) = try await leave(world, base: "/admin", door: "admin")
        let refused = await come(world, other, path: "/admin/_provider", door: "admin")
        #expect(refused.status == 403 && refused.headers[values: .setCookie].isEmpty && refused.body.contains("bob@acme.com"))
    }

    @Test func `what was begun at one side is not finished at the other`() async throws {
        let world = try World(admins: ["ana@acme.com"], connect: ["acme.com"], hasProvider: true)
        let (cookie, _, _) = try await leave(world)
        let back = await come(world, cookie, path: "/admin/_provider", door: "admin")
        #expect(back.status == 400 && back.headers[values: .setCookie].isEmpty)
    }

    @Test func `one network sends a hundred and twenty in ten minutes, and not more`() {
        let desk = SignInDesk(random: { 0 })
        let admitted = (0..<130).count { _ in desk.mayLeave("192.0.2.7", now: 1_000) }
        #expect(admitted == 120)
        #expect(desk.mayLeave("192.0.2.8", now: 1_000) && desk.mayLeave("192.0.2.7", now: 1_601))
    }
}
