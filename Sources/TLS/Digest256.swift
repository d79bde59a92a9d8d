// A SHA-256 digest as four words: what keys are stored as, and what users and cache entries are known by.

internal import COpenSSL

/// The 32 bytes of a SHA-256 (FIPS 180-4), first byte in the first word's highest place.
package struct Digest256: Hashable, Sendable {
    package let words: (UInt64, UInt64, UInt64, UInt64)

    package init(words: (UInt64, UInt64, UInt64, UInt64)) {
        self.words = words
    }

    /// The digest whose 32 bytes are given.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        func word(_ at: Int) -> UInt64 { bytes[at..<at + 8].reduce(0) { $0 << 8 | UInt64($1) } }
        words = (word(0), word(8), word(16), word(24))
    }

    /// The digest written as 64 hexadecimal digits.
    package init?(hexadecimal text: String) {
        let digits = Array(text.utf8)
        guard digits.count == 64 else { return nil }
        var bytes: [UInt8] = []
        for at in stride(from: 0, to: 64, by: 2) {
            guard let high = Digest256.nibble(digits[at]), let low = Digest256.nibble(digits[at + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        self.init(bytes: bytes)
    }

    /// Hashes `bytes`: one pass, no allocation, no lock (the low-level interface; EVP would fetch and lock).
    package init(hashing bytes: RawSpan) {
        var context = SHA256_CTX()
        unsafe SHA256_Init(&context)
        self.init(hashing: bytes, after: context)
    }

    /// Goes on hashing from `context`, which stays as it was.
    init(hashing bytes: RawSpan, after context: SHA256_CTX) {
        var context = context
        unsafe bytes.withUnsafeBytes { source in
            unsafe _ = SHA256_Update(&context, source.baseAddress, source.count)
        }
        var out: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        unsafe withUnsafeMutableBytes(of: &out) { target in
            unsafe _ = SHA256_Final(target.baseAddress?.assumingMemoryBound(to: UInt8.self), &context)
        }
        words = (out.0.bigEndian, out.1.bigEndian, out.2.bigEndian, out.3.bigEndian)
    }

    package var bytes: [UInt8] {
        [words.0, words.1, words.2, words.3].flatMap { word in
            stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> UInt64($0)) }
        }
    }

    /// Constant in time: every word is looked at, whatever the first says.
    package func matches(_ other: Digest256) -> Bool {
        (words.0 ^ other.words.0) | (words.1 ^ other.words.1) | (words.2 ^ other.words.2) | (words.3 ^ other.words.3) == 0
    }

    package static func == (left: Digest256, right: Digest256) -> Bool {
        left.matches(right)
    }

    /// A digest is evenly spread already: one word says enough.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
    }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - 48
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - 87
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - 55
        default: nil
        }
    }
}
