// Where something stands in a head: offsets, so that a parsed head owns no bytes and a buffer may move.

/// Bytes `lower..<upper`, counted from the first byte of the head they belong to.
@usableFromInline
package struct ByteRange: Equatable, Sendable {
    @usableFromInline package var lower: UInt32
    @usableFromInline package var upper: UInt32

    /// Nothing, at the head's start.
    package static let empty = ByteRange(0, 0)

    /// `lower <= upper`; a head is shorter than 4 GiB (`HeadLimits` sees to it).
    @inlinable @inline(always)
    package init(_ lower: Int, _ upper: Int) {
        self.lower = UInt32(truncatingIfNeeded: lower)
        self.upper = UInt32(truncatingIfNeeded: upper)
    }

    @inlinable @inline(always)
    package var isEmpty: Bool { lower == upper }

    @inlinable @inline(always)
    package var count: Int { Int(upper) &- Int(lower) }
}

extension RawSpan {
    /// The bytes a parsed head speaks of. `self` begins with that head.
    @inlinable @inline(always)
    package subscript(range: ByteRange) -> RawSpan {
        @_lifetime(copy self)
        get { extracting(Int(range.lower)..<Int(range.upper)) }
    }
}
