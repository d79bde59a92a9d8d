// Files that change under contexts in use: read anew when they are good, reported once when they are not.

import Foundation
import Kernel
import Synchronization
import Testing

@testable import Proxy
@testable import TLS

@Suite final class RenewedContextsTests {
    private typealias Contexts = RenewedContexts<String, String>

    private let path = "/tmp/claviger-renewed-\(UInt64.random(in: .min ... .max))"
    private let made = Counter()
    private let start = MonotonicTime(nanoseconds: 0)

    private final class Counter: Sendable {
        private let count = Atomic(0)
        var value: Int { count.load(ordering: .relaxed) }
        func add() { count.wrappingAdd(1, ordering: .relaxed) }
    }

    deinit {
        Files.remove(path)
    }

    private func write(_ text: String) throws {
        // By another file's name, as tools that renew do: a change is one even within a tick of the file system's clock.
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    /// A context is the file's text; "broken" cannot be used.
    private func contexts(after former: Contexts? = nil) throws -> Contexts {
        let (path, made) = (path, made)
        let recipe = Contexts.Recipe(owner: "test", files: [path]) { () throws(TLSFault) in
            made.add()
            let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? "broken"
            guard text != "broken" else { throw TLSFault(cause: .ownKey, words: "it is broken", isBeforeRequest: true) }
            return text
        }
        return try Contexts(["key": recipe], after: former, now: start)
    }

    private func outcome(_ contexts: Contexts, after: Duration = .zero) -> [String] {
        contexts.renew(now: start.advanced(by: after)).map { "\($0.owner): \($0.fault ?? "renewed")" }
    }

    @Test func `what does not change is read once`() throws {
        try write("one")
        let contexts = try contexts()
        #expect(outcome(contexts).isEmpty)
        #expect(contexts.context(for: "key") == "one")
        #expect(contexts.context(for: "another") == nil)
        #expect(made.value == 1)
    }

    @Test func `what changes is read anew`() throws {
        try write("one")
        let contexts = try contexts()
        try write("two")
        #expect(outcome(contexts) == ["test: renewed"])
        #expect(contexts.context(for: "key") == "two")
        #expect(outcome(contexts).isEmpty)
    }

    @Test func `what cannot be used changes nothing, and is said once, at the second look`() throws {
        try write("one")
        let contexts = try contexts()
        try write("broken")
        #expect(outcome(contexts).isEmpty)
        #expect(outcome(contexts) == ["test: it is broken"])
        #expect(outcome(contexts).isEmpty)
        #expect(contexts.context(for: "key") == "one")
        try write("three")
        #expect(outcome(contexts) == ["test: renewed"])
        #expect(contexts.context(for: "key") == "three")
    }

    @Test func `half a renewal that is soon whole is not worth a word`() throws {
        try write("one")
        let contexts = try contexts()
        try write("broken")
        #expect(outcome(contexts).isEmpty)
        try write("two")
        #expect(outcome(contexts) == ["test: renewed"])
    }

    @Test func `a file that goes takes nothing away`() throws {
        try write("one")
        let contexts = try contexts()
        Files.remove(path)
        #expect(outcome(contexts).isEmpty)
        #expect(outcome(contexts) == ["test: it is broken"])
        #expect(contexts.context(for: "key") == "one")
    }

    @Test func `keys of tickets grow no older than half a day`() throws {
        try write("one")
        let contexts = try contexts()
        #expect(outcome(contexts, after: .seconds(12 * 3600 - 1)).isEmpty)
        #expect(made.value == 1)
        #expect(outcome(contexts, after: .seconds(12 * 3600)).isEmpty)
        #expect(made.value == 2)
        #expect(outcome(contexts, after: .seconds(13 * 3600)).isEmpty)
        #expect(made.value == 2)
    }

    @Test func `another snapshot takes over what has not changed, and reads what has`() throws {
        try write("one")
        let first = try contexts()
        _ = try contexts(after: first)
        #expect(made.value == 1)
        try write("two")
        let second = try contexts(after: first)
        #expect(made.value == 2)
        #expect(second.context(for: "key") == "two")
        #expect(first.context(for: "key") == "one")
    }

    @Test func `what cannot be made at first is an error`() throws {
        #expect(throws: TLSFault.self) { try contexts() }
    }
}
