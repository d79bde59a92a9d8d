// Certificates made in the test: an authority and what it signs, valid or not as the case wants it.

internal import COpenSSL
internal import TLS
import Testing

/// A certificate with its key. The caller keeps it as long as a server uses it.
@safe final class Identity: Sendable {
    nonisolated(unsafe) let certificate: OpaquePointer
    nonisolated(unsafe) let key: OpaquePointer

    /// - Parameters:
    ///   - names: as the extension wants it, "DNS:a.example,IP:127.0.0.1"; nil = none.
    ///   - days: from when to when it is valid, counted from today.
    ///   - issuer: who signs; nil = itself, as an authority.
    ///   - rsa: bits of an RSA key; nil = a P-256 key.
    init(name: String, names: String? = nil, days: ClosedRange<Int> = -1...30, issuer: Identity? = nil, rsa: Int? = nil) throws {
        let key = try unsafe Identity.newKey(rsa)
        let certificate = try unsafe #require(X509_new())
        unsafe (self.key, self.certificate) = (key, certificate)
        unsafe X509_set_version(certificate, 2)
        unsafe ASN1_INTEGER_set(X509_get_serialNumber(certificate), Int(Int32.random(in: 1...Int32.max)))
        unsafe X509_gmtime_adj(X509_getm_notBefore(certificate), days.lowerBound * 86_400)
        unsafe X509_gmtime_adj(X509_getm_notAfter(certificate), days.upperBound * 86_400)
        unsafe X509_set_pubkey(certificate, key)
        unsafe X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC, name, -1, -1, 0)
        let signer = unsafe issuer?.certificate ?? certificate
        unsafe X509_set_issuer_name(certificate, X509_get_subject_name(signer))
        try add(NID_basic_constraints, issuer == nil ? "critical,CA:TRUE" : "critical,CA:FALSE")
        if let names { try add(NID_subject_alt_name, names) }
        try unsafe #require(X509_sign(certificate, issuer?.key ?? key, EVP_sha256()) > 0)
    }

    deinit {
        unsafe X509_free(certificate)
        unsafe EVP_PKEY_free(key)
    }

    /// The certificate as PEM, for a file of authorities.
    func pem() -> [UInt8] {
        unsafe Identity.text { bio in unsafe _ = PEM_write_bio_X509(bio, certificate) }
    }

    /// The key as PEM, under a passphrase where one is given.
    func keyPEM(passphrase: String? = nil) -> [UInt8] {
        unsafe Identity.text { bio in
            guard let passphrase else { return unsafe _ = PEM_write_bio_PKCS8PrivateKey(bio, key, nil, nil, 0, nil, nil) }
            unsafe _ = PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_128_cbc(), passphrase, Int32(passphrase.utf8.count), nil, nil)
        }
    }

    /// As a listener has it, read from files.
    func keyed() throws -> KeyedCertificate {
        try TemporaryFile.with(pem()) { certificate in
            try TemporaryFile.with(keyPEM()) { key in try KeyedCertificate(certificate: certificate, privateKey: key) }
        }
    }

    private static func text(_ write: (OpaquePointer?) -> Void) -> [UInt8] {
        let bio = unsafe BIO_new(BIO_s_mem())
        defer { unsafe BIO_free(bio) }
        unsafe write(bio)
        var text = [UInt8](repeating: 0, count: 16 << 10)
        let count = unsafe BIO_read(bio, &text, Int32(text.count))
        return Array(text.prefix(Int(max(count, 0))))
    }

    private func add(_ kind: Int32, _ value: String) throws {
        let made = try unsafe #require(X509V3_EXT_conf_nid(nil, nil, kind, value))
        unsafe X509_add_ext(certificate, made, -1)
        unsafe X509_EXTENSION_free(made)
    }

    private static func newKey(_ rsa: Int?) throws -> OpaquePointer {
        let context = try unsafe #require(EVP_PKEY_CTX_new_id(rsa == nil ? EVP_PKEY_EC : EVP_PKEY_RSA, nil))
        defer { unsafe EVP_PKEY_CTX_free(context) }
        try unsafe #require(EVP_PKEY_keygen_init(context) == 1)
        if let rsa {
            try unsafe #require(EVP_PKEY_CTX_set_rsa_keygen_bits(context, Int32(rsa)) == 1)
        } else {
            try unsafe #require(EVP_PKEY_CTX_set_group_name(context, "P-256") == 1)
        }
        var key: OpaquePointer?
        try unsafe #require(EVP_PKEY_keygen(context, &key) == 1)
        return try unsafe #require(key)
    }
}
