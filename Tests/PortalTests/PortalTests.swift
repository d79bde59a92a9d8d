// Who reaches what, and what the API answers.

import Credentials
import Gateway
import HTTPTypes
import Synchronization
import Testing

@testable import Portal

@Suite struct PortalTests {
    let set = "/api/v1/projects/acme/credentials/crm?user=alice%2Bx%40acme.com"

    @Test(arguments: [("public", 404), ("admin", 401), ("socket", 200), ("else", 404)])
    func `the API is the operator's`(door: String, status: Int) async throws {
        #expect(try await World().ask(.get, "/api/v1/status", door: door).status == status)
    }

    @Test(arguments: [("public", 404), ("admin", 200), ("socket", 200)])
    func `metrics are not for strangers`(door: String, status: Int) async throws {
        #expect(try await World().ask(.get, "/metrics", door: door).status == status)
    }

    @Test func `what did not come through a worker is answered nothing`() async throws {
        for path in ["/api/v1/status", "/metrics", "/connect/acme/crm"] {
            #expect(try await World().ask(.get, path, door: nil).status == 404)
        }
    }

    @Test(arguments: ["PUT", "POST"]) func `a credential is set for the user named`(method: String) async throws {
        let world = try World()
        let verb = try #require(HTTPRequest.Method(rawValue: method))
        #expect(await world.ask(verb, set, door: "socket", body: #"{"token":"cnry=1"}"#).status == 204)
        #expect(world.desk.given.withLock { $0 } == [.init(server: "crm", user: "alice+x@acme.com", fields: ["token": "cnry=1"])])
        let log = world.log()
        #expect(log.contains("audit action=deposit by=uid:1000 project=acme server=crm user="))
        #expect(!log.contains("cnry") && !log.contains("alice"))
    }

    @Test func `a credential is listed, and deleted once`() async throws {
        let world = try World()
        _ = await world.ask(.put, set, door: "socket", body: #"{"token":"t"}"#)
        let listed = await world.ask(.get, "/api/v1/projects/acme/credentials", door: "socket")
        #expect(listed.status == 200 && listed.body.contains("alice+x@acme.com") && !listed.body.contains("\"t\""))
        #expect(await world.ask(.delete, set, door: "socket").status == 204)
        #expect(await world.ask(.delete, set, door: "socket").status == 404)
    }

    @Test(arguments: [
        ("/api/v1/projects/none/credentials/crm?user=a@b.co", #"{"token":"t"}"#, 404, "unknown_project"),
        ("/api/v1/projects/acme/credentials/none?user=a@b.co", #"{"token":"t"}"#, 404, "unknown_server"),
        ("/api/v1/projects/acme/credentials/crm?user=nobody", #"{"token":"t"}"#, 400, "bad_email"),
        ("/api/v1/projects/acme/credentials/shared?user=a@b.co", #"{"token":"t"}"#, 400, "no_user"),
        ("/api/v1/projects/acme/credentials/crm?user=a@b.co", #"{"token":{"cnry":1}}"#, 400, "bad_request"),
        ("/api/v1/projects/acme/credentials/crm?user=a@b.co", "cnry", 400, "bad_request"),
        ("/api/v2/status", "", 404, "not_found"),
    ])
    func `what cannot be set is said by code, and repeats no value`(path: String, body: String, status: Int, code: String) async throws {
        let world = try World()
        let answer = await world.ask(.put, path, door: "socket", body: body)
        #expect(answer.status == status)
        #expect(answer.body.contains("\"code\":\"\(code)\""))
        #expect(!answer.body.contains("cnry") && !world.log().contains("cnry"))
    }

    @Test func `values the server would not take are named field by field`() async throws {
        let token = try #require(FieldName("token"))
        let world = try World(FakeDesk(fault: .values([CredentialFault(field: token, problem: .notASCII)])))
        let answer = await world.ask(.put, set, door: "socket", body: #"{"token":"ü"}"#)
        #expect(answer.status == 422 && answer.body.contains("token contains a character"))
        #expect(!world.log().contains("action=deposit"))
    }

    @Test(arguments: [(nil, "2"), (.milliseconds(6100), "7")] as [(Duration?, String)])
    func `a store that fails says when to ask again`(after: Duration?, field: String) async throws {
        let world = try World(FakeDesk(fault: .store(StoreFault(.unavailable, "left alone", retryAfter: after))))
        for (method, path) in [(.put, set), (.delete, set), (.get, "/api/v1/projects/acme/credentials")] as [(HTTPRequest.Method, String)] {
            let answer = await world.ask(method, path, door: "socket", body: #"{"token":"t"}"#)
            #expect(answer.status == 503 && answer.headers[.retryAfter] == field)
        }
    }

    @Test func `a store that fails is not taken for success`() async throws {
        let world = try World(FakeDesk(fault: .store(StoreFault(.unavailable, "the disk is full"))))
        #expect(await world.ask(.put, set, door: "socket", body: #"{"token":"t"}"#).status == 503)
        #expect(await world.ask(.get, "/api/v1/projects/acme/credentials", door: "socket").status == 503)
    }

    @Test func `who deposits is told the fields`() async throws {
        let answer = try await World().ask(.get, "/api/v1/projects/acme/credentials/crm", door: "socket")
        #expect(answer.body == #"{"fields":[{"label":"Token","name":"token"}],"level":"user","server":"crm"}"#)
    }

    @Test func `a body beyond the limit is refused`() async throws {
        let body = #"{"token":""# + String(repeating: "x", count: 300 << 10) + "\"}"
        #expect(try await World().ask(.put, set, door: "socket", body: body).status == 413)
    }

    @Test(arguments: [HTTPRequest.Method.post, .delete, .put]) func `status only reads`(method: HTTPRequest.Method) async throws {
        #expect(try await World().ask(method, "/api/v1/status", door: "socket").status == 405)
    }
}

@Suite struct ConnectPageTests {
    @Test func `the page is the same for what exists and what does not`() async throws {
        let world = try World()
        let known = await world.ask(.get, "/connect/acme/crm", door: "public")
        let unknown = await world.ask(.get, "/connect/acmf/crn", door: "public")
        #expect(known.status == 200 && unknown.status == 200)
        #expect(known.body.contains("claviger credential set --project acme --server crm --user EMAIL"))
        #expect(known.body.replacing("acme", with: "acmf").replacing("crm", with: "crn") == unknown.body)
    }

    @Test(arguments: ["/connect", "/connect/", "/connect/nobody", "/connect/Nobody/crm", "/connect/nobody/%3Cb%3E", "/connect/nobody/crm/x", "/connect/a b/c"])
    func `what is no pair of names is not there`(path: String) async throws {
        #expect(try await World().ask(.get, path, door: "public").status == 404)
    }

    @Test func `the page may not be framed, scripted or told about`() async throws {
        let answer = try await World().ask(.get, "/connect/acme/crm", door: "public")
        func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { answer.headers[$0] } }
        #expect(
            header("content-security-policy")
                == "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
        #expect(header("x-frame-options") == "DENY")
        #expect(header("referrer-policy") == "no-referrer")
        #expect(header("x-content-type-options") == "nosniff")
        #expect(header("cache-control") == "no-store")
        #expect(!answer.body.contains("style=") && !answer.body.contains("<script") && !answer.body.contains("<style"))
    }

    @Test func `its stylesheet comes from here`() async throws {
        let answer = try await World().ask(.get, "/connect/claviger.css", door: "public")
        #expect(answer.status == 200 && answer.body.contains(":root") && answer.body.utf8.count < 16_000)
    }
}
