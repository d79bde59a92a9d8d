// Where a request may go, and the first refusal that applies.

import Gateway
import HTTP1
import Kernel
import Testing

@Suite struct AdmitTests {
    struct Outcome {
        var text: String
        var detail: RouteDetail
        var reason = ""
    }

    static func ask(_ lines: [String], hosts: [String] = [], origins: [String] = []) throws -> Outcome {
        let snapshot = try Sample.snapshot(hosts: hosts, origins: origins)
        let input = Sample.bytes(lines)
        var head = RequestHead()
        var scan = HeadScan()
        #expect(try head.parse(input.span.raw, scan: &scan, limits: HeadLimits()))
        var detail = RouteDetail()
        do {
            switch try snapshot.admit(head, input.span.raw, wallClock: Sample.wallClock, noting: &detail) {
            case .portal: return Outcome(text: "portal", detail: detail)
            case .unproven: return Outcome(text: "unproven", detail: detail)
            case .preflight(let origin): return Outcome(text: "preflight \(origin)", detail: detail)
            case .relay(let admission):
                let suffix = admission.suffix.map { "/" + String(decoding: input.span.raw[$0].copied(), as: UTF8.self) } ?? ""
                return Outcome(text: "\(admission.instance.name)\(suffix) for \(admission.caller.user.text)", detail: detail)
            }
        } catch {
            return Outcome(text: error.code.rawValue, detail: detail, reason: error.detail)
        }
    }

    static let host = "Host: gw.example.com"
    static let key = "x-api-key: \(Sample.key)"
    static let user = "x-user-email: Ana@ACME.com"

    @Test(arguments: ["/mcp/docs", "/mcp/docs/", "/mcp/docs?x=1", "http://other.example.com/mcp/docs"])
    func `a proven key, an address and a server of the project are admitted`(_ target: String) throws {
        #expect(try Self.ask(["POST \(target) HTTP/1.1", Self.host, Self.key, Self.user]).text == "docs for ana@acme.com")
    }

    /// Each request has the fault of its own row and of every row below it.
    @Test func `the first refusal in the contract's order is given`() throws {
        let bad = ["x-api-key: none", "x-user-email: none"]
        let hosts = ["gw.example.com"]
        let rows: [(String, [String])] = [
            ("bad_request", ["GET /other/../x HTTP/1.1", "Host: evil.example.com", "Origin: https://evil.example.com"] + bad),
            ("wrong_host", ["GET /other HTTP/1.1", "Host: evil.example.com", "Origin: https://evil.example.com"] + bad),
            ("not_found", ["GET /other HTTP/1.1", Self.host, "Origin: https://evil.example.com"] + bad),
            ("origin_not_allowed", ["GET /mcp/none HTTP/1.1", Self.host, "Origin: https://evil.example.com"] + bad),
            ("unauthenticated", ["GET /mcp/none HTTP/1.1", Self.host] + bad),
            ("bad_email", ["GET /mcp/none HTTP/1.1", Self.host, Self.key, "x-user-email: none"]),
            ("user_not_allowed", ["GET /mcp/none HTTP/1.1", Self.host, Self.key, "x-user-email: ana@evil.com"]),
            ("unknown_server", ["GET /mcp/none HTTP/1.1", Self.host, Self.key, Self.user]),
            ("docs for ana@acme.com", ["GET /mcp/docs HTTP/1.1", Self.host, Self.key, Self.user]),
        ]
        for (expected, lines) in rows { #expect(try Self.ask(lines, hosts: hosts).text == expected) }
    }

    @Test(arguments: [
        ("gw.example.com", true), ("GW.Example.COM", true), ("gw.example.com:8080", true), ("evil.com", false), ("gw.example.com.evil.com", false),
        ("xgw.example.com", false), ("gw.example.com.", false), ("127.0.0.1", false), ("[::1]", true), ("[::1]:80", true), ("[::2]", false),
    ])
    func `only the configured hosts are answered to`(_ host: String, _ isOurs: Bool) throws {
        let outcome = try Self.ask(
            ["GET /mcp/docs HTTP/1.1", "Host: \(host)", Self.key, Self.user], hosts: ["gw.example.com", "[::1]"])
        #expect((outcome.text == "wrong_host") == !isOurs)
    }

    @Test func `an absolute target's authority has to be ours as well`() throws {
        let outcome = try Self.ask(
            ["GET http://evil.com/mcp/docs HTTP/1.1", "Host: gw.example.com", Self.key, Self.user], hosts: ["gw.example.com"])
        #expect(outcome.text == "wrong_host")
    }

    @Test(arguments: ["/", "/mcp", "/mcp/", "/other", "/mcpx/docs", "http://gw.example.com"])
    func `what is not in the table is not found`(_ target: String) throws {
        #expect(try Self.ask(["GET \(target) HTTP/1.1", Self.host]).text == "not_found")
    }

    @Test func `the server as a whole has no options`() throws {
        #expect(try Self.ask(["OPTIONS * HTTP/1.1", Self.host]).text == "not_found")
    }

    @Test func `the portal is open to everyone, whatever the origin`() throws {
        #expect(try Self.ask(["POST /connect/acme/docs HTTP/1.1", Self.host, "Origin: https://gw.example.com"]).text == "portal")
    }

    static let origins = ["https://app.example.com"]

    @Test(arguments: ["https://evil.com", "null", "https://app.example.com.evil.com", "http://app.example.com", "https://app.example.com:444", "https://app.example.com/", ""])
    func `an origin that is not listed is refused`(_ origin: String) throws {
        let outcome = try Self.ask(["POST /mcp/docs HTTP/1.1", Self.host, "Origin: \(origin)", Self.key, Self.user], origins: Self.origins)
        #expect(outcome.text == "origin_not_allowed")
        let preflight = ["OPTIONS /mcp/docs HTTP/1.1", Self.host, "Origin: \(origin)", "Access-Control-Request-Method: POST"]
        #expect(try Self.ask(preflight, origins: Self.origins).text == "origin_not_allowed")
    }

    @Test func `two origins are none`() throws {
        let twice = Array(repeating: "Origin: https://app.example.com", count: 2)
        #expect(try Self.ask(["POST /mcp/docs HTTP/1.1", Self.host, Self.key, Self.user] + twice, origins: Self.origins).text == "origin_not_allowed")
    }

    @Test func `a listed origin is admitted and noted, also for the refusal`() throws {
        let lines = ["POST /mcp/docs HTTP/1.1", Self.host, "Origin: https://app.example.com"]
        let admitted = try Self.ask(lines + [Self.key, Self.user], origins: Self.origins)
        #expect(admitted.text == "docs for ana@acme.com")
        #expect(admitted.detail.allowedOrigin == Self.origins[0])
        #expect(try Self.ask(lines, origins: Self.origins).detail.allowedOrigin == Self.origins[0])
    }

    @Test func `a preflight needs no key; an OPTIONS that is none does`() throws {
        let lines = ["OPTIONS /mcp/none HTTP/1.1", Self.host, "Origin: https://app.example.com"]
        #expect(try Self.ask(lines + ["Access-Control-Request-Method: POST"], origins: Self.origins).text == "preflight https://app.example.com")
        #expect(try Self.ask(lines, origins: Self.origins).text == "unauthenticated")
        let sameOrigin = ["OPTIONS /mcp/docs HTTP/1.1", Self.host, "Access-Control-Request-Method: POST"]
        #expect(try Self.ask(sameOrigin, origins: Self.origins).text == "unauthenticated")
    }

    @Test(arguments: [
        [], ["x-api-key: \(Sample.key)", "x-api-key: \(Sample.key)"], ["X-API-KEY: \(Sample.key)", "x-api-key: none"],
        ["x_api_key: \(Sample.key)"], ["Authorization: Bearer \(Sample.key)"], ["x-api-key: \(Sample.key),\(Sample.key)"],
        ["x-api-key: \(Sample.expiredKey)"], ["x-api-key:"],
    ])
    func `a key that is missing, doubled, misspelt or expired is unauthenticated`(_ keys: [String]) throws {
        let outcome = try Self.ask(["POST /mcp/docs HTTP/1.1", Self.host, Self.user] + keys)
        #expect(outcome.text == "unauthenticated")
        #expect(outcome.detail.key == nil)
    }

    @Test(arguments: [("ck_nobody99." + String(repeating: "A", count: 43), "nobody99"), (Sample.expiredKey, nil), ("ck_nobody99.short", nil)])
    func `a key that is not accepted leaves its id, where it has the form of one`(_ key: String, _ id: String?) throws {
        let outcome = try Self.ask(["POST /mcp/docs HTTP/1.1", Self.host, Self.user, "x-api-key: \(key)"])
        #expect(outcome.text == "unauthenticated" && outcome.detail.key == nil)
        let expected = key == Sample.expiredKey ? key.dropFirst(3).split(separator: ".").first.map(String.init) : id
        #expect(outcome.detail.claimedKey?.description == expected)
        #expect(try Self.ask(["POST /mcp/docs HTTP/1.1", Self.host, Self.user, Self.key]).detail.claimedKey == nil)
    }

    @Test(arguments: [
        [], ["x-user-email: a@acme.com", "x-user-email: a@acme.com"], ["x-user-email: a@acme.com", "X-User-Email: b@acme.com"],
        ["x_user_email: a@acme.com"], ["x-user-email: a@acme.com, b@acme.com"], ["x-user-email:"], ["x-user-email: é@acme.com"],
    ])
    func `an address that is missing, doubled, a list or misspelt is a bad one`(_ users: [String]) throws {
        let outcome = try Self.ask(["POST /mcp/docs HTTP/1.1", Self.host, Self.key] + users)
        #expect(outcome.text == "bad_email")
        #expect(outcome.detail.key != nil && outcome.detail.user == nil)
    }

    @Test func `a line spelt with an underscore beside the proper one does not count`() throws {
        let outcome = try Self.ask(["POST /mcp/docs HTTP/1.1", Self.host, Self.key, Self.user, "x_api_key: none", "x_user_email: none"])
        #expect(outcome.text == "docs for ana@acme.com")
    }

    @Test(arguments: [
        ("a@acme.com", true), ("A@ACME.COM", true), ("partner@other.org", true), ("Partner@Other.ORG", true), ("x@other.org", false),
        ("a@evilacme.com", false), ("a@sub.acme.com", false), ("a@acme.com.evil.com", false), ("a@com", false), ("partner+x@other.org", false),
    ])
    func `a key speaks for its domains and addresses, compared whole`(_ user: String, _ mayBe: Bool) throws {
        let outcome = try Self.ask(["POST /mcp/docs HTTP/1.1", Self.host, Self.key, "x-user-email: \(user)"])
        #expect((outcome.text == "user_not_allowed") == !mayBe)
    }

    @Test func `a key without users speaks for everyone`() throws {
        let lines = ["POST /mcp/docs HTTP/1.1", Self.host, "x-api-key: \(Sample.everyonesKey)", "x-user-email: x@anywhere.net"]
        #expect(try Self.ask(lines).text == "docs for x@anywhere.net")
    }

    @Test func `unknown, paused and denied servers are one refusal, told apart for the log`() throws {
        var reasons: Set<String> = []
        for name in ["none", "resting", "secret-plans", "DOCS", "doc%73"] {
            let outcome = try Self.ask(["POST /mcp/\(name) HTTP/1.1", Self.host, Self.key, Self.user])
            #expect(outcome.text == "unknown_server")
            #expect((outcome.detail.instance == nil) == !["resting", "secret-plans"].contains(name))
            reasons.insert(outcome.reason)
        }
        #expect(reasons.count == 3)
    }

    @Test func `only a stream's server has paths below its own`() throws {
        func ask(_ path: String) throws -> String { try Self.ask(["POST \(path) HTTP/1.1", Self.host, Self.key, Self.user]).text }
        #expect(try ask("/mcp/docs/messages") == "not_found")
        #expect(try ask("/mcp/legacy/messages/x?session=1") == "legacy/messages/x for ana@acme.com")
        #expect(try ask("/mcp/legacy/") == "legacy for ana@acme.com")
        for path in ["/mcp/legacy//", "/mcp/legacy//evil.com/x", "/mcp/legacy/~", "/mcp/legacy/~//x"] { #expect(try ask(path) == "not_found") }
        for path in ["/mcp/legacy/../x", "/mcp/legacy/%2e%2e/x", "/mcp/legacy/..;/x", "/mcp/legacy/a%2fb", "/mcp/legacy/a%5c..", "/mcp/legacy/%00"] {
            #expect(try ask(path) == "bad_request")
        }
    }
}
