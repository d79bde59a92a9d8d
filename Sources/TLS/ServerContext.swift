// What all TLS connections to one listener share: the certificates to show, whom to let in, the keys of tickets.

internal import COpenSSL
internal import Kernel

/// An immutable OpenSSL context for connections that agents make.
///
/// Mozilla's "intermediate": TLS 1.2 and 1.3; ECDHE with AES-GCM or ChaCha20 only, the client's preference; X25519, P-256, P-384; no
/// renegotiation, no compression, no early data; OpenSSL's security level 2. `http/1.1` is the one protocol (ALPN); who asks for none of it is
/// refused, who asks for nothing is not. Sessions are resumed by tickets, whose keys are this context's own and in no file: another context, made
/// of changed certificates or authorities, takes none of them. May be shared by workers.
@safe package final class ServerContext: Sendable {
    /// Who wants the client's certificate.
    package enum ClientCertificates: Equatable, Sendable {
        /// Nobody: it is not asked for.
        case ignored
        /// A client may show one; it must be of these authorities (PEM file) then.
        case optional(authorities: String)
        /// No handshake without.
        case required(authorities: String)
    }

    // Set up in init, only read by SSL_new after; its count is atomic.
    private nonisolated(unsafe) let context: OpaquePointer
    // At an address of its own for OpenSSL's callback: it lives as long as this, which every session holds.
    private let choice: CertificateChoice
    package let certificates: [KeyedCertificate]

    /// How long a session can be resumed.
    package static let resumptionLifetime = 3600

    /// Reads the authorities: not for a worker.
    ///
    /// - Parameter certificates: at least one; the first is for clients that name no server, or one that none is for.
    /// - Throws: `.ownCertificate` where one may not be used, `.authorities`, `.library`.
    package init(_ certificates: [KeyedCertificate], clients: ClientCertificates = .ignored) throws(TLSFault) {
        precondition(!certificates.isEmpty, "a listener has a certificate")
        ERR_clear_error()
        guard let context = unsafe SSL_CTX_new(TLS_server_method()) else { throw .fromQueue(isBeforeRequest: true) }
        unsafe self.context = context
        self.certificates = certificates
        choice = CertificateChoice(certificates)
        try restrict()
        // Those after the first are tried here too, so that a weak one is found before a client asks for it.
        for certificate in certificates.reversed() { unsafe try certificate.use(in: context) }
        try admit(clients)
        if certificates.count > 1 {
            unsafe SSL_CTX_set_cert_cb(
                context,
                { ssl, choice in
                    guard let choice = unsafe choice else { return 0 }
                    return unsafe Unmanaged<CertificateChoice>.fromOpaque(choice).takeUnretainedValue().choose(for: ssl)
                }, Unmanaged.passUnretained(choice).toOpaque())
        }
        unsafe SSL_CTX_set_alpn_select_cb(
            context,
            { _, chosen, length, offered, count, _ in
                unsafe ServerContext.selectProtocol(chosen, length, offered, count)
            }, nil)
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
        unsafe SSL_CTX_set_options(context, CLAVIGER_SSL_OP_NO_RENEGOTIATION | CLAVIGER_SSL_OP_NO_COMPRESSION)
        // A write may be retried with its bytes elsewhere, buffers go while a connection is idle, and a record is read in one call.
        let mode = SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS
        unsafe _ = claviger_SSL_CTX_set_mode(context, Int(mode))
        unsafe _ = claviger_SSL_CTX_set_read_ahead(context, 1)
        // Tickets hold the sessions; nothing is kept here.
        unsafe _ = claviger_SSL_CTX_set_session_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
        unsafe _ = SSL_CTX_set_timeout(context, Self.resumptionLifetime)
        let name = Array("claviger".utf8)
        guard unsafe claviger_SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1,
            unsafe SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1,
            unsafe claviger_SSL_CTX_set_groups(context, "X25519:P-256:P-384") == 1,
            // Without it no session is resumed where clients show certificates.
            unsafe SSL_CTX_set_session_id_context(context, name, UInt32(name.count)) == 1
        else { throw .fromQueue(isBeforeRequest: true) }
    }

    private func admit(_ clients: ClientCertificates) throws(TLSFault) {
        let authorities: String
        var mode = SSL_VERIFY_PEER
        switch clients {
        case .ignored: return
        case .optional(let file): authorities = file
        case .required(let file):
            authorities = file
            mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT
        }
        try TLSFault.loadingAuthorities(authorities) { unsafe SSL_CTX_load_verify_file(context, authorities) == 1 }
        // Their names go to the client, who may have several certificates; the context takes the list.
        unsafe SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(authorities))
        ERR_clear_error()
        unsafe SSL_CTX_set_verify(context, mode) { passed, store in unsafe Verification.check(passed, store) }
    }

    /// `http/1.1` where the client offers it, the alert `no_application_protocol` where it offers others only (RFC 7301, section 3.2).
    private static func selectProtocol(
        _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, _ length: UnsafeMutablePointer<UInt8>?, _ offered: UnsafePointer<UInt8>?, _ count: UInt32
    ) -> Int32 {
        let offers = unsafe UnsafeBufferPointer(start: offered, count: Int(count))
        let wanted = Array("http/1.1".utf8)
        var at = 0
        while at < offers.count {
            let size = unsafe Int(offers[at])
            let (start, end) = (at + 1, at + 1 + size)
            guard end <= offers.count else { break }
            if unsafe offers[start..<end].elementsEqual(wanted) {
                unsafe chosen?.pointee = offered.map { unsafe $0 + start }
                unsafe length?.pointee = UInt8(size)
                return SSL_TLSEXT_ERR_OK
            }
            at = end
        }
        return SSL_TLSEXT_ERR_ALERT_FATAL
    }
}

/// Several certificates, and which of them a client gets.
private final class CertificateChoice: Sendable {
    private let certificates: [KeyedCertificate]
    private let names: ServerNames

    init(_ certificates: [KeyedCertificate]) {
        self.certificates = certificates
        names = ServerNames(certificates.map(\.names))
    }

    /// Called when the client's greeting is read, but for a resumed session. Of the candidates the first whose kind of key the client can
    /// verify; where it can none, the best by name, and the handshake says what is missing.
    /// - Returns: 1, or 0 to end the handshake.
    func choose(for ssl: OpaquePointer?) -> Int32 {
        let candidates = names.candidates(for: unsafe requestedName(ssl))
        let fitting = candidates.first { place in
            let each = certificates[place]
            return unsafe SSL_check_chain(ssl, each.leaf, each.key, each.chain) & CERT_PKEY_VALID != 0
        }
        let place = fitting ?? candidates[0]
        let chosen = certificates[place]
        return unsafe SSL_use_cert_and_key(ssl, chosen.leaf, chosen.key, chosen.chain, 1)
    }

    private func requestedName(_ ssl: OpaquePointer?) -> [UInt8]? {
        guard let name = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else { return nil }
        return unsafe UnsafeBufferPointer(start: name, count: strlen(name)).map { UInt8(bitPattern: $0) }
    }
}
