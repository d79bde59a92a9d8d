import Testing

@testable import Kernel
@testable import Systemd

@Suite struct JournalTests {
    private func fields(of entry: borrowing JournalEntry) -> [String] {
        var start = 0
        let bytes = entry.bytes
        return entry.ends.map { end in
            defer { start = end }
            return String(decoding: bytes[start..<end], as: UTF8.self)
        }
    }

    @Test func `an entry has its fields in order, values with line ends and equals signs as they are`() {
        var entry = JournalEntry()
        entry.add(.notice, "two\nlines")
        entry.add("CLAVIGER_PROJECT", "a=b")
        let bytes: [UInt8] = [0xff, 0x00]
        entry.add("CLAVIGER_RAW", bytes.span.raw)
        #expect(fields(of: entry).dropLast() == ["PRIORITY=5", "MESSAGE=two\nlines", "CLAVIGER_PROJECT=a=b"])
        #expect(entry.bytes.suffix(3) == [UInt8(ascii: "="), 0xff, 0x00])
        entry.clear()
        #expect(entry.bytes.isEmpty && entry.ends.isEmpty)
    }

    @Test(arguments: ["A", "CLAVIGER_REFUSAL", "X509_9"]) func `a name that the journal takes is one`(_ text: String) {
        #expect(Journal.Name(text)?.description == text)
    }

    @Test(arguments: ["", "_PID", "9A", "lower", "A-B", "A=B", "É", String(repeating: "A", count: 65)])
    func `a name that the journal would not take is none`(_ text: String) {
        #expect(Journal.Name(text) == nil)
    }
}
