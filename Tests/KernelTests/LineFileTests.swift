// LineFile: lines come back as they were put, a line that was cut off is none, and one process has it at a time.

import Foundation
import Kernel
import Testing

@Suite struct LineFileTests {
    private let path = FileManager.default.temporaryDirectory.path + "/claviger-lines-" + SecureRandom.bytes(8).map { String($0, radix: 16) }.joined()

    private func remove() { try? FileManager.default.removeItem(atPath: path) }

    private func everything(_ file: inout LineFile) throws -> [String] {
        var lines: [String] = []
        while let line = try file.next(atMost: 1 << 20) { lines.append(String(decoding: line, as: UTF8.self)) }
        return lines
    }

    private func bytes(_ text: [String]) -> [[UInt8]] { text.map { Array($0.utf8) } }

    @Test func `lines of any length come back, and more follow`() throws {
        defer { remove() }
        let lines = ["", "a", String(repeating: "b", count: 65_535), String(repeating: "c", count: 300_000), "d"]
        var file = try LineFile(path, makes: true)
        try file.append(bytes(lines))
        #expect(try everything(&file) == lines)
        #expect(file.end == lines.reduce(0) { $0 + $1.utf8.count + 1 })
        try file.append(bytes(["e"]))
        #expect(try everything(&file) == ["e"])
        file.rewind()
        #expect(try everything(&file) == lines + ["e"])
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
    }

    @Test func `a line that was cut off is none, and is removed before another is put`() throws {
        defer { remove() }
        try Data("one\ntwo\nthr".utf8).write(to: URL(filePath: path))
        var file = try LineFile(path, makes: false)
        #expect(try everything(&file) == ["one", "two"])
        try file.cut()
        try file.append(bytes(["three"]))
        file.rewind()
        #expect(try everything(&file) == ["one", "two", "three"])
    }

    @Test(arguments: [("", true), ("{", true), ("{\"a\"", true), ("{\"a\":1,\"b", true), ("x", false), ("{\"b\"", false)])
    func `what is left of a first line tells whose it is`(content: String, isOurs: Bool) throws {
        defer { remove() }
        try Data(content.utf8).write(to: URL(filePath: path))
        var file = try LineFile(path, makes: false)
        #expect(try file.next(atMost: 99) == nil)
        #expect(file.isCutOff("{\"a\":") == isOurs)
    }

    @Test func `a line beyond the limit is a fault`() throws {
        defer { remove() }
        try Data((String(repeating: "a", count: 100) + "\n").utf8).write(to: URL(filePath: path))
        var file = try LineFile(path, makes: false)
        let fault = #expect(throws: SystemFault.self) { try file.next(atMost: 99) }
        #expect(fault?.isTooLarge == true)
    }

    @Test func `what is held, missing or no file is told apart`() throws {
        defer { remove() }
        let missing = #expect(throws: SystemFault.self) { _ = try LineFile(path, makes: false) }
        #expect(missing?.isMissing == true)
        let file = try LineFile(path, makes: true)
        let held = #expect(throws: SystemFault.self) { _ = try LineFile(path, makes: true) }
        #expect(held?.isHeld == true)
        #expect(file.end == 0)
        #expect(throws: SystemFault.self) { _ = try LineFile("/dev/null", makes: false) }
    }
}
