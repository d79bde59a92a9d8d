// What a request's headers say it asks for, and what of it is kept.

import HTTP1
import Kernel
import Testing

@testable import Gateway

@Suite struct OperationTests {
    let memo = OperationMemo(most: 4)

    func operation(_ lines: String...) throws -> Operation? {
        let text = "POST /mcp/crm HTTP/1.1\r\nHost: h\r\n" + lines.map { "\($0)\r\n" }.joined() + "\r\n"
        let buffer = ByteBuffer(Array(text.utf8))
        var head = RequestHead()
        var scan = HeadScan()
        let isComplete = try head.parse(buffer.bytes, scan: &scan, limits: HeadLimits(line: 8192, head: 32_768, fields: 100))
        #expect(isComplete)
        return memo.operation(of: head, buffer.bytes)
    }

    @Test func `a tool's call has method and tool, the same each time`() throws {
        let lines = ("MCP-Protocol-Version: 2026-07-28", "Mcp-Method: tools/call", "Mcp-Name: search")
        let first = try #require(try operation(lines.0, lines.1, lines.2))
        #expect(first.method == "tools/call" && first.name == "search")
        #expect(try operation(lines.0, lines.1, lines.2) === first)
        #expect(try operation(lines.0, lines.1, "Mcp-Name: other")?.name == "other")
    }

    @Test(arguments: [
        ("2026-07-28", "prompts/get", "greet", "greet"), ("2027-01-01", "tools/call", "=?base64?w7xiZXI=?=", "über"),
        ("2026-07-28", "tools/call", "=?base64?!!?=", nil), ("2026-07-28", "tools/call", "=?base64?/w==?=", nil),
        ("2026-07-28", "resources/read", "https://example.com/?token=x", nil), ("2026-07-28", "tools/list", "", nil),
        ("2026-07-28", "tools/call", String(repeating: "x", count: 129), nil),
    ] as [(String, String, String, String?)])
    func `a name is kept where it is one`(version: String, method: String, name: String, kept: String?) throws {
        let found = try #require(try operation("MCP-Protocol-Version: \(version)", "Mcp-Method: \(method)", "Mcp-Name: \(name)"))
        #expect(found.method == method && found.name == kept)
    }

    @Test func `older clients' headers say nothing, nor do doubled ones and those without an end`() throws {
        #expect(try operation("MCP-Protocol-Version: 2025-11-25", "Mcp-Method: tools/call") == nil)
        #expect(try operation("Mcp-Method: tools/call") == nil)
        #expect(try operation("MCP-Protocol-Version: 2026-07-28", "Mcp-Method: a", "Mcp-Method: b") == nil)
        #expect(try operation("MCP-Protocol-Version: 2026-07-28", "Mcp-Method: \(String(repeating: "x", count: 65))") == nil)
        let twice = try operation("MCP-Protocol-Version: 2026-07-28", "Mcp-Method: tools/call", "Mcp-Name: a", "Mcp-Name: b")
        #expect(twice?.method == "tools/call" && twice?.name == nil)
    }

    @Test func `any number of names may come`() throws {
        for number in 0..<100 {
            #expect(try operation("MCP-Protocol-Version: 2026-07-28", "Mcp-Method: tools/call", "Mcp-Name: tool\(number)")?.name == "tool\(number)")
        }
    }
}
