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
        var file = try LineFile(path, for: .growing)
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
        var file = try LineFile(path, for: .growing)
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
        var file = try LineFile(path, for: .reading)
        #expect(try file.next(atMost: 99) == nil)
        #expect(file.isCutOff("{\"a\":") == isOurs)
    }

    @Test func `a line beyond the limit is a fault`() throws {
        defer { remove() }
        try Data((String(repeating: "a", count: 100) + "\n").utf8).write(to: URL(filePath: path))
        var file = try LineFile(path, for: .reading)
        let fault = #expect(throws: SystemFault.self) { try file.next(atMost: 99) }
        #expect(fault?.isTooLarge == true)
    }

    @Test func `what is held, missing or no file is told apart`() throws {
        defer { remove() }
        let missing = #expect(throws: SystemFault.self) { _ = try LineFile(path, for: .reading) }
        #expect(missing?.isMissing == true)
        let file = try LineFile(path, for: .growing)
        let held = #expect(throws: SystemFault.self) { _ = try LineFile(path, for: .growing) }
        #expect(held?.isHeld == true)
        #expect(file.end == 0)
        let reader = #expect(throws: SystemFault.self) { _ = try LineFile(path, for: .reading) }
        #expect(reader?.isHeld == true)
        for use in [LineFile.Use.reading, .growing] {
            for path in ["/dev/null", "/dev/full", "/tmp"] {
                let fault = #expect(throws: SystemFault.self) { _ = try LineFile(path, for: use) }
                #expect(fault?.isNoPlainFile == true)
            }
            try FileManager.default.createSymbolicLink(atPath: path + ".link", withDestinationPath: path)
            defer { try? FileManager.default.removeItem(atPath: path + ".link") }
            let link = #expect(throws: SystemFault.self) { _ = try LineFile(path + ".link", for: use) }
            #expect(link?.isSymbolicLink == true)
        }
    }

    @Test func `what is only read need not be writable, and others may read it at the same time`() throws {
        defer { remove() }
        try Data("one\n".utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o444], ofItemAtPath: path)
        var file = try LineFile(path, for: .reading)
        var second = try LineFile(path, for: .reading)
        #expect(try everything(&file) == ["one"])
        #expect(try everything(&second) == ["one"])
        // Also where the caller may write to anything.
        #expect(throws: SystemFault.self) { try file.append(bytes(["two"])) }
    }

    @Test func `what others could read is kept to its owner`() throws {
        defer { remove() }
        try Data("one\n".utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        let file = try LineFile(path, for: .growing)
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o644)
        try file.keepToOwner()
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
    }
}
