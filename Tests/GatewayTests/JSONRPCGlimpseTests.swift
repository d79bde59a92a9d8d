// What a refusal learns from a body, whatever the body is.

import Gateway
import Kernel
import Testing

@Suite struct JSONRPCGlimpseTests {
    static let asking = #"{"_meta":{"io.modelcontextprotocol/clientCapabilities":{"elicitation":{"url":{}}}}}"#

    static func read(_ text: String) -> JSONRPCGlimpse { .read(Array(text.utf8).span.raw) }

    static func one(_ id: String, asks: Bool = false) -> JSONRPCGlimpse {
        .calls([.init(id: Array(id.utf8), mayAskForInput: asks)], isBatch: false)
    }

    @Test(arguments: [
        (#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, "1"),
        (#" { "id" : -1.5e+3 , "method" : "x" , "params" : [ 1 , { } ] , "jsonrpc" : "2.0" } "#, "-1.5e+3"),
        (#"{"jsonrpc":"2.0","id":"","method":"x"}"#, #""""#),
        (#"{"jsonrpc":"2.0","id":"a\"\u00e9\ud83d\ude00é","method":"x"}"#, #""a\"\u00e9\ud83d\ude00é""#),
        (#"{"json\u0072pc":"\u0032.0","\u0069d":7,"method":"x","else":{"id":8,"jsonrpc":[]}}"#, "7"),
    ])
    func `a request's id is its token as it was sent`(_ text: String, _ id: String) {
        #expect(Self.read(text) == Self.one(id))
    }

    @Test(arguments: ["tools/call", "prompts/get", "resources/read", "tools/list", "tools/callx", "initialize"])
    func `input may be asked for with three methods only`(_ method: String) {
        let text = #"{"jsonrpc":"2.0","id":1,"params":\#(Self.asking),"method":"\#(method)"}"#
        #expect(Self.read(text) == Self.one("1", asks: ["tools/call", "prompts/get", "resources/read"].contains(method)))
    }

    @Test(arguments: [
        (#"{"_meta":{"io.modelcontextprotocol/clientCapabilities":{"elicitation":{"form":{},"url":{"x":1}},"roots":{}},"a":1},"name":"t"}"#, true),
        (#"{"name":"t","_meta":{"io.modelcontextprotocol\/clientCapabilities":{"roots":{},"elicitation":{"url":{}}}}}"#, true),
        (#"{"_meta":{"io.modelcontextprotocol/clientCapabilities":{"elicitation":{}}}}"#, false),
        (#"{"_meta":{"io.modelcontextprotocol/clientCapabilities":{"elicitation":{"form":{}}}}}"#, false),
        (#"{"_meta":{"io.modelcontextprotocol/clientCapabilities":{"elicitation":{"url":null}}}}"#, false),
        (#"{"_meta":{"io.modelcontextprotocol/clientCapabilities":{"elicitation":{"form":{"url":{}}}}}}"#, false),
        (#"{"_meta":{"io.modelcontextprotocol/clientCapabilities":{},"elicitation":{"url":{}}}}"#, false),
        (#"{"_meta":[{"io.modelcontextprotocol/clientCapabilities":{"elicitation":{"url":{}}}}]}"#, false),
        (#"{"arguments":{"_meta":{"io.modelcontextprotocol/clientCapabilities":{"elicitation":{"url":{}}}}}}"#, false),
        (#"{"_meta":null}"#, false), ("null", false), ("[]", false), ("{}", false),
    ])
    func `URL elicitation is declared in the request's own _meta and nowhere else`(_ params: String, _ asks: Bool) {
        let text = #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":\#(params)}"#
        #expect(Self.read(text) == Self.one("1", asks: asks))
    }

    @Test func `a batch names each of its requests and leaves out what needs no answer`() {
        let text = """
            [{"jsonrpc":"2.0","method":"notifications/x"},{"jsonrpc":"2.0","id":"a","method":"x"},{"jsonrpc":"2.0","id":3,"result":{}},
             {"jsonrpc":"2.0","id":4,"method":"tools/call","params":\(Self.asking)}]
            """
        #expect(Self.read(text) == .calls([.init(id: Array(#""a""#.utf8), mayAskForInput: false), .init(id: [0x34], mayAskForInput: true)], isBatch: true))
    }

    @Test(arguments: [
        #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{}}"#, #"{"jsonrpc":"2.0","id":1,"result":{}}"#,
        #"{"jsonrpc":"2.0","id":null,"error":{}}"#, #"{"jsonrpc":"2.0","id":null,"method":"x"}"#, #"[{"jsonrpc":"2.0","method":"x"}]"#,
    ])
    func `a notification or a response waits for no answer`(_ text: String) {
        #expect(Self.read(text) == .nothingToAnswer)
    }

    @Test(arguments: [
        "", " ", "{", "}", "[]", "[", "null", "1", #""x""#, "{}", #"{"jsonrpc":"2.0"}"#, "[[]]", "[1]",
        #"{"id":1,"method":"x"}"#, #"{"jsonrpc":"1.0","id":1,"method":"x"}"#, #"{"jsonrpc":2.0,"id":1,"method":"x"}"#,
        #"{"jsonrpc":"2.0","id":1,"id":1,"method":"x"}"#, #"{"jsonrpc":"2.0","id":1,"\u0069d":2,"method":"x"}"#,
        #"{"jsonrpc":"2.0","id":1,"method":"x","method":"y"}"#, #"{"jsonrpc":"2.0","id":1,"method":1}"#,
        #"{"jsonrpc":"2.0","id":true,"method":"x"}"#, #"{"jsonrpc":"2.0","id":[1],"method":"x"}"#, #"{"jsonrpc":"2.0","id":{},"method":"x"}"#,
        #"{"jsonrpc":"2.0","id":01,"method":"x"}"#, #"{"jsonrpc":"2.0","id":+1,"method":"x"}"#, #"{"jsonrpc":"2.0","id":1.,"method":"x"}"#,
        #"{"jsonrpc":"2.0","id":.5,"method":"x"}"#, #"{"jsonrpc":"2.0","id":1e,"method":"x"}"#, #"{"jsonrpc":"2.0","id":-,"method":"x"}"#,
        #"{"jsonrpc":"2.0","id":NaN,"method":"x"}"#, #"{"jsonrpc":"2.0","id":0x1,"method":"x"}"#, #"{"jsonrpc":"2.0","id":1,"method":"x",}"#,
        #"{"jsonrpc":"2.0","id":1,"method":"x"}}"#, #"{"jsonrpc":"2.0","id":1,"method":"x"} x"#, #"{"jsonrpc":"2.0","id":1 "method":"x"}"#,
        #"{"jsonrpc":"2.0","id":1,"method":"x","params":[1,]}"#, #"{"jsonrpc":"2.0","id":1,"method":"x","params":{"a"}}"#,
        #"{"jsonrpc":"2.0","id":1,"method":"x","params":tru}"#, #"{"jsonrpc":"2.0","id":1,"method":"x","params":[}"#,
        #"{'jsonrpc':'2.0','id':1,'method':'x'}"#, "{\"jsonrpc\":\"2.0\",\"id\":\"a\nb\",\"method\":\"x\"}",
        #"{"jsonrpc":"2.0","id":"\x","method":"x"}"#, #"{"jsonrpc":"2.0","id":"\ud800","method":"x"}"#, #"{"jsonrpc":"2.0","id":"\udc00\ud800","method":"x"}"#,
        #"{"jsonrpc":"2.0","id":"\u12","method":"x"}"#, "\u{feff}{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\"}",
        #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{},"_meta":{}}}"#, #"[{"jsonrpc":"2.0","id":1,"method":"x"},]"#,
        #"[{"jsonrpc":"2.0","id":1,"method":"x"},2]"#,
    ])
    func `what is not one reading of JSON-RPC is unreadable`(_ text: String) {
        #expect(Self.read(text) == .unreadable)
    }

    @Test(arguments: [[0xff], [0xc0, 0xaf], [0xc1, 0xbf], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80], [0xf0, 0x80, 0x80, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xc3], [0xe2, 0x82], [0x80]] as [[UInt8]])
    func `an id of invalid UTF-8 is not repeated`(_ bytes: [UInt8]) {
        let body = Array(#"{"jsonrpc":"2.0","method":"x","id":""#.utf8) + bytes + Array(#""}"#.utf8)
        #expect(JSONRPCGlimpse.read(body.span.raw) == .unreadable)
    }

    @Test func `ids are repeated up to 128 bytes, bodies read up to 64 KiB, values up to 64 deep, batches up to 64 requests`() {
        func id(_ text: String) -> JSONRPCGlimpse { Self.read(#"{"jsonrpc":"2.0","method":"x","id":\#(text)}"#) }
        let longest = "\"" + String(repeating: "a", count: 128) + "\""
        #expect(id(longest) == Self.one(longest))
        #expect(id("\"" + String(repeating: "a", count: 129) + "\"") == .unreadable)
        #expect(id(String(repeating: "1", count: 128)) == Self.one(String(repeating: "1", count: 128)))
        #expect(id(String(repeating: "1", count: 129)) == .unreadable)
        let request = #"{"jsonrpc":"2.0","id":1,"method":"x"}"#
        #expect(Self.read(request + String(repeating: " ", count: (64 << 10) - request.utf8.count)) == Self.one("1"))
        #expect(Self.read(request + String(repeating: " ", count: (64 << 10) + 1 - request.utf8.count)) == .unreadable)
        func nested(_ depth: Int, _ open: String, _ close: String) -> JSONRPCGlimpse {
            Self.read(#"{"jsonrpc":"2.0","id":1,"method":"x","else":\#(String(repeating: open, count: depth))1\#(String(repeating: close, count: depth))}"#)
        }
        #expect(nested(64, "[", "]") == Self.one("1"))
        #expect(nested(64, #"{"a":"#, "}") == Self.one("1"))
        #expect(nested(32, #"[{"a":"#, "}]") == Self.one("1"))
        #expect(nested(65, "[", "]") == .unreadable)
        #expect(nested(8000, "[", "]") == .unreadable)
        func batch(_ count: Int) -> JSONRPCGlimpse { Self.read("[" + Array(repeating: request, count: count).joined(separator: ",") + "]") }
        guard case .calls(let calls, true) = batch(64) else { Issue.record("a batch of 64 is answered"); return }
        #expect(calls.count == 64)
        #expect(batch(65) == .unreadable)
    }

    @Test func `a body cut short anywhere is unreadable`() {
        let body = Array(#"[{"jsonrpc":"2.0","id":"a\u00e9é","method":"tools/call","params":{"_meta":{"io.modelcontextprotocol/clientCapabilities":{"elicitation":{"url":{}}}},"a":[1.5e-3,true,null,{}]}}]"#.utf8)
        #expect(JSONRPCGlimpse.read(body.span.raw) == .calls([.init(id: Array(#""a\u00e9é""#.utf8), mayAskForInput: true)], isBatch: true))
        for end in 0..<body.count {
            #expect(JSONRPCGlimpse.read(body.span.raw.extracting(first: end)) == .unreadable, "cut at \(end)")
        }
    }

    @Test func `whatever the bytes are, an id that is repeated is one JSON token`() {
        var random = SeededRandom(seed: 0x6a73_6f6e)
        let seed = Array(#"[{"jsonrpc":"2.0","id":"a\u00e9\ud83d\ude00é","method":"tools/call","params":{"_meta":{"x":{}},"a":[1.5e-3,true]}},{"jsonrpc":"2.0","id":-1e5,"method":"x"}]"#.utf8)
        for _ in 0..<20_000 {
            var body = seed
            random.mutate(&body)
            guard case .calls(let calls, _) = JSONRPCGlimpse.read(body.span.raw) else { continue }
            for call in calls {
                #expect(call.id.count <= 130 && !call.id.isEmpty)
                let wrapped = Array(#"{"jsonrpc":"2.0","method":"x","id":"#.utf8) + call.id + [UInt8(ascii: "}")]
                #expect(JSONRPCGlimpse.read(wrapped.span.raw) == .calls([.init(id: call.id, mayAskForInput: false)], isBatch: false))
            }
        }
    }
}
