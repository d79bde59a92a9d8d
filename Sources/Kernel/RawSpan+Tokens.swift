// Comparing bytes from outside with words of a protocol: as bytes, folding ASCII only. A String comparison would call `K` (Kelvin) a `k`.

extension RawSpan {
    /// Whether these bytes are exactly `text`'s.
    @inlinable
    package func isEqual(to text: StaticString) -> Bool {
        guard byteCount == text.utf8CodeUnitCount else { return false }
        let wanted = unsafe text.utf8Start
        for offset in 0..<byteCount where unsafe self[offset] != wanted[offset] { return false }
        return true
    }

    /// Whether these bytes are `lower`, letters of either case alike. `lower` is ASCII without upper-case letters.
    @inlinable
    package func isEqualFolded(to lower: StaticString) -> Bool {
        guard byteCount == lower.utf8CodeUnitCount else { return false }
        let wanted = unsafe lower.utf8Start
        for offset in 0..<byteCount where unsafe self[offset].foldedASCII != wanted[offset] { return false }
        return true
    }

    /// Whether both are the same bytes, letters of either case alike.
    @inlinable
    package func isEqualFolded(to other: RawSpan) -> Bool {
        guard byteCount == other.byteCount else { return false }
        for offset in 0..<byteCount where self[offset].foldedASCII != other[offset].foldedASCII { return false }
        return true
    }
}

extension UInt8 {
    /// An ASCII capital as its small letter; every other byte as it is.
    @inlinable @inline(always)
    package var foldedASCII: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }
}
