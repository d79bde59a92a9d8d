// Scratch memory for secrets: on its way from a cipher or a random source to where it is kept.

internal import CLinux

/// A block of bytes that is zeroed when it goes. It moves, but is never copied, and prints as nothing.
@safe package struct WipedBytes: ~Copyable {
    private let base: UnsafeMutableRawPointer
    package let count: Int

    /// `count` zero bytes.
    package init(count: Int) {
        precondition(count >= 0, "a block has no negative size")
        self.count = count
        unsafe base = .allocate(byteCount: max(count, 1), alignment: 16)
        unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: max(count, 1))
    }

    deinit {
        // Not a plain store: the compiler may drop what nobody reads again.
        unsafe explicit_bzero(base, count)
        unsafe base.deallocate()
    }

    package var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(base), byteCount: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    package var mutableBytes: MutableRawSpan {
        @_lifetime(&self)
        mutating get {
            let span = unsafe MutableRawSpan(_unsafeStart: base, byteCount: count)
            return unsafe _overrideLifetime(span, mutating: &self)
        }
    }
}

/// Zeroes `span` in a way that the compiler may not drop.
package func wipe(_ span: inout MutableRawSpan) {
    unsafe span.withUnsafeMutableBytes { buffer in
        guard let address = buffer.baseAddress else { return }
        unsafe explicit_bzero(address, buffer.count)
    }
}
