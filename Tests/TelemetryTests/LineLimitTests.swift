// What the log holds back when the same is said again and again, and how it says so.

import Kernel
import Logging
import Metrics
import Testing

@testable import Telemetry

@Suite struct LineLimitTests {
    @Test func `a kind is written so often and no more, others beside it as ever`() {
        let limit = LineLimit()
        let admitted = (0..<100).filter { limit.admits(.warning, "10.0.0.\($0): no handshake", from: 1, at: 1_000_000) }
        #expect(admitted.count == LineLimit.most)
        #expect(limit.admits(.warning, "the store is down", from: 1, at: 1_000_000))
        #expect(limit.admits(.error, "10.0.0.1: no handshake", from: 1, at: 1_000_000))
        #expect(limit.admits(.warning, "10.0.0.1: no handshake", from: 2, at: 1_000_000))
        let told = limit.told(at: 1_020_000)
        #expect(told.count == 1 && told[0].count == 70 && told[0].level == .warning)
        #expect(told[0].words == "70 more like this were held back: 10.0.0.99: no handshake")
        #expect(limit.told(at: 1_040_000).isEmpty && !limit.isHoldingBack)
    }

    @Test func `time makes room again`() {
        let limit = LineLimit()
        for _ in 0..<100 { _ = limit.admits(.warning, "w", from: 1, at: 1_000_000) }
        let later = (0..<100).filter { _ in limit.admits(.warning, "w", from: 1, at: 1_005_000) }
        #expect(later.count == 5)
    }

    @Test func `it is not said more often than every ten seconds, and at the end in any case`() {
        let limit = LineLimit()
        func flood(_ time: Int64) { for _ in 0..<100 { _ = limit.admits(.warning, "w", from: 1, at: time) } }
        flood(1_000_000)
        #expect(limit.told(at: 1_000_000).count == 1)
        flood(1_001_000)
        #expect(limit.told(at: 1_005_000).isEmpty)
        #expect(limit.told(at: 1_005_000, isLast: true).count == 1)
    }

    @Test func `kinds without number share one bucket`() {
        let limit = LineLimit()
        // Digits do not tell kinds apart.
        let words = (0..<5000).map { number in "from " + String(String(number, radix: 2).map { $0 == "0" ? Character("a") : "b" }) }
        let admitted = words.filter { limit.admits(.warning, $0, from: 1, at: 1_000_000) }
        #expect(admitted.count < LineLimit.kinds * LineLimit.most && admitted.count <= LineLimit.kinds + LineLimit.most)
        #expect(limit.told(at: 1_020_000).map(\.count).reduce(0, +) == 5000 - admitted.count)
    }

    @Test func `a logger's flood ends in one line that counts it`() {
        let captured = Captured()
        let metrics = Metrics(workers: 1, refusals: [], version: "0")
        let output = captured.output(.prefixed, metrics: metrics.shared)
        let logger = output.logger("test", level: .info)
        for _ in 0..<(LineLimit.most + 12) { logger.warning("no connection can be accepted") }
        output.end()
        #expect(captured.lines.filter { $0 == "<4>no connection can be accepted" }.count >= LineLimit.most)
        #expect(captured.lines.contains { $0.hasSuffix("more like this were held back: no connection can be accepted") })
        #expect(metrics.value(.linesHeldBack) > 0)
    }

    @Test func `a list is written as it is, to a hundred lines, and what is beyond is counted`() {
        let captured = Captured()
        let output = captured.output(.prefixed)
        output.list((0..<60).map { "reloaded: server crm-\($0) added" }, at: .notice, rest: "more")
        _ = output.drain()
        #expect(captured.lines == (0..<60).map { "<5>reloaded: server crm-\($0) added" })
        output.list((0..<150).map { "problem \($0)" }, at: .error, rest: "more problems")
        _ = output.drain()
        #expect(captured.lines.count == 60 + 101 && captured.lines.last == "<3>and 50 more problems")
    }

    @Test func `a logger without a level of its own follows the output's`() {
        let captured = Captured()
        let output = captured.output(.prefixed)
        let logger = output.logger("test")
        logger.debug("first")
        output.setLevel(.debug)
        logger.debug("second")
        output.setLevel(.error)
        logger.warning("third")
        _ = output.drain()
        #expect(captured.text == "<7>second\n")
    }
}
