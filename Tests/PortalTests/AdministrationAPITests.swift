// Users, tokens, sign-in links and the audit over the API; and the description that every route is held to.

import Foundation
import Gateway
import HTTPTypes
import State
import Synchronization
import Testing

@testable import Portal

@Suite struct AdministrationAPITests {
    private let users = "/api/v1/projects/acme/users"
    private let set = "/api/v1/projects/acme/credentials/crm?user=ann%40acme.com"

    private func deposit(_ world: World, _ server: String, _ user: String?) async {
        let path = "/api/v1/projects/acme/credentials/\(server)" + (user.map { "?user=\($0)" } ?? "")
        #expect(await world.ask(.put, path, door: "socket", body: #"{"token":"t"}"#).status == 204)
    }

    // MARK: Users

    @Test func `users are listed with what they are connected to`() async throws {
        let world = try World()
        await deposit(world, "crm", "ann@acme.com")
        try await world.state.saw(try #require(UserEmail("bob@acme.com")), in: try #require(ProjectName("acme")), at: 1_000_000_000)
        let answer = await world.ask(.get, users, door: "socket")
        let list = try JSONDecoder().decode(UserList.self, from: Data(answer.body.utf8)).users
        #expect(list.map(\.email) == ["ann@acme.com", "bob@acme.com"] && list.map(\.connected) == [1, 0])
        #expect(list.map { $0.servers.map(\.state) } == [["connected"], ["missing"]])
        let one = await world.ask(.get, "\(users)/ann%40acme.com", door: "socket")
        #expect(one.status == 200 && one.body.contains(#""deposited":"2001-09-09T01:46:40Z""#))
        #expect(await world.ask(.get, "\(users)/nobody%40acme.com", door: "socket").status == 404)
        #expect(await world.ask(.get, "\(users)/nobody", door: "socket").status == 400)
    }

    @Test func `revoking deletes what there is, at the desk too, and says what it was`() async throws {
        let world = try World()
        await deposit(world, "crm", "ann@acme.com")
        let answer = await world.ask(.post, "\(users)/ann%40acme.com/revoke", door: "socket", body: #"{"servers":["crm"]}"#)
        #expect(answer.status == 200 && answer.body == #"{"revoked":["crm"]}"#)
        #expect(world.desk.given.withLock { $0 }.isEmpty)
        #expect(await world.ask(.post, "\(users)/ann%40acme.com/revoke", door: "socket", body: #"{"servers":["nope"]}"#).status == 404)
        let audit = try await world.state.audit(AuditQuery()).map(\.entry)
        #expect(audit.map(\.action) == [.revocation, .deposit] && audit.first?.user?.text == "ann@acme.com")
    }

    @Test func `a deleted user has no credential, no session and no row left`() async throws {
        let world = try World()
        await deposit(world, "crm", "ann@acme.com")
        let ann = try #require(UserEmail("ann@acme.com"))
        // A credential of a server that is not configured any more.
        let crm = try #require(world.portal.snapshot().projects.values.first?.instances.values.first { $0.name.text == "crm" })
        let gone = ServerInstance(project: crm.project, name: try #require(ServerName("gone")), server: crm.server, level: .user, status: .active)
        try await world.state.record(Deposit(at: gone, user: ann, prefix: "", now: 1_000_000_000))
        let session = SessionToken(random: Array(0..<32)).digest
        try await world.state.open(PortalSession(email: ann, created: 1, renewed: 1, expires: 2_000_000_000, link: nil), token: session)
        #expect(await world.ask(.delete, "\(users)/ann%40acme.com", door: "socket").status == 204)
        #expect(await world.ask(.delete, "\(users)/ann%40acme.com", door: "socket").status == 404)
        #expect(try await world.state.session(session, at: 1_000_000_000) == nil)
        #expect(try await world.state.deposits(in: crm.project).isEmpty)
        #expect(try await world.state.audit(AuditQuery()).map(\.entry.action) == [.userDeleted, .revocation, .revocation, .deposit])
        #expect(await world.ask(.get, users, door: "socket").body == #"{"users":[]}"#)
    }

    @Test func `deposits and replacements are told apart, with who, for whom and from where`() async throws {
        let world = try World()
        #expect(await world.ask(.put, set, door: "socket", body: #"{"token":"t"}"#).status == 204)
        let entry = try #require(try await world.state.audit(AuditQuery()).first?.entry)
        #expect(entry.action == .deposit && entry.actor == .uid("1000") && entry.user?.text == "ann@acme.com" && entry.source == "admin.sock")
        #expect(entry.server?.text == "crm" && entry.project?.text == "acme" && entry.time == 1_000_000_000)
    }

    // MARK: Tokens

    @Test func `a bearer token opens the API over TCP until it is revoked or expires`() async throws {
        let world = try World()
        let answer = await world.ask(.post, "/api/v1/tokens", door: "socket", body: #"{"note":"ci","expires":"2001-09-10T00:00:00Z"}"#)
        let made = try JSONDecoder().decode(TokenView.self, from: Data(answer.body.utf8))
        let token = try #require(made.token)
        #expect(answer.status == 201 && token.hasPrefix("ca_") && made.note == "ci")
        #expect(await world.ask(.get, "/api/v1/status", door: "admin", bearer: token).status == 200)
        #expect(await world.ask(.get, "/api/v1/status", door: "public", bearer: token).status == 404)
        #expect(await world.ask(.put, set, door: "admin", body: #"{"token":"t"}"#, bearer: token).status == 204)
        let deposit = try #require(try await world.state.audit(AuditQuery(limit: 1)).first?.entry)
        #expect(deposit.actor == .token(try #require(TokenID(made.id))) && deposit.source == "192.0.2.7")
        let list = await world.ask(.get, "/api/v1/tokens", door: "socket").body
        #expect(list.contains(made.id) && !list.contains(token) && !world.log().contains(token))
        world.time.advance(86_400)
        #expect(await world.ask(.get, "/api/v1/status", door: "admin", bearer: token).status == 401)
        #expect(await world.ask(.delete, "/api/v1/tokens/\(made.id)", door: "socket").status == 204)
        #expect(await world.ask(.delete, "/api/v1/tokens/\(made.id)", door: "socket").status == 404)
    }

    @Test(arguments: ["", "ca_", "ca_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "cl_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"])
    func `what is no token opens nothing`(token: String) async throws {
        let answer = try await World().ask(.get, "/api/v1/status", door: "admin", bearer: token)
        #expect(answer.status == 401 && answer.headers[.wwwAuthenticate] == "Bearer realm=\"claviger\"" && !answer.body.contains("AAEC"))
    }

    // MARK: Signing in

    @Test func `an administrator's link signs him in once`() async throws {
        let world = try World(admins: ["ops@acme.com"])
        let answer = await world.ask(.post, "/api/v1/sign-ins", door: "socket", body: #"{"email":"Ops@acme.com"}"#)
        let made = try JSONDecoder().decode(SignInView.self, from: Data(answer.body.utf8))
        let token = try #require(made.url.split(separator: "/").last.flatMap { SignInToken($0) })
        #expect(answer.status == 201 && made.expires == "2001-09-09T02:01:40Z" && !world.log().contains(token.text))
        #expect(try await world.state.takeSignIn(token.digest, at: 1_000_000_000)?.text == "ops@acme.com")
        #expect(try await world.state.takeSignIn(token.digest, at: 1_000_000_000) == nil)
        let refused = await world.ask(.post, "/api/v1/sign-ins", door: "socket", body: #"{"email":"ann@acme.com"}"#)
        #expect(refused.status == 422 && refused.body.contains("portal.admins"))
    }

    // MARK: Audit

    @Test func `the audit is filtered, and a filter that is none is refused`() async throws {
        let world = try World()
        #expect(await world.ask(.put, set, door: "socket", body: #"{"token":"t"}"#).status == 204)
        #expect(await world.ask(.post, "/api/v1/tokens", door: "socket", body: "{}").status == 201)
        func rows(_ query: String) async throws -> [String] {
            try JSONDecoder().decode(AuditList.self, from: Data(await world.ask(.get, "/api/v1/audit?\(query)", door: "socket").body.utf8)).rows.map(\.action)
        }
        #expect(try await rows("") == ["token_created", "deposit"])
        #expect(try await rows("project=acme") == ["deposit"])
        #expect(try await rows("user=ann%40acme.com&action=deposit&server=crm&since=2001-09-09T00:00:00Z") == ["deposit"])
        #expect(try await rows("action=link_created") == [])
        #expect(try await rows("limit=1") == ["token_created"])
        for query in ["project=No", "user=ann", "action=what", "since=yesterday", "limit=0", "limit=5000", "before=x", "link=1"] {
            #expect(await world.ask(.get, "/api/v1/audit?\(query)", door: "socket").status == 400, "\(query)")
        }
    }

    // MARK: The description

    @Test func `every route is described once, and nothing else is`() async throws {
        let answer = try await World().ask(.get, "/api/v1/openapi.json", door: "socket")
        let document = try #require(JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any])
        let paths = try #require(document["paths"] as? [String: [String: [String: Any]]])
        let described = Set(paths.flatMap { path, verbs in verbs.keys.map { "\($0) \(path)" } })
        #expect(described == Set(APIRoute.all.map { "\($0.method.rawValue.lowercased()) \($0.path)" }))
        #expect(described.count == APIRoute.all.count, "none stands twice")
        #expect(document["openapi"] as? String == "3.1.0")
        for (path, verbs) in paths {
            for (verb, operation) in verbs {
                #expect((operation["summary"] as? String)?.hasSuffix(".") == true, "\(verb) \(path)")
                let named = (operation["parameters"] as? [[String: Any]] ?? []).filter { $0["in"] as? String == "path" }.compactMap { $0["name"] as? String }
                #expect(named == path.matches(of: /\{([a-z]+)\}/).map { String($0.output.1) })
            }
        }
    }

    @Test(arguments: APIRoute.all.map { "\($0.method.rawValue) \($0.path)" })
    func `every route answers its holder, wants a token over TCP, and is not there for strangers`(route: String) async throws {
        let words = route.split(separator: " ").map(String.init)
        let path = "/api/v1" + words[1].replacing("{project}", with: "acme").replacing("{server}", with: "crm").replacing("{email}", with: "a@b.co")
            .replacing("{id}", with: "abcdefghjk")
        let method = try #require(HTTPRequest.Method(rawValue: words[0]))
        let world = try World()
        #expect(await world.ask(method, path, door: "public").status == 404)
        #expect(await world.ask(method, path, door: "admin").status == 401)
        let answer = await world.ask(method, path, door: "socket")
        #expect(![401, 405, 500].contains(answer.status), "\(answer.status)")
        #expect(answer.status != 404 || answer.body.contains("no_"), "\(answer.body)")
    }

    /// What a view writes is what its shape says: each member of one is a property of the other, and what is required is there.
    @Test func `what is given has the described form`() throws {
        let ann = try #require(UserEmail("ann@acme.com"))
        let (acme, crm) = (try #require(ProjectName("acme")), try #require(ServerName("crm")))
        let id = LinkID(random: Array(0..<10))
        let snapshot = try World().portal.snapshot()
        func link(_ restriction: LinkRestriction) -> LinkView {
            let link = AuthLink(id: id, project: acme, servers: .these([crm]), restriction: restriction, created: 1, expires: 2, spent: 3)
            return LinkView(
                link, LinkRecord(link: link, creator: .gateway, people: 1, lastUsed: 5), in: snapshot, at: 9, url: "u",
                completions: [LinkCompletion(link: id, email: ann, server: crm, at: 4)])
        }
        let instance = try #require(snapshot.projects[acme]?.instance(crm))
        let deposit = Deposit(
            reference: Reference(instance, user: ann), project: acme, server: crm, level: .user, user: ann, origin: instance.server.origin, depositedAt: 1,
            updatedAt: 2, rejectedAt: 3)
        let user = UserView(ann, UserRecord(email: ann, firstSeen: 1, lastSeen: 2, calls: 3), [ServerConnection(instance, deposit)])
        let token = TokenRecord(id: TokenID(random: Array(0..<10)), note: "n", creator: .gateway, created: 1, expires: 2, lastUsed: 3)
        let row = AuditEntry(time: 1, actor: .gateway, action: .deposit, project: acme, server: crm, user: ann, link: id, source: "s", detail: "d")
        try hold(LinkList(links: [link(.email(ann))]), to: LinkList.shape, complete: false)
        try hold(link(.domains([try #require(EmailDomain("acme.com"))])), to: LinkView.shape, complete: false)
        try hold(UserList(users: [user], next: "e"), to: UserList.shape)
        try hold(LinkList(links: [link(.email(ann))], next: "i"), to: LinkList.shape, complete: false)
        try hold(NavigatorList(navigators: [NavigatorView(navigator: "n", deniedServers: ["s"], keys: [.init(id: "i", note: "n", expires: "t", lastUsed: "t")])]), to: NavigatorList.shape)
        try hold(TokenList(tokens: [TokenView(token, token: AdministrationToken(random: Array(0..<32)))]), to: TokenList.shape)
        try hold(AuditList(rows: [AuditView(AuditRow(number: 1, entry: row))]), to: AuditList.shape)
        try hold(SignInView(email: "e", url: "u", expires: "t"), to: SignInView.shape)
        try hold(RevocationView(revoked: ["crm"]), to: RevocationView.shape)
        try hold(LinkOrder(type: "user", servers: ["a"], domains: ["d"], email: "e", expires: "t"), to: LinkOrder.shape)
        try hold(LinkChange(domains: ["d"], email: "e", expires: "t"), to: LinkChange.shape)
        try hold(TokenOrder(note: "n", expires: "t"), to: TokenOrder.shape)
        try hold(ProjectList(projects: snapshot.projects.values.map { ProjectView($0) }), to: ProjectList.shape, complete: false)
        try hold(
            CredentialList(credentials: [
                CredentialEntry(
                    server: "s", level: "user", user: "u", origin: "o", deposited: "d", updated: "u", rejected: "r",
                    grant: CredentialEntry.Grant(issuer: "i", scopes: ["s"], generation: 1, refreshed: "t"))
            ]), to: CredentialList.shape)
    }

    private func hold(_ value: some Encodable, to shape: Shape, complete: Bool = true) throws {
        try compare(JSONSerialization.jsonObject(with: JSONEncoder().encode(value)), shape, complete, "\(type(of: value))")
    }

    private func compare(_ value: Any, _ shape: Shape, _ complete: Bool, _ place: String) throws {
        switch shape {
        case .object(let properties):
            let members = try #require(value as? [String: Any], "\(place)")
            #expect(Set(members.keys).isSubset(of: properties.map(\.name)), "\(place): \(members.keys)")
            for property in properties {
                guard let member = members[property.name] else {
                    #expect(!property.isRequired && !complete, "\(place).\(property.name)")
                    continue
                }
                try compare(member, property.shape, complete, "\(place).\(property.name)")
            }
        case .list(let element):
            let elements = try #require(value as? [Any], "\(place)")
            #expect(!elements.isEmpty || !complete, "\(place)")
            for member in elements { try compare(member, element, complete, "\(place)[]") }
        case .text: #expect(value is String, "\(place)")
        case .word(let words): #expect(words.contains(try #require(value as? String)) || !complete, "\(place)")
        case .whole, .flag: #expect(value is NSNumber, "\(place)")
        case .texts: #expect(value is [String: String], "\(place)")
        }
    }
}
