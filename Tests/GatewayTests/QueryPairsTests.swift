// Which of a client's pairs go through.

@testable import Gateway
import HTTP1
import Kernel
import Testing

@Suite struct QueryPairsTests {
    static func kept(_ query: String, except names: [String], after: String = "") -> String {
        let buffer = ByteBuffer(capacity: 16)
        QueryPairs.append(
            Array(query.utf8).span.raw, except: names.map { Array($0.utf8) }, hasQuery: after == "&", hasMark: after != "", to: buffer)
        return String(decoding: buffer.bytes.copied(), as: UTF8.self)
    }

    @Test(arguments: [
        "api_key=x", "api_key", "api_key=", "api%5fkey=x", "api%5Fkey=x", "%61%70%69_key=x", "api_key[]=x", "api_key%5b%5d=x", "api_key[a]=x",
        "api_key%00=x", "api_key%00y=x", "+api_key=x", "%20api_key=x", "api_key%5B=x",
    ])
    func `every spelling of an own name is dropped`(_ pair: String) {
        #expect(Self.kept(pair, except: ["api_key"]) == "")
        for separator in ["&", ";"] {
            #expect(Self.kept("a=1\(separator)\(pair)", except: ["api_key"]) == "?a=1")
            #expect(Self.kept("\(pair)\(separator)b=2", except: ["api_key"]) == "?b=2")
            #expect(Self.kept("a=1\(separator)\(pair)\(separator)b=2", except: ["api_key"]) == "?a=1&b=2")
            #expect(Self.kept("\(pair)\(separator)\(pair)", except: ["api_key"], after: "&") == "")
        }
    }

    @Test(arguments: ["api-key=1", "api_key2=1", "xapi_key=1", "API_KEY=1", "a=api_key", "a=1&b=2", "a=1;b=2", "a&&b", "a=%zz", "a=%", "%", "&", "a=b=c", "[=1", "api%255fkey=1"])
    func `every other pair is kept byte for byte`(_ query: String) {
        #expect(Self.kept(query, except: ["api_key"]) == "?\(query)")
        #expect(Self.kept(query, except: []) == "?\(query)")
    }

    @Test func `the first kept pair gets the separator that is due`() {
        #expect(Self.kept("a=1", except: ["k"], after: "&") == "&a=1")
        #expect(Self.kept("a=1", except: ["k"], after: "?") == "a=1")
        #expect(Self.kept("", except: ["k"]) == "")
        #expect(Self.kept("", except: []) == "")
    }

    @Test func `no pair that goes through has an own name in any reading`() {
        var random = SeededRandom(seed: 77)
        for _ in 0..<3000 {
            var bytes = Array("a=1&api%5fkey=2;b[]=3&api_key[x]=4&+k=5&c%20d=6&k".utf8)
            random.mutate(&bytes)
            let text = Self.kept(String(decoding: bytes.filter { $0 > 0x20 && $0 < 0x7f }, as: UTF8.self), except: ["api_key", "k"])
            let names = QueryPairs.names(of: Array(text.utf8.dropFirst()).span.raw).map { String(decoding: $0, as: UTF8.self) }
            #expect(!names.contains("api_key") && !names.contains("k"), "\(text)")
        }
    }
}
