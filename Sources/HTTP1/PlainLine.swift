// One field line the short way: whole, ordinary, its name known at the first look.

internal import Kernel

/// A line of the form that nearly every line has. What is none of these is no fault yet: `HeadScan` reads it again, byte by byte where it must.
struct PlainLine {
    let id: FieldID
    /// Where the colon stands, and the CRLF.
    let colon: Int
    let end: Int
    let value: ByteRange

    /// Reads the line that begins at `start`; nil unless it ends with CRLF before `bound`, holds no other control byte and has a name of 1 to
    /// 31 token bytes, none of them `_`.
    @inline(always)
    init?(_ bytes: RawSpan, from start: Int, to bound: Int, _ table: borrowing FieldTable) {
        var block = bytes.paddedBlock(at: start)
        let colons = ByteMatches(block .== ByteBlock(repeating: 0x3A))
        var controls = ByteMatches(PlainLine.control(block))
        let (first, second) = block.words

        // The first control byte of the whole line is its CR, or this is no plain line. Behind the end there are zeros.
        var at = start
        while controls.isEmpty {
            at &+= 16
            block = bytes.paddedBlock(at: at)
            controls = ByteMatches(PlainLine.control(block))
        }
        let end = at &+ controls.first
        guard end &+ 1 < bound, bytes.half(at: end) == 0x0A0D else { return nil }

        // A known name has no byte that it must not have, once it is clear that the line has no control byte: the fold makes no other byte one
        // of such a name's.
        let colon: Int
        let known: FieldID?
        if colons.low != 0 {
            colon = start &+ colons.low.trailingZeroBitCount &>> 3
            known = table.short((first | Bytes.all(0x20)) & PlainLine.before(colons.low), 0)
        } else if colons.high != 0 {
            colon = start &+ 8 &+ colons.high.trailingZeroBitCount &>> 3
            known = table.short(first | Bytes.all(0x20), (second | Bytes.all(0x20)) & PlainLine.before(colons.high))
        } else {
            let more = ByteMatches(bytes.paddedBlock(at: start &+ 16) .== ByteBlock(repeating: 0x3A))
            guard !more.isEmpty else { return nil }
            colon = start &+ 16 &+ more.first
            guard colon < end else { return nil }
            let name = FoldedName(bytes, from: start, to: colon)
            guard !name.hasUnderscore else { return nil }
            known = table.exact(name)
        }
        guard colon < end, colon > start else { return nil }
        if let known {
            id = known
        } else {
            guard let family = PlainLine.family(bytes, from: start, to: colon) else { return nil }
            id = family
        }
        self.colon = colon
        self.end = end
        // One space before, none behind: as nearly all write it. What is greater than a space is no CR, so it stands before the end.
        let lead = bytes.half(at: colon &+ 1)
        value =
            lead & 0xFF == 0x20 && lead > 0x20FF && bytes[end &- 1] > 0x20
            ? ByteRange(colon &+ 2, end) : bytes.trimmed(from: colon &+ 1, to: end)
    }

    /// The bytes below the lowest that is marked.
    @inline(always)
    private static func before(_ marks: UInt64) -> UInt64 { (marks &- 1) & ~marks }

    @inline(always)
    private static func control(_ block: ByteBlock) -> SIMDMask<SIMD16<Int8>> {
        (block .< ByteBlock(repeating: 0x20)) .| (block .== ByteBlock(repeating: 0x7F))
    }

    /// What a name is that is none of the known; nil if it has a byte other than letters, digits and `-`.
    @inline(never)
    private static func family(_ bytes: RawSpan, from start: Int, to colon: Int) -> FieldID? {
        guard bytes.endOfNameBytes(from: start, to: colon) == colon else { return nil }
        return FieldTable.family(of: FoldedName(bytes, from: start, to: colon))
    }
}
