// The way from a server's URL to its provider, and what must not be asked on it.

import Gateway
import Kernel
@testable import OAuth
import Outbound
import Synchronization
import Testing

/// Answers by URL, and remembers where it was sent.
private final class Web: HTTPClient {
    struct Page: Sendable {
        var status = 200
        var body = ""
        var location: String?
    }

    private let pages: [String: Page]
    let asked = Mutex<[OutboundRequest]>([])

    init(_ pages: [String: Page]) {
        self.pages = pages
    }

    var urls: [String] { asked.withLock { $0.map(\.url) } }

    func send(_ request: OutboundRequest) async throws(OutboundFault) -> OutboundResponse {
        asked.withLock { $0.append(request) }
        let page = pages[request.url] ?? Page(status: 404)
        return OutboundResponse(
            status: page.status, fields: page.location.map { [("location", $0)] } ?? [], body: Secret(copying: Array(page.body.utf8).span.raw))
    }
}

@Suite struct DiscoveryTests {
    private static let names: [String: [String]] = [
        "mcp.example": ["93.184.216.34"], "login.example": ["93.184.216.35", "2606:2800:220:1::1"], "inside.example": ["10.1.2.3"],
        "both.example": ["93.184.216.34", "192.168.1.1"], "mapped.example": ["::ffff:127.0.0.1"], "nat64.example": ["64:ff9b::a00:1"],
        "metadata.example": ["169.254.169.254"], "localhost": ["127.0.0.1", "::1"],
    ]

    private func fetcher(_ web: Web, allowed: [String] = []) -> DocumentFetcher {
        DocumentFetcher(
            client: web,
            resolve: { (host, port) throws(ResolveFault) in
                guard let known = DiscoveryTests.names[host] ?? (SocketAddress(numeric: host, port: port) == nil ? nil : [host]) else { throw .unknownName }
                return known.compactMap { SocketAddress(numeric: $0, port: port) }
            }, rule: AddressRule(allowed: allowed.compactMap { IPNetwork($0) }))
    }

    private func find(_ web: Web, challenge: String? = nil, server: String = "https://mcp.example/mcp") async throws -> Discovery.Found {
        try await Discovery(fetcher(web)).find(try ServiceURL(server), challenges: Challenge.read(challenge.map { [$0] } ?? []))
    }

    private static let provider = Web.Page(body: "{\"issuer\":\"https://login.example\",\"token_endpoint\":\"https://login.example/t\"}")
    private static let providerAt = "https://login.example/.well-known/oauth-authorization-server"

    private static func resource(_ name: String = "https://mcp.example/mcp", scopes: String = "") -> Web.Page {
        Web.Page(body: "{\"resource\":\"\(name)\",\"authorization_servers\":[\"https://login.example\"]\(scopes)}")
    }

    @Test func `the challenge's hint is asked first, and leads to the provider`() async throws {
        let web = Web(["https://mcp.example/hint": DiscoveryTests.resource(scopes: ",\"scopes_supported\":[\"a\"]"), DiscoveryTests.providerAt: DiscoveryTests.provider])
        let found = try await find(web, challenge: "Bearer resource_metadata=\"https://mcp.example/hint\", scope=\"b c\"")
        #expect(found.provider.tokenEndpoint?.text == "https://login.example/t")
        #expect(found.resource == "https://mcp.example/mcp")
        #expect(found.scopes == ["b", "c"])
        #expect(web.urls == ["https://mcp.example/hint", DiscoveryTests.providerAt])
    }

    @Test func `without a hint the path's place is asked, then the root's`() async throws {
        let web = Web([
            "https://mcp.example/.well-known/oauth-protected-resource": DiscoveryTests.resource("https://mcp.example", scopes: ",\"scopes_supported\":[\"a\"]"),
            DiscoveryTests.providerAt: DiscoveryTests.provider,
        ])
        let found = try await find(web)
        #expect(found.scopes == ["a"])
        #expect(found.resource == "https://mcp.example")
        #expect(web.urls.first == "https://mcp.example/.well-known/oauth-protected-resource/mcp")
    }

    @Test func `a server without metadata is its own issuer`() async throws {
        let web = Web(["https://mcp.example/.well-known/oauth-authorization-server": Web.Page(body: "{\"issuer\":\"https://mcp.example\"}")])
        #expect(try await find(web).provider.issuer.text == "https://mcp.example")
    }

    @Test func `a hint that speaks of another server does not count`() async throws {
        let web = Web(["https://mcp.example/hint": DiscoveryTests.resource("https://other.example/mcp")])
        await #expect(throws: Discovery.Fault.self) { try await find(web, challenge: "Bearer resource_metadata=\"https://mcp.example/hint\"") }
        #expect(!web.urls.contains(DiscoveryTests.providerAt))
    }

    @Test func `metadata of another issuer is not taken, and what was tried is named`() async throws {
        let web = Web([
            "https://mcp.example/.well-known/oauth-protected-resource": DiscoveryTests.resource("https://mcp.example"),
            DiscoveryTests.providerAt: Web.Page(body: "{\"issuer\":\"https://evil.example\"}"),
        ])
        do {
            _ = try await find(web)
            Issue.record("found")
        } catch Discovery.Fault.unusable(let complaints) {
            #expect(complaints.contains("\(DiscoveryTests.providerAt) names another issuer than https://login.example"))
            #expect(complaints.contains("https://mcp.example/.well-known/oauth-protected-resource/mcp is not there"))
        }
    }

    @Test func `a place that is down is not passed over`() async throws {
        let web = Web(["https://mcp.example/.well-known/oauth-protected-resource/mcp": Web.Page(status: 503)])
        await #expect(throws: Discovery.Fault.passing("https://mcp.example/.well-known/oauth-protected-resource/mcp: answered 503")) { try await find(web) }
        #expect(web.urls.count == 1)
    }

    @Test(arguments: [
        "https://inside.example/", "https://both.example/", "https://mapped.example/", "https://nat64.example/", "https://metadata.example/latest",
        "https://10.0.0.1/", "https://[::1]/", "https://[fd00::1]/", "https://[fe80::1]/", "https://0.0.0.0/", "https://100.64.0.1/", "https://localhost/",
        "https://[2002:a00:1::]/", "https://[::ffff:10.0.0.1]/", "http://mcp.example/", "ftp://mcp.example/",
    ]) func `what leads into a private network is not asked`(_ url: String) async {
        let web = Web([:])
        do throws(DocumentFetcher.Fault) {
            _ = try await fetcher(web).document(at: url)
            Issue.record("read")
        } catch {
            if case .notUsable = error {} else { Issue.record("\(error)") }
        }
        #expect(web.urls.isEmpty)
    }

    @Test func `every redirect is checked anew`() async {
        for (to, isRead) in [("https://login.example/x", true), ("/x", true), ("https://inside.example/x", false), ("//inside.example/x", false), ("http://mcp.example/x", false)] {
            let web = Web([
                "https://mcp.example/a": Web.Page(status: 302, location: to), "https://login.example/x": Web.Page(body: "{}"), "https://mcp.example/x": Web.Page(body: "{}"),
            ])
            let document = try? await fetcher(web).document(at: "https://mcp.example/a")
            #expect((document != nil) == isRead, "\(to)")
        }
        let circle = Web(["https://mcp.example/a": Web.Page(status: 302, location: "/a")])
        await #expect(throws: DocumentFetcher.Fault.notUsable("redirects more than 3 times")) { try await fetcher(circle).document(at: "https://mcp.example/a") }
        #expect(circle.urls.count == 4)
    }

    @Test func `nobody who is asked over TLS leads to a service of this machine`() async throws {
        let own = "http://127.0.0.1:9/x"
        let hinted = Web([own: DiscoveryTests.resource()])
        await #expect(throws: Discovery.Fault.self) { try await find(hinted, challenge: "Bearer resource_metadata=\"\(own)\"") }
        let named = Web(["https://mcp.example/.well-known/oauth-protected-resource": Web.Page(
            body: "{\"resource\":\"https://mcp.example\",\"authorization_servers\":[\"http://127.0.0.1:9\"]}")])
        await #expect(throws: Discovery.Fault.self) { try await find(named) }
        let redirected = Web(["https://mcp.example/a": Web.Page(status: 302, location: own), own: Web.Page(body: "{}")])
        await #expect(throws: DocumentFetcher.Fault.notUsable("redirects from https to http")) {
            try await fetcher(redirected).document(at: "https://mcp.example/a")
        }
        for web in [hinted, named, redirected] { #expect(!web.urls.contains { $0.hasPrefix("http://") }) }
        for endpoint in ["authorization", "token", "registration", "revocation"] {
            let document = Array("{\"issuer\":\"https://login.example\",\"\(endpoint)_endpoint\":\"\(own)\"}".utf8)
            let issuer = try ServiceURL("https://login.example")
            #expect(throws: NotUsable("has a \(endpoint)_endpoint that is http, and itself https")) { try ProviderMetadata(document, of: issuer) }
        }
    }

    @Test func `only the addresses that were checked are asked, and what an operator allows is`() async throws {
        let web = Web(["https://inside.example/": Web.Page(body: "{}")])
        _ = try await fetcher(web, allowed: ["10.0.0.0/8"]).document(at: "https://inside.example/")
        let asked = try #require(web.asked.withLock { $0.first?.resolution })
        #expect(asked.host == "inside.example" && asked.port == 443)
        #expect(asked.addresses.map(\.host) == ["10.1.2.3"])
        let own = Web(["http://localhost:9/": Web.Page(body: "{}")])
        #expect(try await fetcher(own).document(at: "http://localhost:9/") == Array("{}".utf8))
    }

    @Test func `every special network is written rightly`() {
        #expect(AddressRule.special.count == 29)
    }
}
