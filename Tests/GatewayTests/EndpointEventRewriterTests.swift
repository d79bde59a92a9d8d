// The endpoint event is rewritten however its stream is written and cut.

import Gateway
import HTTP1
import Kernel
import Testing

@Suite struct EndpointEventRewriterTests {
    /// What goes in, in pieces; what came out, or the refusal. The reference becomes `<it>`.
    static func pass(_ pieces: [[UInt8]]) throws(Refusal) -> (text: String, isDone: Bool) {
        var rewriter = EndpointEventRewriter()
        let out = ByteBuffer(capacity: 16)
        for piece in pieces {
            try rewriter.read(piece.span.raw, into: out) { (reference: RawSpan) throws(Refusal) -> [UInt8] in
                [UInt8(ascii: "<")] + reference.copied() + [UInt8(ascii: ">")]
            }
        }
        return (String(decoding: out.bytes.copied(), as: UTF8.self), rewriter.isDone)
    }

    static let cases: [(stream: String, expected: String)] = [
        ("event: endpoint\ndata: /m?s=1\n\n", "event: endpoint\ndata: </m?s=1>\n\n"),
        ("event: endpoint\r\ndata: /m?s=1\r\n\r\nevent: message\r\ndata: {}\r\n\r\n", "event: endpoint\r\ndata: </m?s=1>\r\n\r\nevent: message\r\ndata: {}\r\n\r\n"),
        ("event: endpoint\rdata: /m?s=1\r\rdata: x\r\r", "event: endpoint\rdata: </m?s=1>\r\rdata: x\r\r"),
        ("event: endpoint\rdata: /m\r\n\ndata: x\n\n", "event: endpoint\rdata: </m>\r\n\ndata: x\n\n"),
        ("\u{feff}event:endpoint\ndata:/m\n\n", "\u{feff}event:endpoint\ndata: </m>\n\n"),
        ("\u{feff}data:/m\nevent:endpoint\n\n", "\u{feff}data: </m>\nevent:endpoint\n\n"),
        (": hello\n\n\n: again\nid: 7\nretry: 10\ndata: /m\nevent: endpoint\n: end\n\n", ": hello\n\n\n: again\nid: 7\nretry: 10\ndata: </m>\nevent: endpoint\n: end\n\n"),
        ("data: one\ndata: two\n\nevent: message\ndata: /no\n\nevent: endpoint\ndata: /m\n\nevent: endpoint\ndata: /second\n\n",
         "data: one\ndata: two\n\nevent: message\ndata: /no\n\nevent: endpoint\ndata: </m>\n\nevent: endpoint\ndata: /second\n\n"),
        ("event: message\nevent: endpoint\ndata: /m\n\n", "event: message\nevent: endpoint\ndata: </m>\n\n"),
        ("event: endpoint\nevent: message\ndata: /no\n\nevent: endpoint\ndata: /m\n\n", "event: endpoint\nevent: message\ndata: /no\n\nevent: endpoint\ndata: </m>\n\n"),
        ("event:  endpoint\ndata: x\n\nevents: endpoint\ndata: y\n\nevent: Endpoint\ndata: z\n\nevent: endpoint\ndata:  /m \n\n",
         "event:  endpoint\ndata: x\n\nevents: endpoint\ndata: y\n\nevent: Endpoint\ndata: z\n\nevent: endpoint\ndata: < /m >\n\n"),
        ("data\n\nevent\ndata:\n\nevent: endpoint\nid\ndata: /m\n\n\0\u{1}", "data\n\nevent\ndata:\n\nevent: endpoint\nid\ndata: </m>\n\n\0\u{1}"),
    ]

    @Test(arguments: cases) func `the first endpoint event is rewritten, all else passes as it came`(_ stream: String, _ expected: String) throws {
        let result = try Self.pass([Array(stream.utf8)])
        #expect(result.text == expected && result.isDone)
    }

    @Test(arguments: cases) func `where the stream is cut makes no difference`(_ stream: String, _ expected: String) throws {
        let bytes = Array(stream.utf8)
        #expect(try Self.pass(bytes.map { [$0] }).text == expected)
        for first in 0...bytes.count {
            for second in stride(from: first, through: bytes.count, by: 3) {
                let pieces = [Array(bytes[..<first]), Array(bytes[first..<second]), Array(bytes[second...])]
                #expect(try Self.pass(pieces).text == expected, "cut at \(first) and \(second)")
            }
        }
    }

    @Test func `an event leaves as soon as it is complete, the endpoint event no sooner`() throws {
        #expect(try Self.pass([Array(": ping\n\n".utf8)]).text == ": ping\n\n")
        #expect(try Self.pass([Array(": ping\r\r".utf8)]).text == ": ping\r\r")
        let held = try Self.pass([Array(": ping\n\nevent: endpoint\ndata: /m\n".utf8)])
        #expect(held.text == ": ping\n\n" && !held.isDone)
    }

    @Test(arguments: ["event: endpoint\n\n", "event: endpoint\ndata:\n\n", "event: endpoint\ndata: \n\n", "event: endpoint\ndata: /a\ndata: /b\n\n"])
    func `an endpoint event without exactly one line of data is refused`(_ stream: String) {
        #expect(throws: Refusal.self) { try Self.pass([Array(stream.utf8)]) }
        #expect(throws: Refusal.self) { try Self.pass(Array(stream.utf8).map { [$0] }) }
    }

    @Test func `a stream that names no endpoint in 16 KiB is refused, and not before`() throws {
        let event = Array("event: endpoint\ndata: /m\n\n".utf8)
        func padding(_ count: Int) -> [UInt8] { [0x3a] + [UInt8](repeating: 0x20, count: count - 3) + [0x0a, 0x0a] }
        let fits = EndpointEventRewriter.limit - event.count
        #expect(try Self.pass([padding(fits), event, padding(100_000)]).isDone)
        #expect(throws: Refusal.self) { try Self.pass([padding(fits + 1), event]) }
        #expect(throws: Refusal.self) { try Self.pass([[UInt8](repeating: 0x61, count: 1 << 20)]) }
        #expect(throws: Refusal.self) { try Self.pass([[UInt8](repeating: 0x0a, count: EndpointEventRewriter.limit)]) }
    }

    @Test func `what the mapping refuses is refused`() {
        var rewriter = EndpointEventRewriter()
        let out = ByteBuffer(capacity: 16)
        #expect(throws: Refusal.self) {
            try rewriter.read(Array("event: endpoint\ndata: //evil/\n\n".utf8).span.raw, into: out) { (_: RawSpan) throws(Refusal) -> [UInt8] in
                throw Refusal(.upstreamInvalid, "another origin")
            }
        }
        #expect(out.isEmpty)
    }

    @Test func `whatever the bytes are, cutting them makes no difference`() {
        var random = SeededRandom(seed: 0x7373_65)
        let alphabet: [[UInt8]] = ["event: endpoint", "event:", "data: /m", "data", ": c", "\n", "\r", "\r\n", "\n\n", "\u{feff}", "id: 1", "x"].map { Array($0.utf8) }
        for _ in 0..<4_000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 1...16, using: &random) { bytes += alphabet.randomElement(using: &random) ?? [] }
            if Bool.random(using: &random) { random.mutate(&bytes) }
            func result(_ pieces: [[UInt8]]) -> String? { try? Self.pass(pieces).text }
            #expect(result([bytes]) == result(bytes.map { [$0] }))
        }
    }
}
