// The bytes of one side of a connection: received at the end, consumed at the front. HTTP1's only unsafe file.

internal import Kernel

/// A block of memory with readable bytes in its middle. Not shared between threads; a worker lends it to a connection and takes it back.
///
/// Offsets that others hold (a parsed head's ranges) count from `bytes`' start, so they hold until the next `consume`, `compact` or `reserve`.
@safe @usableFromInline package final class ByteBuffer {
    // A buffer belongs to one thread, and no method calls out while it touches these: asking the runtime for exclusive access, several times
    // an append, would cost half of what writing a head costs.
    @exclusivity(unchecked) @usableFromInline var storedBase: UnsafeMutableRawPointer
    @exclusivity(unchecked) @usableFromInline var storedCapacity: Int
    @exclusivity(unchecked) @usableFromInline var storedStart = 0
    @exclusivity(unchecked) @usableFromInline var storedEnd = 0

    @usableFromInline var base: UnsafeMutableRawPointer {
        @inlinable @inline(always) get { unsafe storedBase }
        @inlinable @inline(always) set { unsafe storedBase = newValue }
    }

    @usableFromInline package internal(set) var capacity: Int {
        @inlinable @inline(always) get { unsafe storedCapacity }
        @inlinable @inline(always) set { unsafe storedCapacity = newValue }
    }

    @usableFromInline var start: Int {
        @inlinable @inline(always) get { unsafe storedStart }
        @inlinable @inline(always) set { unsafe storedStart = newValue }
    }

    @usableFromInline var end: Int {
        @inlinable @inline(always) get { unsafe storedEnd }
        @inlinable @inline(always) set { unsafe storedEnd = newValue }
    }

    package init(capacity: Int) {
        precondition(capacity > 0, "a buffer holds at least one byte")
        unsafe storedCapacity = capacity
        unsafe storedBase = .allocate(byteCount: capacity, alignment: 16)
    }

    /// A buffer that holds `bytes` and has no room to spare.
    package convenience init(_ bytes: [UInt8]) {
        self.init(capacity: max(bytes.count, 1))
        append(bytes)
    }

    deinit {
        unsafe base.deallocate()
    }

    /// How many bytes are readable.
    @inlinable @inline(always)
    package var count: Int { end &- start }

    @inlinable @inline(always)
    package var isEmpty: Bool { end == start }

    /// How many bytes fit behind the readable ones without moving anything.
    @inlinable @inline(always)
    package var space: Int { capacity &- end }

    /// The readable bytes.
    @inlinable @inline(always)
    package var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(base + start), byteCount: end - start)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// Drops `n` readable bytes from the front; an emptied buffer starts over.
    @inlinable
    package func consume(_ n: Int) {
        precondition(n >= 0 && n <= count, "no more is consumed than is there")
        start += n
        if start == end { start = 0; end = 0 }
    }

    /// Swaps memory and contents with `other`: so a pool lends memory to a buffer that stays where it is.
    @inlinable
    package func exchange(with other: ByteBuffer) {
        // Plain reads and writes: a swap in place would hold the properties open, and every access elsewhere would be checked for it.
        let (base, capacity, start, end) = unsafe (base, capacity, start, end)
        unsafe self.base = other.base
        (self.capacity, self.start, self.end) = (other.capacity, other.start, other.end)
        unsafe other.base = base
        (other.capacity, other.start, other.end) = (capacity, start, end)
    }

    @inlinable
    package func clear() {
        start = 0
        end = 0
    }

    /// Moves the readable bytes to the front, so that all free space is behind them.
    package func compact() {
        guard start > 0 else { return }
        unsafe base.copyMemory(from: base + start, byteCount: count)
        end -= start
        start = 0
    }

    /// Makes room for `n` more bytes, moving or growing as it must.
    @inlinable @inline(always)
    package func reserve(_ n: Int) {
        guard space < n else { return }
        grow(n)
    }

    @usableFromInline @inline(never)
    func grow(_ n: Int) {
        compact()
        guard space < n else { return }
        let grown = max(capacity * 2, end + n)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: grown, alignment: 16)
        unsafe larger.copyMemory(from: base, byteCount: end)
        unsafe base.deallocate()
        unsafe base = larger
        capacity = grown
    }

    /// Hands the free space to `body`, which says how many bytes of it, from the front, it filled.
    package func fill<E: Error>(_ body: (inout MutableRawSpan) throws(E) -> Int) throws(E) -> Int {
        var span = unsafe MutableRawSpan(_unsafeStart: base + end, byteCount: capacity - end)
        let filled = try body(&span)
        precondition(filled >= 0 && filled <= capacity - end, "no more is filled than there was room")
        end += filled
        return filled
    }

    @inlinable @inline(always)
    package func append(_ bytes: RawSpan) {
        let n = bytes.byteCount
        reserve(n)
        unsafe bytes.withUnsafeBytes { source in
            guard let address = source.baseAddress else { return }
            unsafe (base + end).copyMemory(from: address, byteCount: n)
        }
        end += n
    }

    @inlinable @inline(always)
    package func append(_ text: StaticString) {
        let n = text.utf8CodeUnitCount
        reserve(n)
        unsafe (base + end).copyMemory(from: text.utf8Start, byteCount: n)
        end += n
    }

    package func append(_ bytes: [UInt8]) {
        append(bytes.span.raw)
    }

    // A literal is a StaticString's: its bytes need no looking for.
    @_disfavoredOverload
    package func append(_ text: String) {
        append(text.utf8Span.span.raw)
    }

    @inlinable @inline(always)
    package func append(byte: UInt8) {
        reserve(1)
        unsafe (base + end).storeBytes(of: byte, as: UInt8.self)
        end += 1
    }

    /// Eight bytes, the lowest one first.
    @inlinable @inline(always)
    package func append(word: UInt64) {
        reserve(8)
        unsafe (base + end).storeBytes(of: word.littleEndian, as: UInt64.self)
        end += 8
    }

    /// `value` in decimal digits, as Content-Length wants it (RFC 9110, section 8.6).
    package func append(decimal value: Int) {
        if value >= 0, value < 100_000_000 {
            // At most eight digits: put together in a word, the last one first.
            var rest = UInt32(truncatingIfNeeded: value)
            var digits: UInt64 = 0
            var count = 0
            repeat {
                digits = digits << 8 | UInt64(rest % 10 + 0x30)
                rest /= 10
                count &+= 1
            } while rest > 0
            append(word: digits)
            end &-= 8 &- count
            return
        }
        append(digits: UInt(value.magnitude), radix: 10, negative: value < 0)
    }

    /// `value` in hexadecimal digits, as a chunk's size wants it (RFC 9112, section 7.1).
    package func append(hexadecimal value: Int) {
        precondition(value >= 0, "a size is not negative")
        append(digits: UInt(value), radix: 16, negative: false)
    }

    private func append(digits value: UInt, radix: UInt, negative: Bool) {
        reserve(20)
        if negative { append(byte: UInt8(ascii: "-")) }
        var length = 1
        var rest = value / radix
        while rest > 0 { length += 1; rest /= radix }
        rest = value
        for place in stride(from: length - 1, through: 0, by: -1) {
            let digit = UInt8(truncatingIfNeeded: rest % radix)
            unsafe (base + end + place).storeBytes(of: digit + (digit < 10 ? 48 : 87), as: UInt8.self)
            rest /= radix
        }
        end += length
    }
}
