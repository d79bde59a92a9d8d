// A private key that signs tokens: what a client proves itself with (RFC 7518, sections 3.3 and 3.4).

internal import COpenSSL
internal import Kernel

/// An RSA key of 2048 bits or more, or a P-256 key. OpenSSL wipes its numbers when the last reference goes.
@safe package final class SigningKey: Sendable {
    /// By the key's type, named as JWS does.
    package enum Algorithm: String, Sendable {
        /// RSASSA-PKCS1-v1_5 with SHA-256.
        case rs256 = "RS256"
        /// ECDSA on P-256 with SHA-256.
        case es256 = "ES256"
    }

    package let algorithm: Algorithm
    // Set up in init, only read after: a key may be used by several threads at once (openssl-threads(7)).
    private nonisolated(unsafe) let key: OpaquePointer

    /// - Parameter pem: PKCS#8, PKCS#1 or SEC1 in PEM, not encrypted; 64 KiB at most.
    /// - Throws: what is wrong with it; nothing of it is in the words.
    package init(pem: RawSpan) throws(SigningFault) {
        guard pem.byteCount <= 64 << 10 else { throw SigningFault("is larger than 64 KiB; no key is") }
        ERR_clear_error()
        defer { ERR_clear_error() }
        guard let key = unsafe SigningKey.read(pem) else {
            throw SigningFault("holds no private key in PEM that can be read without a passphrase")
        }
        guard let algorithm = unsafe SigningKey.algorithm(of: key) else {
            unsafe EVP_PKEY_free(key)
            throw SigningFault("is neither an RSA key of 2048 bits or more nor a P-256 key; `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048` makes one")
        }
        unsafe self.key = key
        self.algorithm = algorithm
    }

    deinit {
        unsafe EVP_PKEY_free(key)
    }

    /// The signature as JWS has it: for ES256 the two numbers one behind the other, 32 bytes each (RFC 7518, section 3.4).
    package func sign(_ message: RawSpan) throws(SigningFault) -> [UInt8] {
        ERR_clear_error()
        guard let signature = digestSign(message) else {
            ERR_clear_error()
            throw SigningFault("cannot sign: OpenSSL refuses it")
        }
        switch algorithm {
        case .rs256: return signature
        case .es256:
            guard let pair = SigningKey.pair(fromDER: signature) else { throw SigningFault("cannot sign: OpenSSL gave no signature") }
            return pair
        }
    }

    private static func read(_ pem: RawSpan) -> OpaquePointer? {
        unsafe pem.withUnsafeBytes { bytes in
            guard let source = unsafe BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count)) else { return nil }
            defer { unsafe BIO_free(source) }
            // An encrypted key is none: without this OpenSSL would ask for its passphrase on the terminal.
            return unsafe PEM_read_bio_PrivateKey(source, nil, { _, _, _, _ in -1 }, nil)
        }
    }

    private static func algorithm(of key: OpaquePointer) -> Algorithm? {
        switch unsafe EVP_PKEY_get_base_id(key) {
        case EVP_PKEY_RSA: return unsafe EVP_PKEY_get_bits(key) >= 2048 ? .rs256 : nil
        case EVP_PKEY_EC:
            var name = [CChar](repeating: 0, count: 32)
            guard unsafe EVP_PKEY_get_group_name(key, &name, name.count, nil) == 1 else { return nil }
            return name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) } == Array("prime256v1".utf8) ? .es256 : nil
        default: return nil
        }
    }

    private func digestSign(_ message: RawSpan) -> [UInt8]? {
        guard let context = unsafe EVP_MD_CTX_new() else { return nil }
        defer { unsafe EVP_MD_CTX_free(context) }
        guard unsafe EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key) == 1 else { return nil }
        var count = Int(unsafe EVP_PKEY_get_size(key))
        var signature = [UInt8](repeating: 0, count: count)
        let done = unsafe message.withUnsafeBytes { source in
            unsafe EVP_DigestSign(context, &signature, &count, source.baseAddress?.assumingMemoryBound(to: UInt8.self), source.count)
        }
        guard done == 1, count <= signature.count else { return nil }
        return Array(signature.prefix(count))
    }

    /// `SEQUENCE { INTEGER r, INTEGER s }` (RFC 3279, section 2.2.3) as 64 bytes.
    private static func pair(fromDER signature: [UInt8]) -> [UInt8]? {
        var pair: [UInt8] = []
        var at = 2
        for _ in 0..<2 {
            guard at + 2 <= signature.count, signature[at] == 2 else { return nil }
            let end = at + 2 + Int(signature[at + 1])
            guard end <= signature.count else { return nil }
            // A leading zero keeps a number positive; a short one has none.
            let number = signature[at + 2..<end].drop { $0 == 0 }
            guard number.count <= 32 else { return nil }
            pair += [UInt8](repeating: 0, count: 32 - number.count) + number
            at = end
        }
        return at == signature.count ? pair : nil
    }
}

/// Why a key cannot be used or did not sign, to follow its name. Nothing of the key is in it.
package struct SigningFault: Error, Equatable, Sendable {
    package let words: String

    init(_ words: String) {
        self.words = words
    }
}
