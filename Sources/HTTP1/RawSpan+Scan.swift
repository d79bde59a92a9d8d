// Eight bytes at a time through a message: where a line, a name or a target ends, and where a byte stands that must not.

internal import Kernel

/// Eight equal bytes and the masks made of them.
enum Bytes {
    @inline(always)
    static func all(_ byte: UInt8) -> UInt64 { UInt64(byte) &* 0x0101_0101_0101_0101 }

    /// The high bit of each byte: where the tests below leave their answer. A set bit may be wrong, but never the lowest one.
    @inline(always)
    static var high: UInt64 { 0x8080_8080_8080_8080 }

    /// The `count` lowest bytes, 0 to 8.
    static func lowest(_ count: Int) -> UInt64 { count >= 8 ? .max : (1 << UInt64(count * 8)) - 1 }

    /// Bytes below 0x20, and 0x7F.
    @inline(always)
    static func control(_ word: UInt64) -> UInt64 {
        ((word &- all(0x20)) & ~word | equal(word, 0x7F)) & high
    }

    /// Bytes that are `byte`; mask with `high`.
    @inline(always)
    static func equal(_ word: UInt64, _ byte: UInt8) -> UInt64 {
        let difference = word ^ all(byte)
        return (difference &- all(1)) & ~difference
    }

    /// Bytes that are no letter, no digit and no `-`.
    @inline(always)
    static func unusualInName(_ word: UInt64) -> UInt64 {
        let seven = word & ~high
        let small = seven | all(0x20)
        let letter = ((small | high) &- all(0x61)) & ~(small &+ all(0x7F - 0x7A))
        let digit = ((seven | high) &- all(0x30)) & ~(seven &+ all(0x7F - 0x39))
        let dash = ~((seven ^ all(0x2D)) &+ all(0x7F))
        return (~(letter | digit | dash) | word) & high
    }
}

extension UInt8 {
    /// RFC 9110, section 5.6.2: a byte of a token.
    @inline(always)
    var isTokenByte: Bool {
        // Bit n of the first word is byte n, of the second byte 64 + n.
        let low: UInt64 = 0x03FF_6CFA_0000_0000
        let high: UInt64 = 0x57FF_FFFF_C7FF_FFFE
        return self < 128 && (self < 64 ? low : high) &>> UInt64(self & 63) & 1 == 1
    }

    @inline(always)
    var isBlank: Bool { self == 0x20 || self == 0x09 }

    @inline(always)
    var isDigit: Bool { self &- 0x30 < 10 }
}

extension RawSpan {
    /// The word at `offset`, zeros for what lies behind the end. `offset` is within the span.
    @inline(always)
    func paddedWord(at offset: Int) -> UInt64 {
        offset <= byteCount &- 8 ? word(at: offset) : lastWord(at: offset)
    }

    /// `paddedWord` where fewer than eight bytes are left. Not inlined: the loop over words would carry its arithmetic along.
    @inline(never)
    private func lastWord(at offset: Int) -> UInt64 {
        let left = byteCount - offset
        guard left > 0 else { return 0 }
        if byteCount >= 8 { return word(at: byteCount - 8) &>> UInt64((8 - left) * 8) }
        var word: UInt64 = 0
        for place in 0..<left { word |= UInt64(self[offset + place]) &<< UInt64(place * 8) }
        return word
    }

    /// The first control byte of `start..<end`, or `end`. HTAB counts as one, bytes from 0x80 on do not.
    @inline(always)
    func firstControl(from start: Int, to end: Int) -> Int {
        first(from: start, to: end) { Bytes.control($0) }
    }

    /// The first byte of `start..<end` that is a control byte or not ASCII, or `end`.
    @inline(always)
    func firstUnprintable(from start: Int, to end: Int) -> Int {
        first(from: start, to: end) { (Bytes.control($0) | $0) & Bytes.high }
    }

    /// The first of the bytes that shape a request target, SP, `#` and `?`, or `end`.
    @inline(always)
    func firstDelimiter(from start: Int, to end: Int) -> Int {
        first(from: start, to: end) {
            (Bytes.equal($0, 0x20) | Bytes.equal($0, 0x23) | Bytes.equal($0, 0x3F)) & Bytes.high
        }
    }

    /// The first byte of `start..<end` that is no token byte, or `end`.
    @inline(always)
    func endOfToken(from start: Int, to end: Int) -> Int {
        var offset = start
        while true {
            offset = endOfNameBytes(from: offset, to: end)
            guard offset < end, self[offset].isTokenByte else { return offset }
            offset &+= 1
        }
    }

    /// The first byte of `start..<end` that is no letter, no digit and no `-`, or `end`.
    @inline(always)
    func endOfNameBytes(from start: Int, to end: Int) -> Int {
        first(from: start, to: end) { Bytes.unusualInName($0) }
    }

    /// The first byte of `start..<end` whose bit `test` sets, or `end`. What `test` says of bytes behind `end` does not matter.
    @inline(always)
    private func first(from start: Int, to end: Int, where test: (UInt64) -> UInt64) -> Int {
        var offset = start
        while offset < end {
            let found = test(paddedWord(at: offset))
            if found != 0 { return min(offset &+ found.trailingZeroBitCount &>> 3, end) }
            offset &+= 8
        }
        return end
    }

    /// `start..<end` without the spaces and tabs around it (RFC 9110, section 5.6.3).
    @inline(always)
    func trimmed(from start: Int, to end: Int) -> ByteRange {
        var lower = start
        var upper = end
        while lower < upper, self[lower].isBlank { lower &+= 1 }
        while upper > lower, self[upper &- 1].isBlank { upper &-= 1 }
        return ByteRange(lower, upper)
    }
}
