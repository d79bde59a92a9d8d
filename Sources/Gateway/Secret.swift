// A value that must not be seen: wiped when released, without description, never a String.

package import Kernel

/// The bytes of one secret, in locked memory. It has no description, no encoding, no equality, and shows nothing to a mirror:
/// printed, dumped or interpolated it is the name of its type.
package final class Secret: Sendable {
    private let buffer: LockedBuffer

    /// Takes the buffer over: what a secret made of parts is built in.
    package init(_ buffer: consuming LockedBuffer) {
        self.buffer = buffer
    }

    /// Takes the bytes over; the caller wipes his own.
    package convenience init(copying bytes: RawSpan) {
        self.init(LockedBuffer(copying: bytes))
    }

    /// `count` bytes of the kernel's generator.
    package static func random(count: Int) -> Secret {
        var buffer = LockedBuffer(capacity: count)
        buffer.appendRandom(count)
        return Secret(buffer)
    }

    package var count: Int { buffer.count }

    package var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            // The buffer is a constant of ours: its bytes stay where they are as long as we live.
            let span = unsafe RawSpan(_unsafeStart: buffer.start, byteCount: buffer.count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// Whether both have the same bytes. Takes equally long wherever secrets of one length differ.
    package func isSame(as other: Secret) -> Bool {
        guard count == other.count else { return false }
        let (left, right) = (bytes, other.bytes)
        var difference: UInt8 = 0
        for at in 0..<left.byteCount { difference |= left[at] ^ right[at] }
        return difference == 0
    }
}

extension Secret: CustomReflectable {
    package var customMirror: Mirror { Mirror(self, children: []) }
}
