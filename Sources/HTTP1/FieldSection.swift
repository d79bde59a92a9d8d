// The fields of a head, requests' and responses' alike: their lines, and what they say about framing and the connection.

internal import Kernel

/// One header field as it stands in the head.
package struct FieldLine: Sendable, Equatable {
    package var id: FieldID
    /// The name had a `_`: whatever `id` says, it is not that field, only something an upstream may take for it.
    package var hasUnderscore: Bool
    package var name: ByteRange
    /// Without the white space around it; may hold bytes from 0x80 on, never a control byte other than HTAB.
    package var value: ByteRange
    /// The whole line, its CRLF included.
    package var line: ByteRange

    @inline(always)
    init(id: FieldID, hasUnderscore: Bool, start: Int, colon: Int, value: ByteRange, end: Int) {
        self.id = id
        self.hasUnderscore = hasUnderscore
        self.value = value
        name = ByteRange(start, colon)
        line = ByteRange(start, end)
    }
}

/// Reused from head to head: the arrays keep their storage, so that parsing allocates nothing once warm.
struct FieldSection: ~Copyable, Sendable {
    private(set) var lines: [FieldLine] = []
    /// The names in `Connection`, less `close` and `keep-alive`.
    private(set) var nominated: [ByteRange] = []
    /// Fields seen, and seen more than once; spelt properly.
    private(set) var seen: UInt64 = 0
    private(set) var repeated: UInt64 = 0
    private(set) var contentLength: Int?
    /// Connection named `close`, or `keep-alive`.
    private(set) var closes = false
    private(set) var keepsAlive = false
    // Its own reference: asking for the shared one costs a look at whether it is there.
    private let table = FieldTable.known

    /// - Parameter usual: how many lines there is room for before the storage grows.
    init(usual: Int) {
        lines.reserveCapacity(usual)
    }

    mutating func clear() {
        lines.removeAll(keepingCapacity: true)
        if !nominated.isEmpty { nominated.removeAll(keepingCapacity: true) }
        seen = 0
        repeated = 0
        contentLength = nil
        closes = false
        keepsAlive = false
    }

    @inline(always)
    func has(_ id: FieldID) -> Bool { seen & id.bit != 0 }

    @inline(always)
    func first(_ id: FieldID) -> FieldLine? {
        guard has(id) else { return nil }
        for index in lines.indices where lines[index].id.rawValue == id.rawValue && !lines[index].hasUnderscore { return lines[index] }
        return nil
    }

    func count(of id: FieldID) -> Int {
        guard repeated & id.bit != 0 else { return has(id) ? 1 : 0 }
        return lines.reduce(into: 0) { $0 += $1.id == id && !$1.hasUnderscore ? 1 : 0 }
    }

    /// Reads field lines up to and with the empty line.
    /// - Returns: whether it was there; `scan.cursor` is then behind it.
    /// - Throws: `malformed`, `headTooLarge`.
    mutating func parse(_ bytes: RawSpan, scan: inout HeadScan, limits: HeadLimits) throws(MessageFault) -> Bool {
        let bound = scan.fields &+ limits.head
        var progress = scan
        while true {
            // Lines that are all there and as nearly all are take the short way; every other is left to `nextLine`, which knows all faults.
            if progress.colon == 0, progress.cursor == progress.line {
                let taken = lines.count
                // As many at once as a mask has bits.
                let room = min(max(lines.capacity &- taken, 8), limits.fields &- taken, 64)
                var telling = Self.takePlainLines(
                    bytes, from: &progress.line, to: min(bytes.byteCount, bound), table, room, into: &lines, &seen, &repeated)
                progress.cursor = progress.line
                while telling != 0 {
                    try takeValue(of: lines[taken &+ telling.trailingZeroBitCount], bytes, limits)
                    telling &= telling &- 1
                }
            }
            switch try progress.nextLine(in: bytes, bound: bound) {
            case .field:
                let name = FoldedName(bytes, from: progress.line, to: progress.colon)
                let line = FieldLine(
                    id: table.id(of: name), hasUnderscore: name.hasUnderscore, start: progress.line, colon: progress.colon,
                    value: bytes.trimmed(from: progress.colon &+ 1, to: progress.cursor), end: progress.cursor &+ 2)
                try take(line, bytes, limits)
            case .needMore:
                scan = progress
                return false
            case .blank:
                scan = progress
                return true
            }
            progress.advance()
        }
    }

    /// Takes the lines from `line` on, `room` at most and no more than 64, as long as they are whole and plain, and moves `line` behind them.
    /// - Returns: a bit for each line taken whose value is yet to be looked at, the first line's lowest.
    @inline(always)
    private static func takePlainLines(
        _ bytes: RawSpan, from line: inout Int, to end: Int, _ table: FieldTable, _ room: Int, into lines: inout [FieldLine],
        _ allSeen: inout UInt64, _ allRepeated: inout UInt64
    ) -> UInt64 {
        guard room > 0 else { return 0 }
        var start = line
        var telling: UInt64 = 0
        var (seen, repeated) = (allSeen, allRepeated)
        lines.append(addingCapacity: room) { (lines: inout OutputSpan<FieldLine>) in
            while !lines.isFull, start &+ 1 < end, bytes[start] != 0x0D {
                guard let plain = PlainLine(bytes, from: start, to: end, table) else { return }
                let bit = plain.id.bit
                if bit & Self.telling == 0 {
                    repeated |= seen & bit & ~FieldID.other.bit
                    seen |= bit & ~FieldID.other.bit
                } else {
                    telling |= 1 &<< UInt64(lines.count)
                }
                lines.append(
                    FieldLine(id: plain.id, hasUnderscore: false, start: start, colon: plain.colon, value: plain.value, end: plain.end &+ 2))
                start = plain.end &+ 2
            }
        }
        (allSeen, allRepeated) = (seen, repeated)
        line = start
        return telling
    }

    /// The fields whose values say something about the message as a whole.
    private static var telling: UInt64 {
        @inline(always) get { FieldID.contentLength.bit | FieldID.transferEncoding.bit | FieldID.connection.bit }
    }

    private mutating func take(_ line: FieldLine, _ bytes: RawSpan, _ limits: HeadLimits) throws(MessageFault) {
        guard lines.count < limits.fields else { throw .headTooLarge }
        lines.append(line)
        guard line.id != .other else { return }
        if line.hasUnderscore {
            guard line.id != .contentLength, line.id != .transferEncoding else { throw .malformed(.underscoredFraming) }
            return
        }
        try takeValue(of: line, bytes, limits)
    }

    /// What a known field, properly spelt, says by being there and by its value.
    private mutating func takeValue(of line: FieldLine, _ bytes: RawSpan, _ limits: HeadLimits) throws(MessageFault) {
        let bit = line.id.bit
        let isRepeated = seen & bit != 0
        if isRepeated { repeated |= bit }
        seen |= bit
        switch line.id {
        case .contentLength: try takeContentLength(bytes[line.value], isRepeated)
        case .transferEncoding: try takeTransferEncoding(bytes[line.value], isRepeated)
        case .connection: try takeConnection(bytes, line.value, limits)
        default: break
        }
    }

    /// RFC 9112, section 6.3. More than one is refused even where they agree.
    private mutating func takeContentLength(_ value: RawSpan, _ isRepeated: Bool) throws(MessageFault) {
        guard !isRepeated else { throw .malformed(.contentLengthRepeated) }
        guard let length = value.decimal(atMost: BodyLength.most) else { throw .malformed(.contentLength) }
        contentLength = length
    }

    /// RFC 9112, section 6.1. The one coding that frames and that everybody reads alike.
    private func takeTransferEncoding(_ value: RawSpan, _ isRepeated: Bool) throws(MessageFault) {
        guard !isRepeated else { throw .malformed(.transferEncodingRepeated) }
        guard value.isEqualFolded(to: "chunked") else { throw .malformed(.transferCoding) }
    }

    /// RFC 9110, section 7.6.1: a list of tokens, empty elements allowed.
    private mutating func takeConnection(_ bytes: RawSpan, _ value: ByteRange, _ limits: HeadLimits) throws(MessageFault) {
        let end = Int(value.upper)
        var start = Int(value.lower)
        // As most write it: `keep-alive` alone, in any case.
        if value.count == 10, bytes.word(at: start) | Bytes.all(0x20) == 0x696C_612D_7065_656B,
            bytes.word(at: start &+ 2) | Bytes.all(0x20) == 0x6576_696C_612D_7065
        {
            keepsAlive = true
            return
        }
        while start < end {
            while start < end, bytes[start].isBlank || bytes[start] == UInt8(ascii: ",") { start += 1 }
            guard start < end else { return }
            let stop = bytes.endOfToken(from: start, to: end)
            guard stop > start else { throw .malformed(.connectionOption) }
            let option = ByteRange(start, stop)
            if bytes[option].isEqualFolded(to: "close") {
                closes = true
            } else if bytes[option].isEqualFolded(to: "keep-alive") {
                keepsAlive = true
            } else {
                guard nominated.count < limits.fields else { throw .headTooLarge }
                nominated.append(option)
            }
            start = stop
            while start < end, bytes[start].isBlank { start += 1 }
            guard start == end || bytes[start] == UInt8(ascii: ",") else { throw .malformed(.connectionOption) }
        }
    }

    /// Whether the connection outlives the message (RFC 9112, section 9.3).
    func isPersistent(minorVersion: Int) -> Bool {
        !closes && (minorVersion == 1 || keepsAlive)
    }
}

extension RawSpan {
    /// These bytes, 1 to 19 digits and nothing else, as a number; nil if they are not that or it is greater than `most`.
    func decimal(atMost most: Int) -> Int? {
        guard byteCount > 0, byteCount <= 19 else { return nil }
        // 19 digits are below 2^64.
        var value: UInt64 = 0
        for offset in 0..<byteCount {
            let digit = self[offset] &- 0x30
            guard digit < 10 else { return nil }
            value = value &* 10 &+ UInt64(digit)
        }
        return value <= UInt64(most) ? Int(value) : nil
    }
}
