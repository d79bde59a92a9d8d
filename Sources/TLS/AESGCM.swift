// AES-256-GCM (NIST SP 800-38D): what the sealed files are sealed with.

internal import COpenSSL
package import Kernel

/// Sealing and opening in one go. A nonce must never be used twice under one key; it is not secret.
package enum AESGCM {
    /// Of a key, in bytes.
    package static let keyLength = 32
    /// Of a nonce, in bytes.
    package static let nonceLength = 12
    /// What sealing adds, in bytes.
    package static let tagLength = 16

    /// The ciphertext followed by its tag.
    ///
    /// - Parameters:
    ///   - plaintext: at most 2^31 - 1 - 16 bytes, none allowed.
    ///   - key: 32 bytes.
    ///   - nonce: 12 bytes, fresh for this key.
    ///   - associated: what is authenticated with the plaintext but not stored; `open` must be given the same.
    /// - Throws: `SealFault.malformed` for a wrong length, `.library` where OpenSSL offers no AES-256-GCM.
    package static func seal(
        _ plaintext: RawSpan, key: RawSpan, nonce: RawSpan, associated: RawSpan
    ) throws(SealFault) -> [UInt8] {
        let (count, tooLong) = plaintext.byteCount.addingReportingOverflow(tagLength)
        guard !tooLong, count <= Int32.max else { throw .malformed }
        let pass = try Pass()
        try pass.begin(key: key, nonce: nonce, associated: associated, sealing: true)
        var sealed = [UInt8](repeating: 0, count: count)
        var target = sealed.mutableSpan
        var bytes = unsafe target.mutableBytes
        guard unsafe bytes.withUnsafeMutableBytes({ unsafe pass.seal(plaintext, into: $0) }) else { throw .library }
        return sealed
    }

    /// The plaintext of what `seal` gave, in memory that wipes itself.
    ///
    /// - Throws: `SealFault.notAuthentic` where key, nonce, associated bytes or a bit of `sealed` differ; `.malformed` for wrong lengths.
    package static func open(
        _ sealed: RawSpan, key: RawSpan, nonce: RawSpan, associated: RawSpan
    ) throws(SealFault) -> WipedBytes {
        var opened = WipedBytes(count: max(sealed.byteCount - tagLength, 0))
        var target = opened.mutableBytes
        _ = try open(sealed, key: key, nonce: nonce, associated: associated, into: &target)
        return opened
    }

    /// As `open`, into the caller's own memory: `sealed.byteCount - tagLength` bytes at its start, the number returned.
    /// Where it throws, `target` was wiped if it was written at all: unauthenticated bytes are never seen.
    package static func open(
        _ sealed: RawSpan, key: RawSpan, nonce: RawSpan, associated: RawSpan, into target: inout MutableRawSpan
    ) throws(SealFault) -> Int {
        let count = sealed.byteCount - tagLength
        guard count >= 0, sealed.byteCount <= Int32.max, target.byteCount >= count else { throw .malformed }
        let pass = try Pass()
        try pass.begin(key: key, nonce: nonce, associated: associated, sealing: false)
        guard unsafe target.withUnsafeMutableBytes({ unsafe pass.open(sealed, into: $0) }) else {
            wipe(&target)
            throw .notAuthentic
        }
        return count
    }
}

/// Why nothing was sealed or opened. Says nothing of key or content.
package enum SealFault: Error, Equatable, Sendable {
    /// A key, nonce, sealed text or target of the wrong length.
    case malformed
    /// Not what was sealed with this key, nonce and associated bytes.
    case notAuthentic
    /// OpenSSL could not do it: no memory, or a configuration without its default provider.
    case library
}

/// One use of OpenSSL's cipher context. Freeing it wipes the key schedule (EVP_CIPHER_CTX_free).
@safe private struct Pass: ~Copyable {
    private let context: OpaquePointer

    init() throws(SealFault) {
        guard let context = unsafe EVP_CIPHER_CTX_new() else { throw .library }
        unsafe self.context = context
    }

    deinit {
        unsafe EVP_CIPHER_CTX_free(context)
    }

    /// Takes key, nonce and what is authenticated beside the text.
    borrowing func begin(key: RawSpan, nonce: RawSpan, associated: RawSpan, sealing: Bool) throws(SealFault) {
        guard key.byteCount == AESGCM.keyLength, nonce.byteCount == AESGCM.nonceLength, associated.byteCount <= Int32.max
        else { throw .malformed }
        let begun = unsafe Pass.withAddress(of: key) { key in
            unsafe Pass.withAddress(of: nonce) { nonce in
                // Twelve bytes of nonce are the cipher's default.
                unsafe EVP_CipherInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce, sealing ? 1 : 0) == 1
            }
        }
        guard begun else { throw .library }
        guard !associated.isEmpty else { return }
        var ignored: Int32 = 0
        let known = unsafe Pass.withAddress(of: associated) { source in
            unsafe EVP_CipherUpdate(context, nil, &ignored, source, Int32(associated.byteCount)) == 1
        }
        guard known else { throw .library }
    }

    /// Writes ciphertext and tag; `target` is as long as both.
    borrowing func seal(_ plaintext: RawSpan, into target: UnsafeMutableRawBufferPointer) -> Bool {
        let count = plaintext.byteCount
        guard let out = unsafe target.baseAddress?.assumingMemoryBound(to: UInt8.self),
            unsafe run(plaintext, into: out)
        else { return false }
        return unsafe EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(AESGCM.tagLength), out + count) == 1
    }

    /// Writes the plaintext; false where the tag does not fit.
    borrowing func open(_ sealed: RawSpan, into target: UnsafeMutableRawBufferPointer) -> Bool {
        let count = sealed.byteCount - AESGCM.tagLength
        // OpenSSL copies the tag; its parameter is not const only because the same call also writes.
        let tagged = unsafe Pass.withAddress(of: sealed.extracting(last: AESGCM.tagLength)) { tag in
            unsafe EVP_CIPHER_CTX_ctrl(
                context, EVP_CTRL_AEAD_SET_TAG, Int32(AESGCM.tagLength), UnsafeMutableRawPointer(mutating: tag)) == 1
        }
        return unsafe tagged && run(sealed.extracting(first: count), into: target.baseAddress?.assumingMemoryBound(to: UInt8.self))
    }

    /// All bytes through the cipher and its end: for GCM as many come out as went in. A missing target only where there are none.
    private borrowing func run(_ source: RawSpan, into out: UnsafeMutablePointer<UInt8>?) -> Bool {
        var written: Int32 = 0
        if !source.isEmpty {
            let done = unsafe Pass.withAddress(of: source) { address in
                unsafe EVP_CipherUpdate(context, out, &written, address, Int32(source.byteCount)) == 1
            }
            guard done, Int(written) == source.byteCount else { return false }
        }
        var nothing: (UInt64, UInt64) = (0, 0)
        return unsafe withUnsafeMutableBytes(of: &nothing) { rest in
            unsafe EVP_CipherFinal_ex(context, rest.baseAddress?.assumingMemoryBound(to: UInt8.self), &written) == 1
        }
    }

    private static func withAddress<R>(of span: RawSpan, _ body: (UnsafePointer<UInt8>?) -> R) -> R {
        unsafe span.withUnsafeBytes { unsafe body($0.baseAddress?.assumingMemoryBound(to: UInt8.self)) }
    }
}
