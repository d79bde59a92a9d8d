// What all TLS connections to one kind of upstream share: whom to trust, what to accept, sessions to resume.

internal import COpenSSL
internal import Kernel

/// An immutable OpenSSL context for connections that this gateway makes.
///
/// TLS 1.2 at least; ECDHE with AES-GCM or ChaCha20 only; the peer's chain always verified at OpenSSL's security level 2 (RSA of 2048 bits);
/// no renegotiation, no compression. May be shared by workers: OpenSSL's own contexts are made for it once they are set up (SSL_CTX_new(3)).
@safe package final class ClientContext: Sendable {
    // Set up in init, only read by SSL_new after; its count is atomic.
    private nonisolated(unsafe) let context: OpaquePointer
    let resumable: ResumableSessions
    /// What servers that ask for one are shown.
    package let certificate: KeyedCertificate?

    /// How many servers a session is kept for, and for how long after a certificate was seen.
    package static let resumptionCapacity = 256
    package static let resumptionLifetime: Duration = .seconds(3600)

    /// Reads the authorities: made when a snapshot is, not on a worker.
    ///
    /// - Parameters:
    ///   - authorities: a PEM file of the certificates to trust instead of the system's; nil = OpenSSL's default store
    ///     (`SSL_CERT_FILE` and `SSL_CERT_DIR` respected).
    ///   - certificate: what is shown to servers that ask for one; nil = nothing.
    ///   - resumes: whether connections may resume earlier sessions of this context.
    /// - Throws: `.authorities` with the file's name where it cannot be used, `.ownCertificate`, `.library`.
    package init(authorities: String? = nil, certificate: KeyedCertificate? = nil, resumes: Bool = true) throws(TLSFault) {
        ERR_clear_error()
        guard let context = unsafe SSL_CTX_new(TLS_client_method()) else { throw .fromQueue(isBeforeRequest: true) }
        unsafe self.context = context
        self.certificate = certificate
        resumable = ResumableSessions(capacity: resumes ? Self.resumptionCapacity : 0, lifetime: Self.resumptionLifetime)
        try restrict()
        try trust(authorities)
        if let certificate { unsafe try certificate.use(in: context) }
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER) { passed, store in unsafe Verification.check(passed, store) }
        guard resumes else { return }
        // Kept by us, by name: OpenSSL's own store looks only for servers.
        unsafe _ = claviger_SSL_CTX_set_session_cache_mode(context, Int(SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL))
        unsafe SSL_CTX_sess_set_new_cb(context) { ssl, session in unsafe TLSSession.keep(session, of: ssl) }
    }

    deinit {
        unsafe SSL_CTX_free(context)
    }

    /// A new connection's state; nil where OpenSSL has no memory.
    func makeSSL() -> OpaquePointer? {
        unsafe SSL_new(context)
    }

    private func restrict() throws(TLSFault) {
        unsafe SSL_CTX_set_security_level(context, 2)
        unsafe SSL_CTX_set_options(context, CLAVIGER_SSL_OP_NO_RENEGOTIATION)
        // A session may be retried with its bytes elsewhere, gives its buffers back while idle, and reads a record in one call.
        let mode = SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS
        unsafe _ = claviger_SSL_CTX_set_mode(context, Int(mode))
        unsafe _ = claviger_SSL_CTX_set_read_ahead(context, 1)
        guard unsafe claviger_SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1,
            unsafe SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1,
            // RFC 7301: one protocol, its length first. Zero is success here.
            unsafe SSL_CTX_set_alpn_protos(context, [8] + Array("http/1.1".utf8), 9) == 0
        else { throw .fromQueue(isBeforeRequest: true) }
    }

    private func trust(_ authorities: String?) throws(TLSFault) {
        guard let authorities else {
            guard unsafe SSL_CTX_set_default_verify_paths(context) == 1 else { throw .fromQueue(isBeforeRequest: true) }
            return
        }
        try TLSFault.loadingAuthorities(authorities) { unsafe SSL_CTX_load_verify_file(context, authorities) == 1 }
    }
}

extension TLSFault {
    /// - Throws: `.authorities` naming `path` where `load` could not.
    static func loadingAuthorities(_ path: String, _ load: () -> Bool) throws(TLSFault) {
        guard FileMark(path)?.isRegular == true, load() else {
            let code = ERR_peek_error()
            let reason = unsafe ERR_reason_error_string(code).map { unsafe String(cString: $0) } ?? "no file that can be read"
            ERR_clear_error()
            throw .own(.authorities, "the authorities in \(path) cannot be used: \(reason)")
        }
    }
}
