// A request's head that is sound: what is read out of it.

internal import HTTP1
internal import Testing

@Suite struct `Request head` {
    @Test func `a POST as an agent sends it`() throws {
        let text = "POST /mcp/crm?a=b?c HTTP/1.1\r\nHost: gateway:8080\r\nX-API-Key:  ck_a.b \r\nx_api_key: no\r\nContent-Length: 12\r\nConnection: x-a, keep-alive\r\n\r\n{}"
        guard case .read(let head) = readRequest(bytes(text)) else { Issue.record("not read"); return }
        #expect(head.method == .post)
        #expect(head.path == "/mcp/crm")
        #expect(head.query == "a=b?c")
        #expect(head.host == "gateway:8080")
        #expect(head.body == .exactly(12))
        #expect(head.length == text.utf8.count - 2)
        #expect(head.fields.map(\.id) == [.host, .apiKey, .apiKey, .contentLength, .connection])
        #expect(head.fields.map(\.hasUnderscore) == [false, false, true, false, false])
        #expect(head.nominated == ["x-a"])
        #expect(head.keepAlive)
    }

    @Test func `chunked body`() {
        #expect(readBody(bytes("5\r\nhello\r\n0\r\n\r\nrest")) == .read(ReadBody(payload: bytes("hello"), length: 15)))
    }
}
