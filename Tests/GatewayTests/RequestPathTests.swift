// Paths that mean the same to everyone, and those that do not.

@testable import Gateway
import HTTP1
import Kernel
import Testing

@Suite struct RequestPathTests {
    static func isUnambiguous(_ path: String) -> Bool { RequestPath.isUnambiguous(Array(path.utf8).span.raw) }

    static func route(_ path: String) -> Route { Route(Array(path.utf8).span.raw, at: 0) }

    @Test(arguments: [
        "/", "/mcp/docs", "/mcp/docs/", "/mcp/a.b", "/mcp/..a", "/mcp/a..", "/mcp/...", "/a;b", "/a;..", "/%41", "/a%20b", "/a%25b", "/%252e%252e",
        "//", "/mcp//x", "/~:@!$&'()*+,;=-._", "/%c3%a9", "/%e2%82%ac", "/%f0%9f%98%80", "/.well-known/x",
    ])
    func `an unambiguous path is let pass`(_ path: String) {
        #expect(Self.isUnambiguous(path))
    }

    @Test(arguments: [
        "", "mcp", "/.", "/..", "/./", "/../", "/mcp/../x", "/mcp/.", "/mcp/..", "/mcp/./x", "/%2e", "/%2E%2e", "/.%2e", "/%2e./x", "/..;", "/..;/x",
        "/.;a/x", "/..%3b/x", "/%2e%2e;x", "/a%2fb", "/a%2Fb", "/%2f..", "/a%5cb", "/a\\b", "/..\\x", "/%00", "/a%00b", "/a\0b", "/a%0d%0ab", "/a%0ab",
        "/a%7fb", "/a\u{7f}b", "/a%1fb", "/%", "/%2", "/%zz", "/%2g", "/a b", "/a\tb", "/é", "/%c0%ae%c0%ae", "/%C0%AF", "/%c1%9c", "/%e0%80%ae",
        "/%f0%80%80%ae", "/a#b", "/a?b", "/a\"b", "/<a>", "/a|b", "/a^b", "/a`b", "/{a}", "/[a]",
    ])
    func `a path with a second reading is refused`(_ path: String) {
        #expect(!Self.isUnambiguous(path))
    }

    @Test func `an accepted path has no dot segment and no new segment once decoded`() {
        var random = SeededRandom(seed: 5)
        for _ in 0..<5000 {
            var bytes = Array("/mcp/le.gacy/%2emess;a%41ges/..x/%5f".utf8)
            random.mutate(&bytes)
            guard RequestPath.isUnambiguous(bytes.span.raw) else { continue }
            var decoded: [UInt8] = []
            var at = 0
            while at < bytes.count { decoded.append(bytes.span.raw.decodedByte(at: &at)) }
            #expect(decoded.count { $0 == UInt8(ascii: "/") } == RequestPath.segmentCount(bytes.span.raw))
            #expect(!decoded.contains { $0 < 0x20 || $0 == 0x7f || $0 == UInt8(ascii: "\\") })
            for segment in decoded.split(separator: UInt8(ascii: "/")) {
                let name = Array(segment.prefix { $0 != UInt8(ascii: ";") })
                #expect(name != Array(".".utf8) && name != Array("..".utf8))
            }
        }
    }

    @Test(arguments: [
        ("/mcp/docs", "docs", nil), ("/mcp/docs/", "docs", nil), ("/mcp/docs/a", "docs", "a"), ("/mcp/docs/a/b/", "docs", "a/b/"),
        ("/mcp/docs//", "docs", "/"), ("/mcp/testevil", "testevil", nil),
    ] as [(String, String, String?)])
    func `a server's path is taken apart at whole segments`(_ path: String, _ name: String, _ suffix: String?) throws {
        let bytes = Array("GET \(path)".utf8)
        guard case .server(let nameRange, let suffixRange) = Route(bytes.span.raw.extracting(4..<bytes.count), at: 4) else {
            Issue.record("no server's path: \(path)")
            return
        }
        #expect(String(decoding: bytes.span.raw[nameRange].copied(), as: UTF8.self) == name)
        #expect(suffixRange.map { String(decoding: bytes.span.raw[$0].copied(), as: UTF8.self) } == suffix)
    }

    @Test(arguments: ["/", "", "*", "/mcp", "/mcp/", "/mcp//", "/mcp//docs", "//mcp/docs", "/MCP/docs", "/%6dcp/docs", "/mcpx/docs", "/connect", "/connectx/", "/.well-known/oauth-client", "/.well-known/x"])
    func `other paths lead nowhere`(_ path: String) {
        #expect(Self.route(path) == .nothing)
    }

    @Test(arguments: ["/connect/", "/connect/acme/docs", "/.well-known/oauth-client/docs.json"])
    func `the portal's paths lead there`(_ path: String) {
        #expect(Self.route(path) == .portal)
    }
}
