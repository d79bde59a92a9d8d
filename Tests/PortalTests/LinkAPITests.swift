// Auth links over the API: made, shown once, listed, changed and deleted; what is wrong is refused by name.

import Foundation
import Gateway
import HTTPTypes
import State
import Testing

@testable import Portal

@Suite struct LinkAPITests {
    private let links = "/api/v1/projects/acme/links"
    private let userLink = #"{"type":"user","servers":["crm"],"domains":["Acme.com"]}"#
    private let projectLink = #"{"type":"project","servers":["shared"],"email":"ann@acme.com","expires":"2001-09-10T00:00:00Z"}"#

    private func made(_ body: String, in world: World) async throws -> LinkView {
        let answer = await world.ask(.post, links, door: "socket", body: body)
        #expect(answer.status == 201, "\(answer.body)")
        return try JSONDecoder().decode(LinkView.self, from: Data(answer.body.utf8))
    }

    @Test func `a link is made and its URL is shown once; only the digest is kept`() async throws {
        let world = try World()
        let link = try await made(userLink, in: world)
        #expect(link.type == "user" && link.domains == ["acme.com"] && link.email == nil && link.offered == ["crm"] && link.state == "active")
        #expect(link.expires == "2001-09-16T01:46:40Z" && link.creator == "uid:1000", "in seven days")
        let text = try #require(link.url?.split(separator: "/").last)
        let token = try #require(LinkToken(text))
        #expect(link.url == "http://localhost/connect/\(token.text)")
        #expect(try await world.state.link(token: token.digest)?.id?.text == link.id)
        let one = await world.ask(.get, "/api/v1/links/\(try #require(link.id))", door: "socket")
        let all = await world.ask(.get, links, door: "socket")
        #expect(one.status == 200 && all.status == 200 && !(one.body + all.body + world.log()).contains(token.text))
        let audit = try await world.state.audit(AuditQuery()).map(\.entry)
        #expect(audit.map(\.action) == [.linkCreated] && audit.first?.source == "admin.sock" && audit.first?.detail == "user link for acme.com: crm")
    }

    @Test func `links are listed with state and use, and one with who connected what`() async throws {
        let world = try World()
        let (user, project) = (try await made(userLink, in: world), try await made(projectLink, in: world))
        let (id, ann) = (try #require(user.id.flatMap { LinkID($0) }), try #require(UserEmail("ann@acme.com")))
        try await world.state.record(LinkCompletion(link: id, email: ann, server: try #require(ServerName("crm")), at: 1_000_000_100))
        world.time.advance(2 * 86_400)
        let list = try JSONDecoder().decode(LinkList.self, from: Data(await world.ask(.get, links, door: "socket").body.utf8)).links
        #expect(Set(list.map(\.state)) == ["active", "expired"] && list.first { $0.id == project.id }?.state == "expired")
        #expect(list.first { $0.id == user.id }?.people == 1 && list.allSatisfy { $0.url == nil && $0.completions == nil })
        let shown = try JSONDecoder().decode(LinkView.self, from: Data(await world.ask(.get, "/api/v1/links/\(id)", door: "socket").body.utf8))
        #expect(shown.completions == [.init(email: "ann@acme.com", server: "crm", at: "2001-09-09T01:48:20Z")])
    }

    @Test(arguments: [
        (#"{"type":"user","servers":["crm","shared"],"domains":["acme.com"]}"#, "shared is of project level"),
        (#"{"type":"project","servers":["crm"],"email":"a@b.co"}"#, "crm is of user level"),
        (#"{"type":"user","servers":["nope"],"domains":["acme.com"]}"#, "nope is no server of the project"),
        (#"{"type":"user","servers":["No pe"],"domains":["acme.com"]}"#, "one of the names is no server"),
        (#"{"type":"user","servers":[],"domains":["acme.com"]}"#, "for one server at least"),
        (#"{"type":"user","servers":["crm"],"email":"a@b.co"}"#, "has `domains`"),
        (#"{"type":"project","servers":["shared"],"domains":["acme.com"]}"#, "one `email`"),
        (#"{"type":"user","servers":["crm"],"domains":["acme.com"],"email":"a@b.co"}"#, "not for both"),
        (#"{"type":"user","servers":["crm"]}"#, "has `domains`"),
        (#"{"type":"user","servers":["crm"],"domains":["*.acme.com"]}"#, "what follows an address's @"),
        (#"{"type":"user","servers":["crm"],"domains":[]}"#, "what follows an address's @"),
        (#"{"type":"project","servers":["shared"],"email":"ann"}"#, "not an email address"),
        (#"{"type":"user","servers":["crm"],"domains":["acme.com"],"expires":"2001-01-01T00:00:00Z"}"#, "in the past"),
        (#"{"type":"user","servers":["crm"],"domains":["acme.com"],"expires":"2099-01-01T00:00:00Z"}"#, "366 days at most"),
        (#"{"type":"user","servers":["crm"],"domains":["acme.com"],"expires":"7d"}"#, "RFC 3339"),
    ]) func `what no link can be is refused in words, and nothing is made`(body: String, words: String) async throws {
        let world = try World()
        let answer = await world.ask(.post, links, door: "socket", body: body)
        #expect(answer.status == 422 && answer.body.contains(words), "\(answer.body)")
        let acme = try #require(ProjectName("acme"))
        #expect(try await world.state.links(of: acme).isEmpty)
    }

    @Test(arguments: [
        ("", "one JSON object"), ("[]", "one JSON object"), (#"{"type":"user"}"#, "has no `servers`"), (#"{"type":1,"servers":[]}"#, "`type` has another type"),
        (#"{"type":"user","servers":["crm"],"domain":"acme.com"}"#, "not known here; there is type, servers, domains"),
        (#"{"type":"user","servers":[1]}"#, "`servers` has another type"),
    ]) func `a body is read strictly`(body: String, words: String) async throws {
        let answer = try await World().ask(.post, links, door: "socket", body: body)
        #expect(answer.status == 400 && answer.body.contains(words), "\(answer.body)")
    }

    @Test func `a link is edited within its type, and its URL goes on`() async throws {
        let world = try World()
        let link = try await made(userLink, in: world)
        let path = "/api/v1/links/\(try #require(link.id))"
        let edited = await world.ask(.patch, path, door: "socket", body: #"{"domains":["acme.org","acme.net"],"expires":"2001-09-20T00:00:00Z"}"#)
        #expect(edited.status == 200 && edited.body.contains(#""domains":["acme.org","acme.net"]"#) && edited.body.contains("2001-09-20T00:00:00Z"))
        for (body, words) in [(#"{"email":"a@b.co"}"#, "not for one address"), ("{}", "Say what is to change"), (#"{"expires":"2001-01-01T00:00:00Z"}"#, "in the past")] {
            let refused = await world.ask(.patch, path, door: "socket", body: body)
            #expect(refused.status == 422 && refused.body.contains(words), "\(refused.body)")
        }
        let token = try #require(link.url?.split(separator: "/").last.flatMap { LinkToken($0) })
        #expect(try await world.state.link(token: token.digest)?.restriction == .domains(["acme.org", "acme.net"].compactMap { EmailDomain($0) }))
    }

    @Test func `a renewed link has another URL and as long a life again`() async throws {
        let world = try World()
        let link = try await made(userLink, in: world)
        world.time.advance(30 * 86_400)
        let answer = await world.ask(.post, "/api/v1/links/\(try #require(link.id))/renew", door: "socket", body: "{}")
        let renewed = try JSONDecoder().decode(LinkView.self, from: Data(answer.body.utf8))
        #expect(renewed.id == link.id && renewed.url != nil && renewed.url != link.url && renewed.state == "active")
        #expect(renewed.expires == "2001-10-16T01:46:40Z")
        let old = try #require(link.url?.split(separator: "/").last.flatMap { LinkToken($0) })
        #expect(try await world.state.link(token: old.digest) == nil)
    }

    @Test func `a deleted link is gone, once`() async throws {
        let world = try World()
        let path = "/api/v1/links/\(try #require(try await made(userLink, in: world).id))"
        #expect(await world.ask(.delete, path, door: "socket").status == 204)
        for (method, body) in [(.delete, ""), (.get, ""), (.patch, #"{"domains":["a.co"]}"#)] as [(HTTPRequest.Method, String)] {
            #expect(await world.ask(method, path, door: "socket", body: body).status == 404)
        }
        #expect(await world.ask(.post, "\(path)/renew", door: "socket", body: "{}").status == 404)
        #expect(await world.ask(.get, links, door: "socket").body == #"{"links":[]}"#)
    }

    @Test(arguments: ["abc", "0123456789", "%2e%2e", "abcdefghjk"]) func `what is no link is not there`(id: String) async throws {
        #expect(try await World().ask(.get, "/api/v1/links/\(id)", door: "socket").status == 404)
    }

    @Test func `the standing link is listed with its address, and is no stored link`() async throws {
        let world = try World(connect: ["acme.com"])
        let list = try JSONDecoder().decode(LinkList.self, from: Data(await world.ask(.get, links, door: "socket").body.utf8)).links
        let standing = try #require(list.first)
        #expect(list.count == 1 && standing.id == nil && standing.expires == nil && standing.offered == ["crm"] && standing.state == "active")
        #expect(standing.url == "http://localhost/connect/acme")
    }
}
