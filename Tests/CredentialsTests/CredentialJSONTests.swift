// CredentialJSON: what AWS's own tools would store is read, what is written is read back, and everything else is refused.

import Credentials
import Gateway
import Kernel
import Testing

@Suite struct CredentialJSONTests {
    private func read(_ text: String) throws -> [String: String] {
        let fields = try CredentialJSON.read(text.utf8Span.span.raw)
        return Dictionary(uniqueKeysWithValues: fields.map { ($0.key.text, $0.value.text) })
    }

    @Test(arguments: [
        ("{}", [:]),
        (" { \"token\" : \"abc\" , \"account\":\"7\" }\n", ["token": "abc", "account": "7"]),
        (#"{"a":"\"\\\/\b\f\n\r\t"}"#, ["a": "\"\\/\u{8}\u{c}\n\r\t"]),
        (#"{"a":"\u0041\u00e9\u20AC\ud83d\ude00"}"#, ["a": "Aé€😀"]),
        ("{\"a\":\"é😀\"}", ["a": "é😀"]),
        (#"{"a":""}"#, ["a": ""]),
    ]) func `a flat object of strings is read`(text: String, expected: [String: String]) throws {
        #expect(try read(text) == expected)
    }

    @Test(arguments: [
        "", "{", "}", "null", "[]", "\"a\"", "{\"a\"}", "{\"a\":}", "{\"a\":1}", "{\"a\":null}", "{\"a\":{\"b\":\"c\"}}", "{\"a\":[\"b\"]}",
        "{\"a\":\"b\",}", "{,\"a\":\"b\"}", "{\"a\":\"b\" \"c\":\"d\"}", "{\"a\":\"b\"}x", "{\"a\":\"b\"}{}", "{\"a\":\"b", "{\"a\":\"b\\\"}",
        "{\"a\":\"b\",\"a\":\"c\"}", "{\"A\":\"b\"}", "{\"\":\"b\"}", "{\"\\u0041\":\"b\"}", "{a:\"b\"}", "{'a':'b'}",
        "{\"a\":\"\u{1}\"}", "{\"a\":\"\n\"}", "{\"a\":\"\\x41\"}", "{\"a\":\"\\u12\"}", "{\"a\":\"\\u12g4\"}", "{\"a\":\"\\ud83d\"}",
        "{\"a\":\"\\ud83dx\"}", "{\"a\":\"\\ud83d\\n\"}", "{\"a\":\"\\ud83d\\u0041\"}", "{\"a\":\"\\ude00\"}", "{\"a-b\":\"c\"}",
        "{\"abcdefghijklmnopqrstuvwxyzabcdefg\":\"c\"}", "\u{feff}{\"a\":\"b\"}",
    ]) func `anything else is refused`(text: String) {
        #expect(throws: CredentialJSON.Malformed.self) { try read(text) }
    }

    @Test func `what is written is read back, whatever the bytes`() throws {
        var bytes: [UInt8] = (0...255).map { UInt8($0) }
        bytes += bytes.reversed()
        let name = try #require(FieldName("token"))
        let other = try #require(FieldName("account"))
        let written = CredentialJSON.write([name: Secret(copying: bytes.span.raw), other: Secret("x")])
        let back = try CredentialJSON.read(written.bytes)
        #expect(back[name]?.octets == bytes)
        #expect(back[other]?.text == "x")
        #expect(back.count == 2)
        #expect(written.octets.starts(with: Array("{\"account\":\"x\",\"token\":\"\\u0000".utf8)))
    }

    @Test func `a value cut off anywhere is refused`() {
        let whole = Array(#"{"token":"a\u00e9\n","account":"b"}"#.utf8)
        for end in 0..<whole.count {
            #expect(throws: CredentialJSON.Malformed.self) { try CredentialJSON.read(Array(whole[..<end]).span.raw) }
        }
    }
}
