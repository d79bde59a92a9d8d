// Randomness from the kernel: what nonces, keys, identifiers and jitter are made of.

internal import CLinux

/// The kernel's random source (getrandom, random(7)). As a generator it can be handed to whoever takes randomness as a parameter.
package struct SecureRandom: RandomNumberGenerator, Sendable {
    package init() {}

    /// Eight random bytes; one system call, so bulk is better had from `fill`.
    package mutating func next() -> UInt64 {
        var word: UInt64 = 0
        unsafe withUnsafeMutableBytes(of: &word) { unsafe SecureRandom.fill($0) }
        return word
    }

    /// Overwrites the whole of `span` with random bytes. Blocks only on a machine so newly booted that it has no entropy yet.
    package static func fill(_ span: inout MutableRawSpan) {
        unsafe span.withUnsafeMutableBytes { unsafe fill($0) }
    }

    /// `count` random bytes. For secrets, `fill` a `WipedBytes` instead.
    package static func bytes(_ count: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            unsafe fill(UnsafeMutableRawBufferPointer(buffer))
            filled = count
        }
    }

    // Unsafe because getrandom writes through a pointer; it is told the buffer's own length.
    private static func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        var filled = 0
        while filled < buffer.count {
            let n = unsafe getrandom(buffer.baseAddress.map { unsafe $0 + filled }, buffer.count - filled, 0)
            // EINTR is the only failure that getrandom(2) knows for a valid buffer and no flags.
            precondition(n > 0 || claviger_errno() == EINTR, "the kernel gives randomness: getrandom, Linux 3.17 or later")
            filled += max(n, 0)
        }
    }
}

extension Double {
    /// Evenly from 0 to just below 1, for a random word.
    package init(evenlyFrom word: UInt64) {
        self = Double(word >> 11) / Double(1 << 53)
    }
}
