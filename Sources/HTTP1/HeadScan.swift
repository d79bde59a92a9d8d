// How far a head was read, so that one that comes in drips is read once, and how long it may be.

internal import Kernel

/// How much of a head is taken.
package struct HeadLimits: Sendable {
    /// Bytes of the first line, without its line end.
    package let line: Int
    /// Bytes of all that follows the first line, the empty line included.
    package let head: Int
    /// Field lines; also names in `Connection`.
    package let fields: Int

    /// Limits as given; each at least 1 and at most 16 MiB.
    package init(line: Int = 8 << 10, head: Int = 32 << 10, fields: Int = 100) {
        self.line = min(max(line, 1), 16 << 20)
        self.head = min(max(head, 1), 16 << 20)
        self.fields = min(max(fields, 1), 1 << 20)
    }

    /// No head within the limits is longer: a buffer that holds so much never stands in a head's way.
    package var longest: Int { line + 2 + head }
}

/// Where reading a head stopped for want of bytes. It belongs to one head and one connection until `parse` returns true or throws; then it
/// stands at the beginning again. No byte is looked at more than a few times, whatever the pieces, and every fault is found at the same byte.
package struct HeadScan: Sendable {
    /// Where the fields begin; 0 while the first line is read.
    var fields = 0
    /// Where the line being read begins.
    var line = 0
    /// Where its colon is; 0 while its name is read.
    var colon = 0
    /// The next byte to look at.
    var cursor = 0

    package init() {}

    /// Whether nothing of a head was seen.
    package var isFresh: Bool { cursor == 0 }
}

/// What a look for the next line found.
enum LineStep {
    /// Its end is not there.
    case needMore
    /// The empty line; it ends at `cursor`.
    case blank
    /// A field line: `line`, `colon`, its CRLF at `cursor`.
    case field
}

extension HeadScan {
    /// Looks for the end of the first line, whose bytes are printable; `allowsText` lets HTAB and bytes from 0x80 on stand in it too.
    /// - Returns: whether `cursor` is at its CRLF. If not, more bytes are needed.
    @inline(always)
    mutating func endOfFirstLine(in bytes: RawSpan, limit: Int, allowsText: Bool) throws(MessageFault) -> Bool {
        let end = min(bytes.byteCount, limit &+ 2)
        while true {
            cursor = allowsText ? bytes.firstControl(from: cursor, to: end) : bytes.firstUnprintable(from: cursor, to: end)
            guard allowsText, cursor < end, bytes[cursor] == 0x09 else { break }
            cursor &+= 1
        }
        return try isLineEnd(in: bytes, end: end, bound: limit &+ 2, orElse: .lineTooLong)
    }

    /// Looks for the end of a field line that begins at `line` and ends before `bound` (RFC 9112, section 5).
    @inline(always)
    mutating func nextLine(in bytes: RawSpan, bound: Int) throws(MessageFault) -> LineStep {
        let end = min(bytes.byteCount, bound)
        if colon == 0 {
            if cursor == line, cursor &+ 1 < end, bytes.half(at: cursor) == 0x0A0D {
                cursor &+= 2
                return .blank
            }
            cursor = bytes.endOfToken(from: cursor, to: end)
            guard cursor < end else { return try needMore(bytes, bound: bound, orElse: .headTooLarge) }
            guard bytes[cursor] == UInt8(ascii: ":"), cursor > line else {
                guard cursor == line, bytes[cursor] == 0x0D else { throw nameFault(bytes[cursor]) }
                guard try isLineEnd(in: bytes, end: end, bound: bound, orElse: .headTooLarge) else { return .needMore }
                cursor &+= 2
                return .blank
            }
            colon = cursor
            cursor &+= 1
        }
        while true {
            cursor = bytes.firstControl(from: cursor, to: end)
            guard cursor < end, bytes[cursor] == 0x09 else { break }
            cursor &+= 1
        }
        return try isLineEnd(in: bytes, end: end, bound: bound, orElse: .headTooLarge) ? .field : .needMore
    }

    /// The line is read; the next one follows its CRLF.
    @inline(always)
    mutating func advance() {
        cursor &+= 2
        line = cursor
        colon = 0
    }

    /// Whether CRLF stands at `cursor`; false if that cannot be known yet.
    @inline(always)
    private func isLineEnd(in bytes: RawSpan, end: Int, bound: Int, orElse tooLong: MessageFault) throws(MessageFault) -> Bool {
        guard cursor < end, bytes[cursor] == 0x0D, cursor &+ 1 < end else {
            if cursor < end, bytes[cursor] != 0x0D { throw valueFault(bytes[cursor]) }
            if bytes.byteCount >= bound { throw tooLong }
            return false
        }
        guard bytes[cursor &+ 1] == 0x0A else { throw .malformed(.bareCarriageReturn) }
        return true
    }

    private func needMore(_ bytes: RawSpan, bound: Int, orElse tooLong: MessageFault) throws(MessageFault) -> LineStep {
        if bytes.byteCount >= bound { throw tooLong }
        return .needMore
    }

    /// What it means that `byte` is where only text or a line end can be.
    private func valueFault(_ byte: UInt8) -> MessageFault {
        switch byte {
        case 0x0A: .malformed(.bareLineFeed)
        case 0x80...: .malformed(.nonASCII)
        default: .malformed(.controlByte)
        }
    }

    /// What it means that `byte`, at `cursor`, is in a name's place.
    private func nameFault(_ byte: UInt8) -> MessageFault {
        switch byte {
        case 0x0A: .malformed(.bareLineFeed)
        case 0x0D: .malformed(.missingColon)
        case 0x20, 0x09: .malformed(cursor == line ? .leadingWhitespace : .whitespaceBeforeColon)
        case UInt8(ascii: ":"): .malformed(.emptyName)
        case 0..<0x20, 0x7F: .malformed(.controlByte)
        default: .malformed(.fieldName)
        }
    }
}
