// From an endpoint event to the gateway's own address, and from there back to exactly what it named.

import Gateway
import HTTP1
import Kernel
import Testing

@Suite struct MessagePathTests {
    static let query = Injector.query([("api_key", Sample.template("{key}"))])

    static func rewritten(_ reference: String, _ instance: ServerInstance, _ credential: RenderedCredential? = nil) throws -> String {
        String(decoding: try MessagePath.gatewayReference(for: Array(reference.utf8).span.raw, from: instance, with: credential), as: UTF8.self)
    }

    /// The target that a POST to the rewritten reference reaches.
    static func reached(_ reference: String, _ instance: ServerInstance, _ credential: RenderedCredential? = nil) throws -> String {
        let prefix = "/mcp/\(instance.name)/"
        #expect(reference.hasPrefix(prefix))
        let path = reference.split(separator: "?", maxSplits: 1)[0]
        let head = try Sample.upstream(
            ["POST \(reference) HTTP/1.1", "Host: gw"], to: instance, with: credential, suffix: String(path.dropFirst(prefix.count)))
        return String(Sample.lines(head)[0].split(separator: " ")[1])
    }

    @Test(arguments: [
        ("/sse", "/messages?session=1", "/mcp/legacy/messages?session=1", "/messages?session=1"),
        ("/sse", "/messages/?session_id=a-b", "/mcp/legacy/messages/?session_id=a-b", "/messages/?session_id=a-b"),
        ("/sse", "messages", "/mcp/legacy/messages", "/messages"), ("/v1/sse", "messages?x", "/mcp/legacy/v1/messages?x", "/v1/messages?x"),
        ("/v1/sse", "../m", "/mcp/legacy/m", "/m"), ("/v1/sse", "./m", "/mcp/legacy/v1/m", "/v1/m"), ("/v1/sse", "/../../m", "/mcp/legacy/m", "/m"),
        ("/sse", "https://up.example.com/m?a=b", "/mcp/legacy/m?a=b", "/m?a=b"), ("/sse", "HTTPS://UP.example.com:443/m", "/mcp/legacy/m", "/m"),
        ("/sse", "//up.example.com/m", "/mcp/legacy/m", "/m"), ("/sse", "?session=1", "/mcp/legacy/sse?session=1", "/sse?session=1"),
        ("/sse", "/", "/mcp/legacy/~/", "/"), ("/sse", "/~/x", "/mcp/legacy/~/~/x", "/~/x"), ("/sse", "/~", "/mcp/legacy/~/~", "/~"),
        ("/sse", "https://up.example.com", "/mcp/legacy/~/", "/"), ("/sse?own=1", "/m?own=2", "/mcp/legacy/m?own=2", "/m?own=2"),
        ("/sse", "/a//b/", "/mcp/legacy/a//b/", "/a//b/"), ("/sse", "/m#top", "/mcp/legacy/m", "/m"), ("/sse", "/m%20x;v=1", "/mcp/legacy/m%20x;v=1", "/m%20x;v=1"),
    ])
    func `an address on the server's origin comes back to itself`(_ url: String, _ reference: String, _ here: String, _ there: String) throws {
        let instance = try Sample.instance(Sample.server("legacy", url: url, transport: .sse))
        #expect(try Self.rewritten(reference, instance) == here)
        #expect(try Self.reached(here, instance) == there)
    }

    @Test(arguments: [
        "https://evil.example.com/m", "//evil.example.com/m", "http://up.example.com/m", "https://up.example.com:8443/m", "https://up.example.com.evil/m",
        "https://up.example.com@evil/m", "https://user@up.example.com/m", "javascript:alert(1)", "data:,x", "https:/m", "/a%2fb", "/%2e%2e/x", "/a\\b", "/..;/x",
        "/m x", "/m\u{7f}", "/é", "//", "/a/..//x", "/%00",
    ])
    func `what leads elsewhere or can be read in two ways breaks the stream`(_ reference: String) throws {
        let instance = try Sample.instance(Sample.server("legacy", url: "/sse", transport: .sse))
        let refusal = #expect(throws: Refusal.self) { try Self.rewritten(reference, instance) }
        #expect(refusal?.code == .upstreamInvalid)
    }

    @Test(arguments: [
        ("/{key}/sse", "/s3cr3t%20key/m?s=1", "/mcp/legacy/m?s=1", "/s3cr3t%20key/m?s=1"), ("/{key}/sse", "m", "/mcp/legacy/m", "/s3cr3t%20key/m"),
        ("/a/{key}/b/sse", "/a/s3cr3t%20key/m", "/mcp/legacy/m", "/a/s3cr3t%20key/m"), ("/{key}/sse", "/messages", "/mcp/legacy/~/messages", "/messages"),
        ("/sse/{key}", "/messages?x", "/mcp/legacy/messages?x", "/messages?x"), ("/sse/{key}", "messages", "/mcp/legacy/sse/messages", "/sse/messages"),
        ("/{key}/sse", "/%733cr3t%20key/m", "/mcp/legacy/m", "/s3cr3t%20key/m"),
    ])
    func `a path's secret is elided here and put back there`(_ url: String, _ reference: String, _ here: String, _ there: String) throws {
        let instance = try Sample.instance(Sample.server("legacy", url: url, transport: .sse, injector: .path))
        let credential = try RenderedCredential.render(Sample.values(["key": "s3cr3t key"]), for: instance.server)
        #expect(try Self.rewritten(reference, instance, credential) == here)
        #expect(try Self.reached(here, instance, credential) == there)
    }

    @Test(arguments: ["/other/s3cr3t%20key/m", "/s3cr3t%20key/", "/m?k=s3cr3t%20key", "/m?k=s3cr3t+key", "/m?k=czNjcjN0IGtleQ==", "/m?k=czNjcjN0IGtleQ%3D%3D"])
    func `an address that would show the secret breaks the stream`(_ reference: String) throws {
        let instance = try Sample.instance(Sample.server("legacy", url: "/{key}/sse", transport: .sse, injector: .path))
        let credential = try RenderedCredential.render(Sample.values(["key": "s3cr3t key"]), for: instance.server)
        #expect(throws: Refusal.self) { try Self.rewritten(reference, instance, credential) }
    }

    @Test func `injected pairs are taken out here and added there, the URL's own are not`() throws {
        let instance = try Sample.instance(Sample.server("legacy", url: "/sse?own=1", transport: .sse, injector: Self.query))
        let credential = try RenderedCredential.render(Sample.values(["key": "s3cr3t"]), for: instance.server)
        let here = try Self.rewritten("/m?api_key=s3cr3t&session=1", instance, credential)
        #expect(here == "/mcp/legacy/m?session=1")
        #expect(try Self.reached(here, instance, credential) == "/m?api_key=s3cr3t&session=1")
        #expect(try Self.reached(here + "&api%5fkey=evil", instance, credential) == "/m?api_key=s3cr3t&session=1")
    }

    @Test func `whatever an endpoint event says, the rewritten address is admitted and leads back`() throws {
        let instance = try Sample.instance(Sample.server("legacy", url: "/v1/sse", transport: .sse))
        var random = SeededRandom(seed: 19)
        var accepted = 0
        for _ in 0..<600 {
            var bytes = Array("https://up.example.com/~/a.b/../m%20s/;x?session=1&b[]=2".utf8.dropFirst(Int.random(in: 0...30, using: &random)))
            random.mutate(&bytes)
            let reference = String(decoding: bytes, as: UTF8.self)
            guard let here = try? Self.rewritten(reference, instance) else { continue }
            accepted += 1
            #expect(here.hasPrefix("/mcp/legacy/"))
            let outcome = try AdmitTests.ask(["POST \(here) HTTP/1.1", AdmitTests.host, AdmitTests.key, AdmitTests.user]).text
            #expect(outcome.hasPrefix("legacy/"), "\(reference) -> \(here): \(outcome)")
            // Told the address that the POST reached, the client would be told the same again.
            #expect(try Self.rewritten(Self.reached(here, instance), instance) == here)
        }
        #expect(accepted > 50)
    }
}
