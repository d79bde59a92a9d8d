// Lines into a pipe: all of them where somebody reads, and an end of the waiting where nobody does.

import Foundation
import Testing

@testable import Kernel

@Suite struct LogStreamTests {
    /// A pipe whose reader is asked for what there is.
    final class Reader: Sendable {
        let reading: Int32
        let writing: Int32

        init() throws {
            var ends: [Int32] = [0, 0]
            let made = unsafe pipe(&ends)
            try #require(made == 0)
            (reading, writing) = (ends[0], ends[1])
            _ = fcntl(reading, F_SETFL, O_NONBLOCK)
        }

        deinit {
            close(reading)
            close(writing)
        }

        func lines() -> [Substring] {
            var text: [UInt8] = []
            var bytes = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = unsafe read(reading, &bytes, bytes.count)
                guard count > 0 else { return String(decoding: text, as: UTF8.self).split(separator: "\n") }
                text += bytes.prefix(count)
            }
        }
    }

    let line = String(repeating: "x", count: 99) + "\n"

    func write(_ text: String, to stream: LogStream, until deadline: MonotonicTime = .never) -> Int { stream.write(text.utf8Span.span.raw, until: deadline) }

    @Test func `whole lines are written`() throws {
        let reader = try Reader()
        #expect(write("a\nb\n", to: LogStream(descriptor: reader.writing)) == 0)
        #expect(reader.lines() == ["a", "b"])
    }

    @Test func `a pipe that nobody reads is waited for once, and what it did not take is counted`() throws {
        let reader = try Reader()
        let stream = LogStream(descriptor: reader.writing, patience: .milliseconds(100))
        let began = MonotonicTime.now()
        var lost = 0
        // A mebibyte; the pipe takes a sixteenth of it.
        for _ in 0..<100 { lost += write(String(repeating: line, count: 100), to: stream) }
        #expect(MonotonicTime.now().duration(since: began) < .milliseconds(1000))
        let lines = reader.lines()
        let whole = lines.filter { $0.utf8.count == 99 }.count
        #expect(lost > 9000 && lost + whole == 10_000)
        // Where a line broke off, the next begins a line of its own.
        #expect(write("next\n", to: stream) == 0)
        #expect(reader.lines() == ["next"])
    }

    @Test func `the time for everything ends the wait, too`() throws {
        let reader = try Reader()
        let stream = LogStream(descriptor: reader.writing, patience: .seconds(3600))
        #expect(write(String(repeating: line, count: 2000), to: stream, until: .now().advanced(by: .milliseconds(50))) > 0)
    }
}
