// A block that fills up to its end and no further: what a thread leaves for another to take whole.

internal import CLinux

/// Moves, is never copied. Memory is only touched where bytes were put, so an unused block costs address space alone.
@safe package struct BoundedBytes: ~Copyable, Sendable {
    private nonisolated(unsafe) let base: UnsafeMutableRawPointer
    package let capacity: Int
    package private(set) var count = 0

    package init(capacity: Int) {
        precondition(capacity > 0, "a block holds at least one byte")
        self.capacity = capacity
        unsafe base = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit {
        unsafe base.deallocate()
    }

    package var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(base), byteCount: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// Puts all of `bytes` behind what is there; false, and nothing put, where they do not fit.
    package mutating func append(_ bytes: RawSpan) -> Bool {
        let n = bytes.byteCount
        guard n <= capacity - count else { return false }
        unsafe bytes.withUnsafeBytes { source in
            guard let address = source.baseAddress else { return }
            unsafe (base + count).copyMemory(from: address, byteCount: n)
        }
        count += n
        return true
    }

    package mutating func clear() {
        count = 0
    }
}
