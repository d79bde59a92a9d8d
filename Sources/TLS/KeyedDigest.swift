// HMAC-SHA256: how a user is known in a log that may not name him.

internal import COpenSSL

/// HMAC with SHA-256 (RFC 2104, FIPS 198-1) under one key. Made once, used often: a digest costs no allocation and no lock.
package struct KeyedDigest: Sendable {
    private let inner: SHA256_CTX
    private let outer: SHA256_CTX

    /// `key`: any length; 32 random bytes are right. It is not kept, but what is derived from it is as secret as the key.
    package init(key: RawSpan) {
        inner = KeyedDigest.state(of: key, pad: 0x36)
        outer = KeyedDigest.state(of: key, pad: 0x5C)
    }

    /// The authentication code of `bytes`.
    package func digest(of bytes: RawSpan) -> Digest256 {
        let within = Digest256(hashing: bytes, after: inner)
        var words = (within.words.0.bigEndian, within.words.1.bigEndian, within.words.2.bigEndian, within.words.3.bigEndian)
        return unsafe withUnsafeBytes(of: &words) { Digest256(hashing: unsafe $0.bytes, after: outer) }
    }

    /// SHA-256 after the one block that the padded key is.
    private static func state(of key: RawSpan, pad: UInt8) -> SHA256_CTX {
        var block = [UInt8](repeating: pad, count: 64)
        if key.byteCount <= 64 {
            for at in 0..<key.byteCount { unsafe block[at] ^= key.unsafeLoad(fromByteOffset: at, as: UInt8.self) }
        } else {
            for (at, byte) in Digest256(hashing: key).bytes.enumerated() { block[at] ^= byte }
        }
        var context = SHA256_CTX()
        unsafe SHA256_Init(&context)
        unsafe block.withUnsafeMutableBytes { source in
            unsafe _ = SHA256_Update(&context, source.baseAddress, source.count)
            unsafe OPENSSL_cleanse(source.baseAddress, source.count)
        }
        return context
    }
}
