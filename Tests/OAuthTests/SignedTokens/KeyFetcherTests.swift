// Where an issuer's keys may be read from, and where its metadata cannot lead.

import Foundation
import Gateway
import Kernel
@testable import OAuth
import Outbound
import Synchronization
import Testing

/// Answers by URL, and remembers what it was asked for.
private final class Web: HTTPClient {
    let pages: Mutex<[String: (status: Int, body: String, fields: [(name: String, value: String)])]>
    let asked = Mutex<[String]>([])

    init(_ pages: [String: String]) {
        self.pages = Mutex(pages.mapValues { (200, $0, []) })
    }

    func send(_ request: OutboundRequest) async throws(OutboundFault) -> OutboundResponse {
        asked.withLock { $0.append(request.url) }
        let (status, body, fields) = pages.withLock { $0[request.url] } ?? (404, "", [])
        return OutboundResponse(status: status, fields: fields, body: Secret(copying: Array(body.utf8).span.raw))
    }
}

@Suite struct KeyFetcherTests {
    private static let names = [
        "login.example": "93.184.216.34", "keys.example": "93.184.216.35", "inside.example": "10.1.2.3", "metadata.example": "169.254.169.254", "127.0.0.1": "127.0.0.1",
    ]

    private func fetcher(_ web: Web, allowed: [String] = []) -> KeyFetcher {
        KeyFetcher(
            client: web,
            resolve: { (host, port) throws(ResolveFault) in
                guard let address = KeyFetcherTests.names[host].flatMap({ SocketAddress(numeric: $0, port: port) }) else { throw .unknownName }
                return [address]
            }, allowed: { allowed.compactMap { IPNetwork($0) } })
    }

    private func metadata(_ issuer: String, keys: String) -> String { "{\"issuer\":\"\(issuer)\",\"jwks_uri\":\"\(keys)\"}" }

    /// How many keys were had, or why none.
    private func keys(_ place: KeyPlace, _ fetcher: KeyFetcher) async -> String {
        do throws(NoKeys) { return "\(try await fetcher.keys(at: place).keys.count)" } catch { return error.description }
    }

    @Test func `the issuer's metadata leads to public addresses, to the issuer itself, and to what the operator allows`() async throws {
        let document = String(decoding: try Mint.document([try await Mint.es256()]), as: UTF8.self)
        let place = KeyPlace(issuer: "https://login.example")
        let known = "https://login.example/.well-known/oauth-authorization-server"
        for (uri, allowed, answer) in [
            ("https://keys.example/keys", [], "1"), ("https://login.example/keys", [], "1"), ("https://inside.example/keys", [], "no public address"),
            ("https://inside.example/keys", ["10.0.0.0/8"], "1"), ("https://metadata.example/keys", [], "no public address"), ("http://127.0.0.1/keys", [], "no usable jwks_uri"),
            ("file:///etc/passwd", [], "no usable jwks_uri"), ("https://keys.example/none", [], "is not there"),
        ] as [(String, [String], String)] {
            let web = Web([known: metadata("https://login.example", keys: uri), uri.replacing("/none", with: "/keys"): document])
            let said = await keys(place, fetcher(web, allowed: allowed))
            #expect(said.contains(answer), "\(uri): \(said)")
            #expect(answer == "1" || !web.asked.withLock { $0 }.contains { $0.contains("inside") || $0.contains("metadata.example") || $0.contains("127.0.0.1") })
        }
    }

    @Test func `what the operator names may be anywhere, and names itself rightly`() async throws {
        let document = String(decoding: try Mint.document([try await Mint.es256()]), as: UTF8.self)
        let inside = "https://inside.example"
        let web = Web([
            "\(inside)/keys": document, "\(inside)/.well-known/oauth-authorization-server": metadata(inside, keys: "\(inside)/keys"),
            "https://login.example/.well-known/oauth-authorization-server": metadata("https://evil.example", keys: "https://keys.example/keys"),
            "https://keys.example/keys": "<html>",
        ])
        #expect(await keys(KeyPlace(issuer: "https://login.example", keys: .url("\(inside)/keys")), fetcher(web)) == "1")
        #expect(await keys(KeyPlace(issuer: inside), fetcher(web)) == "1")
        #expect(await keys(KeyPlace(issuer: "https://login.example"), fetcher(web)).contains("names another issuer"))
        #expect(await keys(KeyPlace(issuer: "https://login.example", keys: .url("https://keys.example/keys")), fetcher(web)).contains("is no JSON Web Key Set"))
    }

    @Test func `a redirect is another place, held to the same; an answer that passes is told from one that stays`() async throws {
        let web = Web([:])
        web.pages.withLock { pages in
            pages["https://keys.example/keys"] = (302, "", [("location", "https://metadata.example/keys")])
            pages["https://keys.example/down"] = (503, "", [])
        }
        #expect(await keys(KeyPlace(issuer: "https://login.example", keys: .url("https://keys.example/keys")), fetcher(web)).contains("no public address"))
        #expect(web.asked.withLock { $0 } == ["https://keys.example/keys"])
        for (path, isLasting) in [("down", false), ("none", true)] {
            do throws(NoKeys) { _ = try await fetcher(web).keys(at: KeyPlace(issuer: "https://login.example", keys: .url("https://keys.example/\(path)"))) } catch {
                #expect(error.isLasting == isLasting)
            }
        }
    }

    @Test func `a file is a regular one, through links too, of 256 KiB at most`() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "claviger-keys-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        func path(_ name: String) -> String { directory.appending(path: name).path }
        try Data(Mint.document([try await Mint.es256()])).write(to: directory.appending(path: "good"))
        try Data(repeating: 0x20, count: 300 << 10).write(to: directory.appending(path: "large"))
        try FileManager.default.createSymbolicLink(atPath: path("link"), withDestinationPath: path("good"))
        let fetcher = fetcher(Web([:]))
        for (name, answer) in [("good", "1"), ("link", "1"), ("large", "256 KiB"), ("none", "cannot be read"), ("", "cannot be read")] {
            #expect(await keys(KeyPlace(issuer: "https://login.example", keys: .file(path(name))), fetcher).contains(answer), "\(name)")
        }
        #expect(await keys(KeyPlace(issuer: "https://login.example", keys: .file("/dev/zero")), fetcher).contains("cannot be read"))
    }
}
