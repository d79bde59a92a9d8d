// Sixteen bytes at a time, compared all at once: how heads are searched. The one reinterpretation that this takes is done here.

/// Sixteen bytes of a span. Comparisons between two of them compile to single instructions (with a scalar they do not); `ByteMatches` says where
/// they held.
@usableFromInline package typealias ByteBlock = SIMD16<UInt8>

/// Which bytes of a block a comparison held for: a byte is 0xFF where it did and 0 where it did not.
@usableFromInline package struct ByteMatches: Sendable {
    /// Of the first eight bytes, the first one lowest; and of the last eight.
    @usableFromInline package let low: UInt64
    @usableFromInline package let high: UInt64

    @inlinable @inline(always)
    package init(_ mask: SIMDMask<SIMD16<Int8>>) {
        // A mask is 16 bytes of all ones or all zeros; two words take any bit pattern.
        let words = unsafe unsafeBitCast(mask, to: SIMD2<UInt64>.self)
        low = UInt64(littleEndian: words[0])
        high = UInt64(littleEndian: words[1])
    }

    @inlinable @inline(always)
    package var isEmpty: Bool { low | high == 0 }

    /// The first byte that matched; 16 if none did.
    @inlinable @inline(always)
    package var first: Int {
        low != 0 ? low.trailingZeroBitCount &>> 3 : 8 &+ high.trailingZeroBitCount &>> 3
    }
}

extension SIMD16<UInt8> {
    /// The first eight bytes as a word, the first one lowest; and the last eight.
    @inlinable @inline(always)
    package var words: (low: UInt64, high: UInt64) {
        // Sixteen bytes are two words of any bit pattern.
        let words = unsafe unsafeBitCast(self, to: SIMD2<UInt64>.self)
        return (UInt64(littleEndian: words[0]), UInt64(littleEndian: words[1]))
    }
}

extension RawSpan {
    /// The sixteen bytes from `offset` on.
    @inlinable @inline(always)
    package func block(at offset: Int) -> ByteBlock {
        unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: ByteBlock.self)
    }

    /// The sixteen bytes from `offset` on, zeros for what lies behind the end. `offset` is not negative.
    @inlinable @inline(always)
    package func paddedBlock(at offset: Int) -> ByteBlock {
        offset <= byteCount &- 16 ? block(at: offset) : lastBlock(at: offset)
    }

    /// `paddedBlock` where fewer than sixteen bytes are left. Not inlined: the loop over blocks would carry it along.
    @usableFromInline @inline(never)
    func lastBlock(at offset: Int) -> ByteBlock {
        let left = byteCount - offset
        guard left > 0 else { return ByteBlock() }
        var block = ByteBlock()
        guard byteCount >= 16 else {
            for place in 0..<left { block[place] = self[offset + place] }
            return block
        }
        // The span's last sixteen bytes, moved down.
        let last = self.block(at: byteCount - 16).words
        let bits = UInt64((16 - left) * 8)
        let low = bits < 64 ? last.low &>> bits | last.high << (64 - bits) : last.high &>> (bits - 64)
        let words = SIMD2(low.littleEndian, (bits < 64 ? last.high &>> bits : 0).littleEndian)
        // Two words are sixteen bytes of any bit pattern.
        block = unsafe unsafeBitCast(words, to: ByteBlock.self)
        return block
    }
}
