// A value that must not be seen: wiped when released, without description, never a String.

internal import CLinux

/// The bytes of one secret. Has no description, no equality in variable time, no encoding: it cannot be printed by accident.
@safe package final class Secret: Sendable {
    private nonisolated(unsafe) let base: UnsafeMutableRawPointer
    package let count: Int

    /// Takes the bytes over; the caller wipes his own.
    package init(copying bytes: RawSpan) {
        count = bytes.byteCount
        unsafe base = .allocate(byteCount: max(count, 1), alignment: 16)
        unsafe bytes.withUnsafeBytes { source in
            guard let address = source.baseAddress else { return }
            unsafe base.copyMemory(from: address, byteCount: source.count)
        }
    }

    deinit {
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
}
