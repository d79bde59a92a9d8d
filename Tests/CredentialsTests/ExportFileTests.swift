// The export's form: what was written is read, and no byte of it can be changed, moved, left out or added.

@testable import Credentials
import Gateway
import Kernel
import Testing

@Suite struct ExportFileTests {
    private let key: MasterKey
    private let lines: [[UInt8]]

    init() throws {
        key = try MasterKey(Secret(String(repeating: "0f", count: 32)), from: "test")
        lines = try ExportFileTests.lines(["/acme/shared/crm", "/_clients/abc"], key)
    }

    /// An export of these references, each with its path's last letters for a value.
    static func lines(_ references: [String], _ key: MasterKey, nonce: UInt8 = 1) throws -> [[UInt8]] {
        var file = ExportFile(key: key)
        var lines = [try file.header(begun: "2026-11-21T00:00:00Z", nonce: [UInt8](repeating: 0, count: 12))]
        try file.take(lines[0])
        for (number, path) in references.enumerated() {
            let reference = try #require(Reference(path: path))
            let line = try SealedLine(ExportEntry(reference, nil), Secret("canary-of-\(path)").bytes, key: key, nonce: [UInt8](repeating: nonce + UInt8(number), count: 12)).bytes
            try file.take(line)
            lines.append(line)
        }
        lines.append(try file.trailer(nonce: [UInt8](repeating: 200, count: 12)))
        return lines
    }

    private func read(_ lines: [[UInt8]], _ key: MasterKey? = nil) throws -> ExportFile {
        var file = ExportFile(key: key ?? self.key)
        for line in lines { try file.take(line) }
        return file
    }

    @Test func `what was written is read, and is whole with its last line`() throws {
        let file = try read(lines)
        #expect(file.isWhole && file.references == ["/acme/shared/crm", "/_clients/abc"] && file.begun == "2026-11-21T00:00:00Z")
        #expect(try read(lines.dropLast()).isWhole == false)
        #expect(SealedLine(lines[1])?.open(key)?.text == "canary-of-/acme/shared/crm")
    }

    @Test func `no value stands in the clear, nor in a form that is easily undone`() {
        let text = String(decoding: lines.joined(), as: UTF8.self)
        #expect(!text.contains("canary-of") && !text.contains("Y2FuYXJ5"))
        #expect(text.contains("/acme/shared/crm"))
    }

    @Test func `a bit that is changed anywhere is noticed`() throws {
        for number in lines.indices {
            for place in lines[number].indices {
                var changed = lines
                changed[number][place] ^= 1
                #expect(throws: StoreFault.self, "line \(number), byte \(place)") { try read(changed) }
            }
        }
    }

    @Test func `lines that are missing, moved, doubled, added or of another export are noticed`() throws {
        let other = try ExportFileTests.lines(["/acme/shared/crm", "/acme/shared/else"], key, nonce: 100)
        for wrong in [
            [lines[0], lines[1], lines[3]], [lines[0], lines[2], lines[1], lines[3]], [lines[0], lines[1], lines[1], lines[2], lines[3]],
            [lines[0], lines[1], lines[2], other[2], lines[3]], [lines[0], other[1], lines[2], lines[3]], lines + [lines[3]], lines + [lines[1]],
            Array(lines.dropFirst()), [lines[0], lines[0], lines[1], lines[2], lines[3]], [lines[0], lines[1], [], lines[2], lines[3]],
        ] {
            #expect(throws: StoreFault.self) { try read(wrong) }
        }
    }

    @Test func `another key is told from damage, and another file from both`() throws {
        let wrong = try MasterKey(Secret(String(repeating: "ab", count: 32)), from: "test")
        #expect(throws: StoreFault(.key, "exported under another key: give that one with --key")) { try read(lines, wrong) }
        #expect(throws: StoreFault(.damaged, "this is no export of credentials: name another file")) { try read([Array("secrets:".utf8)]) }
        #expect(throws: StoreFault(.damaged, "this is no export of credentials: name another file")) { try read([lines[1]]) }
    }

    @Test func `a fault names its line`() throws {
        var changed = lines
        changed[2][40] ^= 1
        let fault = #expect(throws: StoreFault.self) { try read(changed) }
        #expect(fault?.description.hasPrefix("line 3: ") == true)
    }

    @Test func `the longest value fits a line`() throws {
        let value = Secret(copying: [UInt8](repeating: 7, count: 64 << 10).span.raw)
        let path = "/" + String(repeating: "a", count: 1010)
        let line = try SealedLine(ExportEntry(try #require(Reference(path: path)), nil), value.bytes, key: key, nonce: [UInt8](repeating: 9, count: 12)).bytes
        #expect(line.count <= ExportFile.lineLimit)
        #expect(SealedLine(line)?.open(key)?.count == 64 << 10)
    }
}
