// Reading bytes and words out of a RawSpan. Bounds are checked; integers take any bit pattern, so the loads are sound.

extension RawSpan {
    /// The byte at `offset` from the start.
    @inlinable @inline(always)
    package subscript(offset: Int) -> UInt8 {
        unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    /// Two bytes from `offset` on, the first one lower.
    @inlinable @inline(always)
    package func half(at offset: Int) -> UInt16 {
        UInt16(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    /// Eight bytes from `offset` on, the first one lowest.
    @inlinable @inline(always)
    package func word(at offset: Int) -> UInt64 {
        UInt64(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// A copy, for where bytes must outlive their buffer.
    package func copied() -> [UInt8] {
        (0..<byteCount).map { self[$0] }
    }
}

extension Span where Element == UInt8 {
    /// The same bytes as a RawSpan. Bytes have no padding to reveal, so the raw view is sound.
    @inlinable
    package var raw: RawSpan {
        @_lifetime(copy self)
        get { unsafe bytes }
    }
}
