// An agent and a listener: a plain OpenSSL client and a server session of ours, joined by a socketpair, driven step by step.

internal import CLinux
internal import COpenSSL
internal import Kernel
internal import TLS
import Testing

/// What the client asks for and shows.
struct Agent {
    var serverName: String?
    /// ALPN; empty = none is sent.
    var protocols: [String] = []
    var versions = TLS1_2_VERSION...TLS1_3_VERSION
    /// TLS 1.2's; nil = OpenSSL's own.
    var ciphers: String?
    var signatures: String?
    var groups: String?
    var certificate: Identity?
}

@safe final class AgentPair {
    let server: TLSSession
    private let clientEnd: Descriptor
    private let serverEnd: Descriptor
    private let context: OpaquePointer
    let client: OpaquePointer

    /// - Parameter earlier: whose session is offered for resumption.
    init(_ serverContext: ServerContext, _ agent: Agent = Agent(), resuming earlier: AgentPair? = nil) throws {
        var ends: [Int32] = [0, 0]
        try unsafe #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &ends) == 0)
        clientEnd = Descriptor(owning: ends[0])
        serverEnd = Descriptor(owning: ends[1])
        server = try TLSSession(serverContext, descriptor: ends[1])
        unsafe context = try #require(SSL_CTX_new(TLS_client_method()))
        // Level 0, so that old versions are offered and it is the server who refuses them.
        unsafe SSL_CTX_set_security_level(context, 0)
        unsafe _ = claviger_SSL_CTX_set_min_proto_version(context, agent.versions.lowerBound)
        unsafe _ = claviger_SSL_CTX_set_max_proto_version(context, agent.versions.upperBound)
        if let ciphers = agent.ciphers { try unsafe #require(SSL_CTX_set_cipher_list(context, ciphers) == 1) }
        if let signatures = agent.signatures { try unsafe #require(claviger_SSL_CTX_set_signatures(context, signatures) == 1) }
        if let groups = agent.groups { try unsafe #require(claviger_SSL_CTX_set_groups(context, groups) == 1) }
        if let identity = agent.certificate {
            unsafe SSL_CTX_use_certificate(context, identity.certificate)
            unsafe SSL_CTX_use_PrivateKey(context, identity.key)
        }
        let offers = agent.protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        if !offers.isEmpty { unsafe _ = SSL_CTX_set_alpn_protos(context, offers, UInt32(offers.count)) }
        unsafe client = try #require(SSL_new(context))
        unsafe SSL_set_fd(client, ends[0])
        unsafe SSL_set_connect_state(client)
        if let name = agent.serverName { unsafe _ = claviger_SSL_set_tlsext_host_name(client, name) }
        if let earlier {
            let session = try unsafe #require(SSL_get1_session(earlier.client))
            unsafe SSL_set_session(client, session)
            unsafe SSL_SESSION_free(session)
        }
    }

    deinit {
        unsafe SSL_free(client)
        unsafe SSL_CTX_free(context)
    }

    /// Lets both sides go on until the server is done or has failed, and the client has read what it said.
    func handshake() -> TLSSession.Handshake {
        for _ in 0..<100 {
            clientSteps()
            server.isSocketReadable = true
            server.isSocketWritable = true
            let step = server.handshake()
            switch step {
            case .done, .failed:
                clientSteps()
                return step
            case .wantsRead, .wantsWrite: break
            }
        }
        return .wantsRead
    }

    func fault() -> TLSFault? {
        guard case .failed(let fault) = handshake() else { return nil }
        return fault
    }

    /// The alert that ended the client's handshake, in OpenSSL's words.
    private(set) var alert: String?

    private func clientSteps() {
        ERR_clear_error()
        let result = unsafe SSL_do_handshake(client)
        if result == 1 {
            _ = clientReads()
        } else if unsafe SSL_get_error(client, result) == SSL_ERROR_SSL, alert == nil {
            alert = unsafe ERR_reason_error_string(ERR_peek_error()).map { unsafe String(cString: $0) }
        }
        ERR_clear_error()
    }

    /// What the client takes now; nil where there is nothing.
    func clientReads(_ capacity: Int = 64 << 10) -> [UInt8]? {
        ERR_clear_error()
        var bytes = [UInt8](repeating: 0, count: capacity)
        let count = unsafe SSL_read(client, &bytes, Int32(capacity))
        return count > 0 ? Array(bytes.prefix(Int(count))) : nil
    }

    func clientWrites(_ bytes: [UInt8]) -> Int {
        ERR_clear_error()
        return Int(max(unsafe SSL_write(client, bytes, Int32(bytes.count)), 0))
    }

    /// Raw bytes to the server, past OpenSSL.
    func giveRaw(_ bytes: some Collection<UInt8>) {
        let bytes = Array(bytes)
        unsafe _ = send(clientEnd.number, bytes, bytes.count, 0)
    }

    /// The client is gone without a word.
    func cut() {
        shutdown(clientEnd.number, Int32(SHUT_RDWR))
    }

    func serverReads(_ capacity: Int = 64 << 10) -> (TLSSession.Read, [UInt8]) {
        var bytes = WipedBytes(count: capacity)
        var span = bytes.mutableBytes
        let step = server.read(into: &span)
        if case .bytes(let count) = step { return (step, Array(bytes.bytes.copied().prefix(count))) }
        return (step, [])
    }

    /// The first DNS name of the certificate that the server showed.
    var shown: String? {
        guard let certificate = unsafe SSL_get1_peer_certificate(client) else { return nil }
        defer { unsafe X509_free(certificate) }
        var name = [CChar](repeating: 0, count: 128)
        unsafe X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, &name, Int32(name.count))
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    var agreedProtocol: String {
        var start: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        unsafe SSL_get0_alpn_selected(client, &start, &count)
        return unsafe String(decoding: UnsafeBufferPointer(start: start, count: Int(count)), as: UTF8.self)
    }

    var clientResumed: Bool { unsafe SSL_session_reused(client) == 1 }
}
