// One TLS connection, to a server or of a client's, step by step: it never waits, it says what to wait for.

internal import COpenSSL
package import Kernel

/// The TLS side of one connection over a non-blocking socket that someone else owns and closes, after this.
///
/// For an edge-triggered loop: before a step say in `isSocketReadable` and `isSocketWritable` what the loop knows; after it they are false where
/// a read came back short or a write was not taken whole, and only a new edge makes them true. Where they are false no system call is made.
/// So after a step that gave `bytes`, step again until it says what it wants before waiting: bytes may be left here when the socket has none.
/// To be used from one thread at a time.
@safe package final class TLSSession {
    package enum Handshake: Equatable, Sendable {
        case done
        case wantsRead
        case wantsWrite
        case failed(TLSFault)
    }

    package enum Read: Equatable, Sendable {
        /// So many were written to the target's start; at least one, at most a record's 16 KiB.
        case bytes(Int)
        case wantsRead
        case wantsWrite
        /// No more will come. Clean: the peer said so (close_notify, RFC 8446, section 6.1); otherwise the connection was cut,
        /// and an answer that has no other end is broken off.
        case closed(clean: Bool)
        case failed(TLSFault)
    }

    package enum Write: Equatable, Sendable {
        /// So many were taken from the front, at most a record's 16 KiB.
        case bytes(Int)
        case wantsRead
        /// Call again with bytes that begin with the same ones, at least as many: part of them may have left.
        case wantsWrite
        case failed(TLSFault)
    }

    private enum Phase {
        case handshaking
        case open
        /// Nothing more either way: cut, or closed from here.
        case over
        case failed(TLSFault)
    }

    /// What it was made from, which outlives it.
    private enum Side {
        case client(ClientContext)
        case server(ServerContext)
    }

    private let side: Side
    private let ssl: OpaquePointer
    // At an address of its own, for OpenSSL's callbacks; freed after `ssl`.
    private let wire: UnsafeMutablePointer<Wire>
    private var phase = Phase.handshaking
    private let began: MonotonicTime
    /// When the certificate of the session that was offered for resumption was verified.
    private var offered: MonotonicTime?

    /// Ours is the client's part.
    ///
    /// - Parameters:
    ///   - descriptor: a connected, non-blocking stream socket; borrowed, and to be kept open until this is gone.
    ///   - serverName: the name or numeric address that the certificate must bear; a name (A-labels) is also sent (SNI, RFC 6066, section 3).
    ///   - now: for the age of resumable sessions.
    /// - Throws: `.serverName` for a name that cannot be asked for, `.library`.
    package convenience init(
        _ context: ClientContext, descriptor: Int32, serverName: String, now: MonotonicTime = .now()
    ) throws(TLSFault) {
        unsafe try self.init(.client(context), context.makeSSL(), Wire(descriptor: descriptor, peer: .server, serverName: serverName), now)
        unsafe SSL_set_connect_state(ssl)
        try verify(serverName)
        if let earlier = context.resumable.session(for: serverName, now: now) {
            unsafe earlier.session.offer(on: ssl)
            offered = earlier.verifiedAt
        }
    }

    /// Ours is the server's part.
    ///
    /// - Parameter descriptor: an accepted, non-blocking stream socket; borrowed, and to be kept open until this is gone.
    /// - Throws: `.library`.
    package convenience init(_ context: ServerContext, descriptor: Int32, now: MonotonicTime = .now()) throws(TLSFault) {
        unsafe try self.init(.server(context), context.makeSSL(), Wire(descriptor: descriptor, peer: .client), now)
        unsafe SSL_set_accept_state(ssl)
    }

    private init(_ side: Side, _ made: OpaquePointer?, _ wire: consuming Wire, _ now: MonotonicTime) throws(TLSFault) {
        let peer = wire.peer
        guard let ssl = unsafe made else { throw .fromQueue(isBeforeRequest: true, peer: peer) }
        unsafe self.wire = .allocate(capacity: 1)
        unsafe self.wire.initialize(to: wire)
        unsafe self.ssl = ssl
        self.side = side
        began = now
        guard unsafe SSL_set_ex_data(ssl, 0, self.wire) == 1, let bio = unsafe Wire.bio(self.wire) else {
            throw .fromQueue(isBeforeRequest: true, peer: peer)
        }
        // One BIO for both directions: SSL_set_bio then takes the one reference there is.
        unsafe SSL_set_bio(ssl, bio, bio)
    }

    deinit {
        unsafe SSL_free(ssl)
        unsafe wire.deinitialize(count: 1)
        unsafe wire.deallocate()
    }

    /// Whether the socket may have bytes. False at first.
    package var isSocketReadable: Bool {
        get { unsafe wire.pointee.isReadable }
        set { unsafe wire.pointee.isReadable = newValue }
    }

    /// Whether the socket may take bytes. True at first.
    package var isSocketWritable: Bool {
        get { unsafe wire.pointee.isWritable }
        set { unsafe wire.pointee.isWritable = newValue }
    }

    /// After a read that gave `bytes`: whether more was received than it took, so that another may bring something though the socket is drained.
    /// After one that gave `wantsRead` it may be true for a part of a record, and then says nothing.
    package var hasBufferedBytes: Bool { unsafe SSL_has_pending(ssl) == 1 }

    /// System calls made so far.
    package var socketReads: Int { unsafe wire.pointee.receives }
    package var socketWrites: Int { unsafe wire.pointee.sends }

    /// Whether the handshake resumed an earlier session; meaningful once it is done.
    package var isResumed: Bool { unsafe SSL_session_reused(ssl) == 1 }

    /// "TLSv1.3", "TLSv1.2": what was agreed.
    package var version: String { unsafe String(cString: SSL_get_version(ssl)) }

    /// As far as it goes. Done means: a server's certificate was verified and names it; of a client's, that it passed where one is asked for.
    package func handshake() -> Handshake {
        switch phase {
        case .open: return .done
        case .failed(let fault): return .failed(fault)
        case .over: return .failed(.cut(isBeforeRequest: true, peer: peer))
        case .handshaking: break
        }
        ERR_clear_error()
        let result = unsafe SSL_do_handshake(ssl)
        if result == 1 {
            phase = .open
            keepResumable()
            return .done
        }
        switch stop(result) {
        case .wantsRead: return .wantsRead
        case .wantsWrite: return .wantsWrite
        case .closed:
            let fault = TLSFault.cut(isBeforeRequest: true, peer: peer)
            phase = .failed(fault)
            return .failed(fault)
        case .failed(let fault): return .failed(fault)
        }
    }

    /// Reads what there is of the peer's bytes into `target`, which must have room.
    ///
    /// On an idle connection whose socket became readable, `wantsRead` means that only messages of TLS itself came (tickets, key updates):
    /// the connection is still good. Anything else means it is not.
    package func read(into target: inout MutableRawSpan) -> Read {
        switch phase {
        case .open: break
        case .handshaking: preconditionFailure("a session is read after its handshake")
        case .over: return .closed(clean: false)
        case .failed(let fault): return .failed(fault)
        }
        precondition(!target.isEmpty, "a read has room")
        TLSFault.forgetErrors()
        var count = 0
        let result = unsafe target.withUnsafeMutableBytes { unsafe SSL_read_ex(ssl, $0.baseAddress, $0.count, &count) }
        keepResumable()
        if result == 1 { return .bytes(count) }
        switch stop(result) {
        case .wantsRead: return .wantsRead
        case .wantsWrite: return .wantsWrite
        case .closed(let clean): return .closed(clean: clean)
        case .failed(let fault): return .failed(fault)
        }
    }

    /// Sends from the front of `bytes`. No bytes are no work.
    package func write(_ bytes: RawSpan) -> Write {
        switch phase {
        case .open: break
        case .handshaking: preconditionFailure("a session is written after its handshake")
        case .over: return .failed(.cut(isBeforeRequest: false, peer: peer))
        case .failed(let fault): return .failed(fault)
        }
        guard !bytes.isEmpty else { return .bytes(0) }
        TLSFault.forgetErrors()
        var count = 0
        let result = unsafe bytes.withUnsafeBytes { unsafe SSL_write_ex(ssl, $0.baseAddress, $0.count, &count) }
        if result == 1 { return .bytes(count) }
        switch stop(result) {
        case .wantsRead: return .wantsRead
        case .wantsWrite: return .wantsWrite
        case .closed: return .failed(.cut(isBeforeRequest: false, peer: peer))
        case .failed(let fault): return .failed(fault)
        }
    }

    /// Says good-bye (close_notify) where the socket takes it at once. The socket is not closed.
    package func close() {
        guard case .open = phase else { return }
        ERR_clear_error()
        unsafe SSL_shutdown(ssl)
        ERR_clear_error()
        phase = .over
    }
}

extension TLSSession {
    private enum Stop {
        case wantsRead
        case wantsWrite
        case closed(clean: Bool)
        case failed(TLSFault)
    }

    private var peer: Wire.Peer { unsafe wire.pointee.peer }

    /// Why OpenSSL came back without a result. What is over stays over.
    private func stop(_ result: Int32) -> Stop {
        let error = unsafe SSL_get_error(ssl, result)
        switch error {
        case SSL_ERROR_WANT_READ: return .wantsRead
        case SSL_ERROR_WANT_WRITE: return .wantsWrite
        case SSL_ERROR_ZERO_RETURN: return .closed(clean: true)
        default: break
        }
        var isBeforeRequest = false
        if case .handshaking = phase { isBeforeRequest = true }
        if ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING {
            ERR_clear_error()
            phase = .over
            return .closed(clean: false)
        }
        let fault: TLSFault
        if let refused = unsafe wire.pointee.refused {
            ERR_clear_error()
            fault = refused
        } else if let broken = unsafe wire.pointee.fault {
            ERR_clear_error()
            fault = TLSFault(cause: .socket(broken), words: "the connection broke: \(broken.reason)", isBeforeRequest: isBeforeRequest)
        } else {
            fault = .fromQueue(isBeforeRequest: isBeforeRequest, peer: peer)
        }
        phase = .failed(fault)
        return .failed(fault)
    }

    /// Sets what the certificate must bear. Names are matched as RFC 9525 says: alternative names only, a wildcard only as a whole label.
    private func verify(_ serverName: String) throws(TLSFault) {
        let refused = TLSFault(cause: .serverName, words: "\"\(serverName)\" is no name that a certificate can bear", isBeforeRequest: true)
        guard !serverName.isEmpty, serverName.utf8.count <= 255, !serverName.utf8.contains(where: { $0 <= 0x20 || $0 >= 0x7F })
        else { throw refused }
        let parameters = unsafe SSL_get0_param(ssl)
        unsafe X509_VERIFY_PARAM_set_hostflags(
            parameters, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
        if SocketAddress(numeric: serverName, port: 0) != nil {
            guard unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, serverName) == 1 else { throw refused }
            return
        }
        // A root's dot is for resolvers: neither certificates nor SNI have it.
        let name = serverName.hasSuffix(".") ? String(serverName.dropLast()) : serverName
        guard unsafe X509_VERIFY_PARAM_set1_host(parameters, name, 0) == 1, unsafe claviger_SSL_set_tlsext_host_name(ssl, name) == 1
        else { throw refused }
    }

    /// OpenSSL's callback for a session that can be resumed: it is copied and left with OpenSSL (returns 0).
    static func keep(_ session: OpaquePointer?, of ssl: OpaquePointer?) -> Int32 {
        if let wire = unsafe SSL_get_ex_data(ssl, 0)?.assumingMemoryBound(to: Wire.self) {
            unsafe wire.pointee.resumable = ResumableSession(copying: session)
        }
        return 0
    }

    /// Passes on to the context what the callback left.
    private func keepResumable() {
        guard case .client(let context) = side, let session = unsafe wire.pointee.resumable else { return }
        unsafe wire.pointee.resumable = nil
        let verifiedAt = isResumed ? offered ?? began : began
        context.resumable.keep(session, for: unsafe wire.pointee.serverName, verifiedAt: verifiedAt)
    }
}

extension TLSFault {
    fileprivate static func cut(isBeforeRequest: Bool, peer: Wire.Peer) -> TLSFault {
        TLSFault(
            cause: .cut, words: "\(peer.words) closed the connection" + (isBeforeRequest ? " during the handshake" : ""),
            isBeforeRequest: isBeforeRequest)
    }
}
