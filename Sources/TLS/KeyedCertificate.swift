// A certificate of our own with its private key, read from PEM files: what a listener shows agents, or this gateway shows a server.

internal import COpenSSL
internal import Kernel

/// Immutable once read; connections share it.
@safe package final class KeyedCertificate: Sendable {
    // Never changed after init; OpenSSL counts its references atomically.
    nonisolated(unsafe) let leaf: OpaquePointer
    /// What leads from `leaf` to an authority, without it.
    nonisolated(unsafe) let chain: OpaquePointer
    nonisolated(unsafe) let key: OpaquePointer
    /// The files' names, for messages.
    package let certificatePath: String
    package let keyPath: String
    /// DNS names of the leaf, lower-case; wildcards as they stand.
    package let names: [String]
    /// Seconds since 1970: the leaf's.
    package let notBefore: Int64
    package let notAfter: Int64

    /// Takes long: not for a worker.
    ///
    /// - Parameters:
    ///   - certificate: a PEM file: the leaf first, then what it is signed with.
    ///   - privateKey: a PEM file of the leaf's key, without a passphrase.
    /// - Throws: `.ownCertificate` or `.ownKey`, with the file and the remedy in words.
    package init(certificate: String, privateKey: String) throws(TLSFault) {
        let (leaf, chain) = unsafe try Self.certificates(in: certificate)
        let key: OpaquePointer
        do throws(TLSFault) {
            unsafe key = try Self.key(in: privateKey)
        } catch {
            unsafe X509_free(leaf)
            unsafe Self.free(chain)
            throw error
        }
        unsafe (self.leaf, self.chain, self.key) = (leaf, chain, key)
        (certificatePath, keyPath) = (certificate, privateKey)
        unsafe names = Self.names(of: leaf)
        unsafe notBefore = Self.seconds(X509_get0_notBefore(leaf))
        unsafe notAfter = Self.seconds(X509_get0_notAfter(leaf))
        ERR_clear_error()
        guard unsafe X509_check_private_key(leaf, key) == 1 else {
            ERR_clear_error()
            throw .own(
                .ownKey,
                "the private key in \(privateKey) does not belong to the first certificate in \(certificate); name the key it was issued for, and let the server's own certificate stand first in the file")
        }
    }

    deinit {
        unsafe X509_free(leaf)
        unsafe Self.free(chain)
        unsafe EVP_PKEY_free(key)
    }

    /// Gives it to connections of `context`, as the one they show unless another is chosen.
    /// - Throws: `.ownCertificate` where OpenSSL finds it too weak.
    func use(in context: OpaquePointer) throws(TLSFault) {
        ERR_clear_error()
        guard unsafe SSL_CTX_use_cert_and_key(context, leaf, key, chain, 1) == 1 else {
            throw .own(
                .ownCertificate,
                "the certificate in \(certificatePath) may not be used: \(Self.reason()); have one issued for a P-256 key, or RSA of 2048 bits or more, signed with SHA-256")
        }
    }

    // MARK: Reading

    private static func certificates(in path: String) throws(TLSFault) -> (OpaquePointer, OpaquePointer) {
        let file = unsafe try open(path, .ownCertificate, "the certificate")
        defer { unsafe BIO_free(file) }
        guard let leaf = unsafe PEM_read_bio_X509_AUX(file, nil, nil, nil) else {
            throw .own(.ownCertificate, "no certificate can be read from \(path): \(reason()); it must be a PEM file, the server's own certificate first")
        }
        guard let chain = unsafe OPENSSL_sk_new_null() else {
            unsafe X509_free(leaf)
            throw .own(.library, "out of memory")
        }
        while let next = unsafe PEM_read_bio_X509(file, nil, nil, nil) {
            unsafe OPENSSL_sk_push(chain, UnsafeRawPointer(next))
        }
        // The end of the file is an error to OpenSSL: no further start line.
        let end = ERR_GET_REASON(ERR_peek_last_error())
        guard end == PEM_R_NO_START_LINE else {
            unsafe X509_free(leaf)
            unsafe free(chain)
            throw .own(.ownCertificate, "a certificate in \(path) cannot be read: \(reason()); write the chain anew")
        }
        ERR_clear_error()
        return unsafe (leaf, chain)
    }

    private static func key(in path: String) throws(TLSFault) -> OpaquePointer {
        let file = unsafe try open(path, .ownKey, "the private key")
        defer { unsafe BIO_free(file) }
        var wantsPassphrase = false
        let key = unsafe withUnsafeMutablePointer(to: &wantsPassphrase) { wanted in
            // Without a function of ours OpenSSL asks at the terminal.
            unsafe PEM_read_bio_PrivateKey(
                file, nil,
                { _, _, _, asked in
                    unsafe asked?.assumingMemoryBound(to: Bool.self).pointee = true
                    return -1
                }, wanted)
        }
        if let key = unsafe key { return unsafe key }
        let why = reason()
        throw .own(
            .ownKey,
            wantsPassphrase
                ? "the private key in \(path) is encrypted, and nobody is there to ask for its passphrase; write it without one: openssl pkey -in \(path) -out NEW"
                : "no private key can be read from \(path): \(why); it must be a PEM file")
    }

    private static func open(_ path: String, _ cause: TLSFault.Cause, _ what: String) throws(TLSFault) -> OpaquePointer {
        ERR_clear_error()
        guard let mark = FileMark(path) else { throw .own(cause, "\(what) \(path) does not exist, or its directory may not be entered; check the path") }
        guard mark.isRegular, let file = unsafe BIO_new_file(path, "r") else {
            ERR_clear_error()
            throw .own(cause, "\(what) \(path) cannot be read; check that it is a file and that the user `claviger` may read it")
        }
        return unsafe file
    }

    private static func free(_ chain: OpaquePointer) {
        unsafe OPENSSL_sk_pop_free(chain) { certificate in unsafe X509_free(OpaquePointer(certificate)) }
    }

    /// What OpenSSL says is wrong, and empties its queue.
    private static func reason() -> String {
        let code = ERR_peek_last_error()
        defer { ERR_clear_error() }
        return unsafe ERR_reason_error_string(code).map { unsafe String(cString: $0) } ?? "OpenSSL gave no reason"
    }

    private static func names(of leaf: OpaquePointer) -> [String] {
        guard let list = unsafe X509_get_ext_d2i(leaf, NID_subject_alt_name, nil, nil) else { return [] }
        let stack = OpaquePointer(list)
        defer { unsafe GENERAL_NAMES_free(stack) }
        var names: [String] = []
        for at in 0..<max(unsafe OPENSSL_sk_num(stack), 0) {
            guard let entry = unsafe OPENSSL_sk_value(stack, at) else { continue }
            var type: Int32 = 0
            guard let value = unsafe GENERAL_NAME_get0_value(entry.assumingMemoryBound(to: GENERAL_NAME.self), &type), type == GEN_DNS else { continue }
            let string = unsafe value.assumingMemoryBound(to: ASN1_STRING.self)
            guard let start = unsafe ASN1_STRING_get0_data(string) else { continue }
            let bytes = unsafe UnsafeBufferPointer(start: start, count: Int(ASN1_STRING_length(string)))
            names.append(unsafe String(decoding: bytes.map(ServerNames.folded), as: UTF8.self))
        }
        return names
    }

    private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64 {
        let start = unsafe ASN1_TIME_set(nil, 0)
        defer { unsafe ASN1_STRING_free(start) }
        var (days, seconds): (Int32, Int32) = (0, 0)
        guard unsafe ASN1_TIME_diff(&days, &seconds, start, time) == 1 else { return 0 }
        return Int64(days) * 86_400 + Int64(seconds)
    }
}

extension TLSFault {
    /// A fault of our own files, before anybody has connected.
    static func own(_ cause: Cause, _ words: String) -> TLSFault {
        TLSFault(cause: cause, words: words, isBeforeRequest: true)
    }
}
