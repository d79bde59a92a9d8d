// The other end: an OpenSSL server on a socketpair, driven step by step in the test's own thread.

internal import CLinux
internal import COpenSSL
internal import Kernel
internal import TLS
import Testing

/// A client session of ours and a plain OpenSSL server, joined by a socketpair; every step is the test's.
@safe final class Pair {
    let client: TLSSession
    private let clientEnd: Descriptor
    private let serverEnd: Descriptor
    private let context: OpaquePointer
    private let server: OpaquePointer

    /// - Parameters:
    ///   - tickets: how many sessions a TLS 1.3 server offers for resumption.
    ///   - earlier: whose server this one is, with its ticket keys.
    init(
        _ clientContext: ClientContext, to serverName: String, identity: Identity?,
        versions: ClosedRange<Int32> = TLS1_2_VERSION...TLS1_3_VERSION, tickets: Int = 0, likeServerOf earlier: Pair? = nil,
        now: MonotonicTime = MonotonicTime(nanoseconds: 0)
    ) throws {
        var ends: [Int32] = [0, 0]
        try unsafe #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &ends) == 0)
        clientEnd = Descriptor(owning: ends[0])
        serverEnd = Descriptor(owning: ends[1])
        unsafe context = try earlier?.sharedContext() ?? Pair.serverContext(identity, versions, tickets)
        unsafe server = try #require(SSL_new(context))
        unsafe SSL_set_fd(server, ends[1])
        unsafe SSL_set_accept_state(server)
        client = try TLSSession(clientContext, descriptor: ends[0], serverName: serverName, now: now)
    }

    deinit {
        unsafe SSL_free(server)
        unsafe SSL_CTX_free(context)
    }

    private func sharedContext() -> OpaquePointer {
        unsafe SSL_CTX_up_ref(context)
        return unsafe context
    }

    private static func serverContext(_ identity: Identity?, _ versions: ClosedRange<Int32>, _ tickets: Int) throws -> OpaquePointer {
        let context = try unsafe #require(SSL_CTX_new(TLS_server_method()))
        // Level 0, so that old versions are offered and it is the client who refuses them.
        unsafe SSL_CTX_set_security_level(context, 0)
        unsafe _ = claviger_SSL_CTX_set_min_proto_version(context, versions.lowerBound)
        unsafe _ = claviger_SSL_CTX_set_max_proto_version(context, versions.upperBound)
        unsafe SSL_CTX_set_num_tickets(context, tickets)
        unsafe _ = claviger_SSL_CTX_set_mode(context, Int(SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER))
        if let identity {
            unsafe SSL_CTX_use_certificate(context, identity.certificate)
            unsafe SSL_CTX_use_PrivateKey(context, identity.key)
        }
        // Takes the first protocol that the client offers.
        unsafe SSL_CTX_set_alpn_select_cb(
            context,
            { _, chosen, length, offered, _, _ in
                guard let offered = unsafe offered else { return SSL_TLSEXT_ERR_NOACK }
                unsafe chosen?.pointee = offered + 1
                unsafe length?.pointee = offered.pointee
                return SSL_TLSEXT_ERR_OK
            }, nil)
        return unsafe context
    }

    /// Lets both sides go on until the client is done or has failed.
    func handshake() -> TLSSession.Handshake {
        for _ in 0..<100 {
            let step = client.handshake()
            switch step {
            case .done, .failed: return step
            case .wantsRead, .wantsWrite: break
            }
            serverHandshake()
            client.isSocketReadable = true
            client.isSocketWritable = true
        }
        return .wantsRead
    }

    func serverHandshake() {
        ERR_clear_error()
        unsafe SSL_do_handshake(server)
        ERR_clear_error()
    }

    /// What the server takes from the client now; nil where there is nothing yet.
    func serverReads(_ capacity: Int = 64 << 10) -> [UInt8]? {
        ERR_clear_error()
        var bytes = [UInt8](repeating: 0, count: capacity)
        let count = unsafe SSL_read(server, &bytes, Int32(capacity))
        return count > 0 ? Array(bytes.prefix(Int(count))) : nil
    }

    /// How many of `bytes` the server could write.
    func serverWrites(_ bytes: ArraySlice<UInt8>) -> Int {
        ERR_clear_error()
        let bytes = Array(bytes)
        return Int(max(unsafe SSL_write(server, bytes, Int32(bytes.count)), 0))
    }

    func serverSaysGoodBye() {
        unsafe SSL_shutdown(server)
    }

    /// The server is gone without a word.
    func cut() {
        shutdown(serverEnd.number, Int32(SHUT_RDWR))
    }

    /// Moves what the server wrote out of the socket, so that a test can give it back bit by bit: reads the client's end raw.
    func takeRaw() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 256 << 10)
        let count = unsafe recv(clientEnd.number, &bytes, bytes.count, 0)
        return Array(bytes.prefix(max(count, 0)))
    }

    /// Puts raw bytes where the client reads them, past OpenSSL.
    func giveRaw(_ bytes: some Collection<UInt8>) {
        let bytes = Array(bytes)
        unsafe _ = send(serverEnd.number, bytes, bytes.count, 0)
    }

    /// Whether the client's good-bye has come.
    var serverWasTold: Bool { unsafe SSL_get_shutdown(server) & SSL_RECEIVED_SHUTDOWN != 0 }

    var serverResumed: Bool { unsafe SSL_session_reused(server) == 1 }

    /// The name that the client sent (SNI).
    var requestedName: String? {
        unsafe SSL_get_servername(server, TLSEXT_NAMETYPE_host_name).map { unsafe String(cString: $0) }
    }

    /// The protocol that was agreed on (ALPN).
    var agreedProtocol: String {
        var start: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        unsafe SSL_get0_alpn_selected(server, &start, &count)
        return unsafe String(decoding: UnsafeBufferPointer(start: start, count: Int(count)), as: UTF8.self)
    }

    /// What the client says when asked to write `bytes` as far as they go, and how many went.
    func clientWrites(_ bytes: ArraySlice<UInt8>) -> (TLSSession.Write, Int) {
        var taken = 0
        while taken < bytes.count {
            let rest = Array(bytes.dropFirst(taken))
            let step = client.write(rest.span.raw)
            guard case .bytes(let count) = step else { return (step, taken) }
            taken += count
        }
        return (.bytes(taken), taken)
    }

    /// One read of the client's, and what it brought.
    func clientReads(_ capacity: Int = 64 << 10) -> (TLSSession.Read, [UInt8]) {
        var bytes = WipedBytes(count: capacity)
        var span = bytes.mutableBytes
        let step = client.read(into: &span)
        if case .bytes(let count) = step { return (step, Array(bytes.bytes.copied().prefix(count))) }
        return (step, [])
    }
}
