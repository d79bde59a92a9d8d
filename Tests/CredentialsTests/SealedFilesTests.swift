// SealedFiles: what is stored comes back, a crash at any step leaves the old or the new, and what is not ours is named.

@testable import Credentials
import Gateway
import Kernel
import Synchronization
import Testing

@Suite struct SealedFilesTests {
    private let scratch: Scratch
    private let loop: TestLoop
    private let reference: Reference

    init() throws {
        scratch = try Scratch()
        loop = try TestLoop()
        reference = Reference(try instance(of: try server()), user: try user("ann@acme.com"))
    }

    private func open(
        key: Secret? = nil, afterStep: @escaping @Sendable (SealedFiles.Step) throws(StoreFault) -> Void = { _ throws(StoreFault) in }
    ) throws -> SealedFiles {
        try SealedFiles(at: scratch.path + "/secrets", key: key, state: scratch.path, on: loop.loop, afterStep: afterStep)
    }

    private func value(in files: SealedFiles, at reference: Reference? = nil) async throws -> String? {
        let reference = reference ?? self.reference
        switch try await files.read([reference], .waiting)[reference] {
        case .value(let secret): return secret.text
        case .damaged(let fault): throw fault
        case nil: return nil
        }
    }

    private var fileName: String { get throws { "secrets/" + (try #require(try scratch.names("secrets").first)) } }

    @Test func `a value is there for the next start, replaced by a newer one, and gone when deleted`() async throws {
        try await open().write(Secret("one"), to: reference)
        #expect(try await value(in: open()) == "one")
        try await open().write(Secret("two"), to: reference)
        #expect(try await value(in: open()) == "two")
        let files = try open()
        #expect(try await files.list(under: "/acme/") == [reference])
        #expect(try await files.list(under: "/acm/") == [])
        #expect(try await files.delete(reference))
        #expect(try await !files.delete(reference))
        #expect(try await value(in: open()) == nil)
        #expect(try scratch.names("secrets") == [])
    }

    @Test func `one file a reference, for nobody else to read, without a byte of the value`() async throws {
        let files = try open()
        let canary = "canary-in-a-sealed-file"
        try await files.write(Secret(canary), to: reference)
        #expect(try scratch.names("secrets") == [String(reference.path.dropFirst()).replacing("/", with: "+")])
        #expect(try scratch.mode(of: "secrets") == 0o700)
        #expect(try scratch.mode(of: fileName) == 0o600)
        #expect(try !String(decoding: scratch.bytes(fileName), as: UTF8.self).contains(canary))
    }

    @Test func `the same value sealed twice shares neither nonce nor text`() async throws {
        let files = try open()
        try await files.write(Secret("same"), to: reference)
        let first = try scratch.bytes(fileName)
        try await files.write(Secret("same"), to: reference)
        let second = try scratch.bytes(fileName)
        #expect(first.prefix(16) == second.prefix(16))
        #expect(first[16..<28] != second[16..<28])
        #expect(first[28...] != second[28...])
    }

    @Test func `a bit flipped anywhere is found, and the fault names the file`() async throws {
        try await open().write(Secret("value"), to: reference)
        let whole = try scratch.bytes(fileName)
        for at in whole.indices {
            var flipped = whole
            flipped[at] ^= 1
            try scratch.write(flipped, to: fileName)
            let files = at < 9 || at >= 16 ? try open() : nil
            if let files {
                let name = try fileName
                await #expect { try await value(in: files) } throws: { error in
                    guard let fault = error as? StoreFault else { return false }
                    return fault.kind == .damaged && fault.description.contains(name)
                }
            } else {
                // The key's mark: another key's file, so the store does not open at all.
                #expect { try open() } throws: { ($0 as? StoreFault)?.kind == .key }
            }
        }
    }

    @Test func `a file cut short anywhere, or too large, is found`() async throws {
        try await open().write(Secret("value"), to: reference)
        let whole = try scratch.bytes(fileName)
        let files = try open()
        for end in 0..<whole.count {
            try scratch.write(Array(whole[..<end]), to: fileName)
            await #expect { try await value(in: files) } throws: { ($0 as? StoreFault)?.kind == .damaged }
        }
        try scratch.write([UInt8](repeating: 0x20, count: 70_000), to: fileName)
        await #expect { try await value(in: files) } throws: { ($0 as? StoreFault)?.kind == .damaged }
    }

    @Test func `a file under another reference's name does not open`() async throws {
        let files = try open()
        try await files.write(Secret("ann's"), to: reference)
        let other = Reference(try instance(of: try server()), user: try user("bob@acme.com"))
        let name = try SealedFiles.fileName(of: other)
        try scratch.write(scratch.bytes(fileName), to: "secrets/" + name)
        await #expect { try await value(in: files, at: other) } throws: { ($0 as? StoreFault)?.kind == .damaged }
        #expect(try await value(in: files) == "ann's")
    }

    @Test func `a damaged file does not spoil the others of a batch`() async throws {
        let files = try open()
        let other = Reference(try instance(of: try server()), user: try user("bob@acme.com"))
        try await files.write(Secret("bob's"), to: other)
        try scratch.write(Array("not sealed at all, but long enough to be".utf8), to: "secrets/" + SealedFiles.fileName(of: reference))
        let found = try await files.read([reference, other], .waiting)
        guard case .damaged = found[reference], case .value(let secret) = found[other] else {
            Issue.record("one damaged, one good")
            return
        }
        #expect(secret.text == "bob's")
    }

    @Test func `with another key the store does not open, and says so`() async throws {
        try await open(key: Secret.random(count: 32)).write(Secret("value"), to: reference)
        #expect { try open(key: Secret.random(count: 32)) } throws: { error in
            guard let fault = error as? StoreFault else { return false }
            return fault.kind == .key && fault.description.contains("master key")
        }
    }

    @Test func `without its key file the store does not make a new one`() async throws {
        try await open().write(Secret("value"), to: reference)
        _ = try Directory(scratch.path).remove("master.key")
        #expect { try open() } throws: { ($0 as? StoreFault)?.kind == .key }
    }

    @Test func `a directory open to others is closed to them`() throws {
        _ = try Directory(scratch.path + "/secrets", createdWith: 0o755)
        try scratch.setMode(0o755, of: "secrets")
        _ = try open()
        #expect(try scratch.mode(of: "secrets") == 0o700)
    }

    @Test(arguments: SealedFiles.Step.allCases, [true, false])
    func `a crash after any step leaves the old value or the new, and nothing else`(step: SealedFiles.Step, hadValue: Bool) async throws {
        if hadValue { try await open().write(Secret("old"), to: reference) }
        let crashing = try open { reached throws(StoreFault) in
            if reached == step { throw StoreFault(.unavailable, "the machine stopped") }
        }
        await #expect(throws: StoreFault.self) { try await crashing.write(Secret("new"), to: reference) }
        // What lies there when the machine is up again.
        let reopened = try open()
        let expected: String? = step == .renamed || step == .directorySynced ? "new" : hadValue ? "old" : nil
        #expect(try await value(in: reopened) == expected)
        #expect(try scratch.names("secrets").count == (expected == nil ? 0 : 1), "what was left aside is gone")
        try await reopened.write(Secret("newer"), to: reference)
        #expect(try await value(in: reopened) == "newer")
    }

    @Test func `many writers and readers see whole values only`() async throws {
        let files = try open()
        let reference = reference
        let values = (0..<8).map { String(repeating: "\($0)", count: 100 + $0 * 500) }
        try await files.write(Secret(values[0]), to: reference)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for value in values {
                group.addTask { for _ in 0..<5 { try await files.write(Secret(value), to: reference) } }
                group.addTask {
                    for _ in 0..<20 {
                        guard case .value(let secret) = try await files.read([reference], .waiting)[reference] else { throw StoreFault(.damaged, "gone") }
                        if !values.contains(secret.text) { throw StoreFault(.damaged, "mixed") }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func `a value larger than a file may be is refused and the old one stands`() async throws {
        let files = try open()
        try await files.write(Secret("old"), to: reference)
        await #expect(throws: StoreFault.self) { try await files.write(Secret.random(count: 65 << 10), to: reference) }
        #expect(try await value(in: files) == "old")
    }
}
