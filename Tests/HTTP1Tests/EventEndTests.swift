import Kernel
import Testing

@testable import HTTP1

@Suite struct EventEndTests {
    private func isBetween(after pieces: String...) -> Bool {
        var end = EventEnd()
        for piece in pieces { end.pass(Array(piece.utf8).span.raw) }
        return end.isBetweenEvents
    }

    @Test func `a stream that has not begun stands between events`() {
        #expect(isBetween())
        #expect(isBetween(after: ""))
    }

    @Test(arguments: ["data: x\n\n", "data: x\r\n\r\n", "data: x\r\r", ": ping\n\n", "data: x\n\r\n", "data: x\r\n\n", "data: x\n\n\n"])
    func `an empty line ends an event, whatever its line ends are, wherever it is split`(_ text: String) {
        let bytes = Array(text.utf8)
        for split in 0...bytes.count {
            #expect(isBetween(after: String(decoding: bytes[..<split], as: UTF8.self), String(decoding: bytes[split...], as: UTF8.self)), "\(split)")
        }
    }

    @Test(arguments: ["d", "data: x", "data: x\n", "data: x\r\n", "data: x\n\ndata: y", "data: x\n\nid: 1\n", "data: x\r\n\r\n:", "\n\nd\r\n"])
    func `within an event there is no end`(_ text: String) {
        #expect(!isBetween(after: text))
        #expect(!isBetween(after: String(text.prefix(1)), String(text.dropFirst())))
    }

    @Test func `the end of the event under way is found in what comes next, across pieces too`() {
        func distance(after passed: String, in next: String) -> Int? {
            var end = EventEnd()
            end.pass(Array(passed.utf8).span.raw)
            return end.distance(in: Array(next.utf8).span.raw)
        }
        #expect(distance(after: "data: x", in: "y\n\ndata: z\n\n") == 3)
        #expect(distance(after: "data: x\n", in: "\ndata: z") == 1)
        #expect(distance(after: "data: x\r\n\r", in: "\n") == 1)
        #expect(distance(after: "data: x", in: "data: y\n") == nil)
        #expect(distance(after: "data: x", in: "") == nil)
    }
}
