// Trace Context (W3C, level 1): what is read of a traceparent, and what the server is told.

import HTTP1
import Kernel
import Testing

@testable import Gateway

@Suite struct TraceContextTests {
    static let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    func context(_ text: String) -> TraceContext? { TraceContext(text.utf8Span.span.raw) }

    @Test func `a traceparent is read`() throws {
        let context = try #require(self.context(Self.good))
        #expect(context.trace == (0x0af7_6519_16cd_43dd, 0x8448_eb21_1c80_319c) && context.parent == 0xb7ad_6b71_6920_3331 && context.isSampled)
        #expect(try #require(self.context(String(Self.good.dropLast(2)) + "fe")).isSampled == false)
    }

    @Test(arguments: [
        "", "00", String(good.dropLast()), good + "0", good + "-", "ff" + good.dropFirst(2), "0x" + good.dropFirst(2),
        "00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333g-01",
        "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0Z", "cc" + good.dropFirst(2) + "x",
    ])
    func `what is none is not read`(text: String) {
        #expect(context(text) == nil)
    }

    @Test func `a later version is read as far as this one goes`() {
        #expect(context("cc" + Self.good.dropFirst(2))?.parent == 0xb7ad_6b71_6920_3331)
        #expect(context("01" + Self.good.dropFirst(2) + "-what-comes-then")?.isSampled == true)
    }

    @Test func `what begins here is kept by its share, the same for one trace everywhere`() {
        func kept(_ share: Double) -> Int {
            let settings = TraceSettings(otlp: "http://127.0.0.1/", sample: share)
            return (0..<1000).count { TraceContext(random: (1, UInt64($0) &* 0x9e37_79b9_7f4a_7c15), sampling: settings).isSampled }
        }
        #expect(kept(1) == 1000 && kept(0) == 0)
        #expect((80...120).contains(kept(0.1)))
        #expect(TraceContext(random: (0, 0), sampling: TraceSettings(otlp: "", sample: 0.999_999_999_999_999_9)).trace == (0, 1))
    }

    @Test func `the server is told the gateway's span`() throws {
        let buffer = ByteBuffer(capacity: 128)
        try #require(context(Self.good)).with(span: 0xabc).append(to: buffer)
        #expect(String(decoding: buffer.bytes.copied(), as: UTF8.self) == "traceparent: 00-0af7651916cd43dd8448eb211c80319c-0000000000000abc-01\r\n")
    }
}
