// `check --online` for servers that use OAuth: which are asked, and how it is said.

import Gateway
import Kernel
import Testing

@testable import OAuth
@testable import claviger

@Suite struct CheckOAuthTests {
    private func server(_ name: String, _ scheme: Origin.Scheme, path: String = "/mcp", query: String? = nil, oauth: OAuthSettings? = OAuthSettings()) throws -> Server {
        let second = Duration.seconds(1)
        return Server(
            name: try #require(ServerName(name)), title: nil, origin: Origin(scheme: scheme, host: "mcp.example", port: 8443), path: Template(parts: [.literal(path)]),
            query: query, transport: .http, injector: OAuthSettings.injector, fields: [], oauth: oauth, tls: UpstreamTLS(),
            timeouts: UpstreamTimeouts(connect: second, response: second, body: second, streamIdle: second))
    }

    @Test func `a server is asked under its own URL, and one in plain text is not`() throws {
        #expect(try OAuthServer(try server("a", .https, path: "/x/mcp", query: "t=1"), OAuthSettings()).url.text == "https://mcp.example:8443/x/mcp?t=1")
        #expect(throws: NotUsable.self) { try OAuthServer(try server("a", .http), OAuthSettings()) }
        #expect(Check.lines(nil, of: try server("a", .http)) == ["servers.a: missing: a URL of https, or of http on this machine"])
    }

    @Test func `every line names its server, and what is missing is told apart`() throws {
        let server = try server("crm", .https)
        let url = try OAuthServer(server, OAuthSettings()).url
        let subject = Survey.Subject(name: "crm", url: url, settings: OAuthSettings(), portal: "https://connect.example")
        let survey = Survey(of: subject, answer: .answered(status: 503, []), found: .failure(.unusable(["https://x is not there"])))
        #expect(
            Check.lines(survey, of: server) == [
                "servers.crm: challenge: none; the server answered 503", "servers.crm: not usable: https://x is not there",
                "servers.crm: missing: nobody is found who gives tokens for https://mcp.example:8443/mcp; set `oauth.issuer`, or both `oauth.authorization_endpoint` and `oauth.token_endpoint`",
            ])
    }

    @Test func `the verdict counts`() {
        #expect(Check.verdict(["a"], of: 1) == "tokens cannot be had as it is for a: 1 of 1 server that uses OAuth")
        #expect(Check.verdict(["a", "b"], of: 3) == "tokens cannot be had as it is for a, b: 2 of 3 servers that use OAuth")
    }
}
