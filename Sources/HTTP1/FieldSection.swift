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

    init() {
        lines.reserveCapacity(32)
        nominated.reserveCapacity(4)
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
        for index in lines.indices where lines[index].id == id && !lines[index].hasUnderscore { return lines[index] }
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
        let table = FieldTable.known
        let bound = scan.fields &+ limits.head
        var progress = scan
        while true {
            let known = Self.skipKnownName(bytes, &progress, table, bound)
            switch try progress.nextLine(in: bytes, bound: bound) {
            case .field: try take(bytes, progress, known ?? Self.name(bytes, progress, table), limits)
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

    /// A field's identity and whether its name has a `_`.
    private typealias Name = (id: FieldID, hasUnderscore: Bool)

    /// Steps over the name of a line that is begun, if it is all there and an exactly known one: such a name has no byte that it must not have.
    /// Any other is left to `nextLine`, which looks at every byte.
    @inline(always)
    private static func skipKnownName(_ bytes: RawSpan, _ scan: inout HeadScan, _ table: FieldTable, _ bound: Int) -> Name? {
        guard scan.colon == 0, scan.cursor == scan.line else { return nil }
        let end = min(bytes.byteCount, bound)
        let stop = bytes.firstColonOrControl(from: scan.line, to: end)
        guard stop < end, stop > scan.line, bytes[stop] == UInt8(ascii: ":") else { return nil }
        let name = FoldedName(bytes, from: scan.line, to: stop)
        guard let id = table.exact(name) else { return nil }
        scan.colon = stop
        scan.cursor = stop &+ 1
        return (id, name.hasUnderscore)
    }

    private static func name(_ bytes: RawSpan, _ scan: HeadScan, _ table: FieldTable) -> Name {
        let name = FoldedName(bytes, from: scan.line, to: scan.colon)
        return (table.id(of: name), name.hasUnderscore)
    }

    @inline(always)
    private mutating func take(
        _ bytes: RawSpan, _ scan: HeadScan, _ name: Name, _ limits: HeadLimits
    ) throws(MessageFault) {
        guard lines.count < limits.fields else { throw .headTooLarge }
        let id = name.id
        let value = bytes.trimmed(from: scan.colon &+ 1, to: scan.cursor)
        lines.append(
            FieldLine(
                id: id, hasUnderscore: name.hasUnderscore, name: ByteRange(scan.line, scan.colon), value: value,
                line: ByteRange(scan.line, scan.cursor &+ 2)))
        guard id != .other else { return }
        if name.hasUnderscore {
            guard id != .contentLength, id != .transferEncoding else { throw .malformed(.underscoredFraming) }
            return
        }
        let isRepeated = seen & id.bit != 0
        if isRepeated { repeated |= id.bit }
        seen |= id.bit
        switch id {
        case .contentLength: try takeContentLength(bytes[value], isRepeated)
        case .transferEncoding: try takeTransferEncoding(bytes[value], isRepeated)
        case .connection: try takeConnection(bytes, value, limits)
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
        var value = 0
        for offset in 0..<byteCount {
            guard self[offset].isDigit else { return nil }
            let (tens, tooLong) = value.multipliedReportingOverflow(by: 10)
            let (sum, over) = tens.addingReportingOverflow(Int(self[offset] &- 0x30))
            guard !tooLong, !over, sum <= most else { return nil }
            value = sum
        }
        return value
    }
}
