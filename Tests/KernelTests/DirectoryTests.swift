// Directory: files made, read, renamed, listed; what is not a plain file is refused.

import Foundation
import Kernel
import Testing

@Suite final class DirectoryTests {
    private let path: String

    init() {
        let name = SecureRandom.bytes(8).map { String($0, radix: 16) }.joined()
        path = FileManager.default.temporaryDirectory.path + "/claviger-directory-" + name
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    private func makeDirectory() throws -> Directory {
        try Directory(path, createdWith: 0o700)
    }

    private func write(_ text: String, to name: String, in directory: Directory, mode: UInt32 = 0o600) throws {
        let file = try directory.create(name, mode: mode)
        try file.write(text.utf8Span.span.raw)
        try file.sync()
    }

    private func text(_ name: String, in directory: Directory, atMost limit: Int = 4096) throws -> String? {
        guard let content = try directory.read(name, atMost: limit) else { return nil }
        return String(decoding: content.bytes.copied(), as: UTF8.self)
    }

    @Test func `a file is made once, renamed over another, listed and removed`() throws {
        let directory = try makeDirectory()
        try write("one", to: "a", in: directory)
        #expect(throws: SystemFault("create", 17)) { try write("again", to: "a", in: directory) }
        try write("two", to: "b", in: directory)
        try directory.rename("b", to: "a")
        try directory.sync()
        #expect(try text("a", in: directory) == "two")
        #expect(try directory.names() == ["a"])
        #expect(try directory.remove("a"))
        #expect(try !directory.remove("a"))
        #expect(try text("a", in: directory) == nil)
    }

    @Test func `permission bits are as asked for, whatever the umask`() throws {
        let directory = try makeDirectory()
        try write("", to: "open", in: directory, mode: 0o666)
        let mode = try directory.read("open", atMost: 10)?.status.mode
        #expect(mode == 0o666)
        #expect(try directory.status().mode == 0o700)
    }

    @Test func `a file of the limit is read, a longer one refused`() throws {
        let directory = try makeDirectory()
        try write(String(repeating: "x", count: 9000), to: "long", in: directory)
        #expect(try text("long", in: directory, atMost: 9000)?.utf8.count == 9000)
        #expect(throws: SystemFault("read", 27)) { try text("long", in: directory, atMost: 8999) }
    }

    @Test func `a link is taken only once`() throws {
        let directory = try makeDirectory()
        try write("key", to: "temporary", in: directory)
        try directory.link("temporary", to: "final")
        #expect(throws: SystemFault("link", 17)) { try directory.link("temporary", to: "final") }
    }

    @Test func `a directory in a file's place is refused`() throws {
        let directory = try makeDirectory()
        _ = try Directory(directory.path + "/inner", createdWith: 0o700)
        #expect(throws: SystemFault.self) { try text("inner", in: directory) }
    }
}
