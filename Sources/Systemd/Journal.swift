// Entries of the journal, with fields of their own: what `journalctl CLAVIGER_REFUSAL=…` finds.

internal import CSystemd
package import Kernel

package enum Journal {
    /// Hands one entry over to the journal, whole (sd_journal_sendv(3)). Waits where the journal is slow: never to be called on a worker.
    /// The journal adds by itself when, who, and which unit. An entry without fields is none.
    ///
    /// - Throws: where it was not taken. Where no journal runs at all it is lost without a word.
    package static func send(_ entry: borrowing JournalEntry) throws(SystemFault) {
        guard !entry.ends.isEmpty else { return }
        let result = unsafe entry.bytes.withUnsafeBytes { source in
            var start = 0
            let fields = unsafe entry.ends.map { end in
                defer { start = end }
                return unsafe iovec(iov_base: UnsafeMutableRawPointer(mutating: source.baseAddress?.advanced(by: start)), iov_len: end - start)
            }
            return unsafe fields.withUnsafeBufferPointer { unsafe sd_journal_sendv($0.baseAddress, Int32($0.count)) }
        }
        guard result >= 0 else { throw SystemFault("sd_journal_sendv", -result) }
    }

    /// The name of a field: capital letters, digits and underscores, a letter first, 64 bytes at most.
    package struct Name: Hashable, Sendable, CustomStringConvertible {
        package let description: String

        /// nil where the journal would not take it.
        package init?(_ text: String) {
            func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) }
            func isRest(_ byte: UInt8) -> Bool { isLetter(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_") }
            guard let first = text.utf8.first, isLetter(first), text.utf8.allSatisfy(isRest), text.utf8.count <= 64 else { return nil }
            description = text
        }
    }

    /// How much an entry matters (syslog(3)): what `journalctl -p` selects by.
    package enum Priority: Int, Sendable {
        case error = 3
        case warning, notice, info, debug
    }
}

extension Journal.Name: ExpressibleByStringLiteral {
    package init(stringLiteral text: StaticString) {
        guard let name = Journal.Name(text.description) else {
            preconditionFailure("a field that is named in the source has a name that the journal takes")
        }
        self = name
    }
}

/// The fields of one entry, in the order they were added; the same name may come several times. Kept and cleared, it uses its memory again.
package struct JournalEntry: ~Copyable {
    /// `NAME=value` after `NAME=value`, nothing between them.
    private(set) var bytes: [UInt8] = []
    /// Where each ends.
    private(set) var ends: [Int] = []

    package init() {}

    package mutating func clear() {
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
    }

    /// A value may be any text, with line ends in it too.
    package mutating func add(_ name: Journal.Name, _ value: String) {
        begin(name)
        bytes.append(contentsOf: value.utf8)
        ends.append(bytes.count)
    }

    /// A value may be any bytes.
    package mutating func add(_ name: Journal.Name, _ value: RawSpan) {
        begin(name)
        for at in 0..<value.byteCount { bytes.append(value[at]) }
        ends.append(bytes.count)
    }

    /// The two that every entry should have: what is said, and how much it matters.
    package mutating func add(_ priority: Journal.Priority, _ message: String) {
        add("PRIORITY", String(priority.rawValue))
        add("MESSAGE", message)
    }

    private mutating func begin(_ name: Journal.Name) {
        bytes.append(contentsOf: name.description.utf8)
        bytes.append(UInt8(ascii: "="))
    }
}
