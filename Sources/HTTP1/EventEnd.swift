// Where one event of an event stream ends and the next has not begun: what a stream may be ended at.

internal import Kernel

/// Follows a `text/event-stream` by its last bytes: an event ends with an empty line (HTML, section 9.2.5, whose lines end in LF, CR or CRLF).
package struct EventEnd: Sendable {
    /// The last three bytes, the newest lowest; before the first, as if an event had ended.
    private var tail: UInt32 = 0x0A0A0A

    package init() {}

    /// Whether an event has just ended, or none has begun.
    package var isBetweenEvents: Bool {
        let (last, before, third) = (tail & 0xFF, tail >> 8 & 0xFF, tail >> 16 & 0xFF)
        switch last {
        case EventEnd.lf where before == EventEnd.cr: return EventEnd.endsLine(third)
        case EventEnd.lf, EventEnd.cr: return EventEnd.endsLine(before)
        default: return false
        }
    }

    /// Takes note of what has passed.
    package mutating func pass(_ bytes: RawSpan) {
        for at in max(0, bytes.byteCount - 3)..<bytes.byteCount { note(bytes[at]) }
    }

    /// How many of `bytes`, the next to pass, lead to the end of an event; nil where none ends in them.
    package func distance(in bytes: RawSpan) -> Int? {
        var ahead = self
        for at in 0..<bytes.byteCount {
            ahead.note(bytes[at])
            if ahead.isBetweenEvents { return at + 1 }
        }
        return nil
    }

    private mutating func note(_ byte: UInt8) {
        tail = tail << 8 & 0xFFFFFF | UInt32(byte)
    }

    private static let lf: UInt32 = 0x0A
    private static let cr: UInt32 = 0x0D

    private static func endsLine(_ byte: UInt32) -> Bool { byte == lf || byte == cr }
}
