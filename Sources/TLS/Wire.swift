// The socket under a session: a BIO of ours that remembers readiness, so that no read is made only to hear "nothing there".

internal import COpenSSL
internal import Kernel

/// What the BIO, and OpenSSL's callbacks, know of one session. Lives at a fixed address as long as the session's SSL.
struct Wire {
    /// Whom the other end belongs to.
    enum Peer {
        case server
        case client

        var words: String {
            switch self {
            case .server: "the server"
            case .client: "the client"
            }
        }
    }

    let descriptor: Int32
    let peer: Peer
    /// Whether the socket may have bytes: set by the loop, unset by a read that came back short.
    var isReadable = false
    /// Whether the socket may take bytes.
    var isWritable = true
    /// The peer has sent all it will.
    var isEnded = false
    /// What broke the socket.
    var fault: SystemFault?
    /// Why the peer's certificate was refused.
    var refused: TLSFault?
    /// The latest session that the peer let us resume: a copy of our own.
    var resumable: ResumableSession?
    /// The name that a server's certificate must bear.
    let serverName: String
    /// System calls made, for tests and figures.
    var receives = 0
    var sends = 0

    init(descriptor: Int32, peer: Peer, serverName: String = "") {
        self.descriptor = descriptor
        self.peer = peer
        self.serverName = serverName
    }
}

extension Wire {
    /// A BIO that reads and writes through `wire`; nil where OpenSSL has no memory. Freed with the SSL that it is given to.
    static func bio(_ wire: UnsafeMutablePointer<Wire>) -> OpaquePointer? {
        guard let method = unsafe method, let bio = unsafe BIO_new(method) else { return nil }
        unsafe BIO_set_data(bio, wire)
        unsafe BIO_set_init(bio, 1)
        return unsafe bio
    }

    // Made once, never changed or freed after: safe to share.
    private nonisolated(unsafe) static let method: OpaquePointer? = {
        guard let method = unsafe BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket with readiness") else { return nil }
        unsafe BIO_meth_set_read(method) { bio, target, count in unsafe Wire.receive(bio, target, count) }
        unsafe BIO_meth_set_write(method) { bio, source, count in unsafe Wire.send(bio, source, count) }
        unsafe BIO_meth_set_ctrl(method) { bio, command, _, _ in unsafe Wire.control(bio, command) }
        return unsafe method
    }()

    private static func wire(of bio: OpaquePointer?) -> UnsafeMutablePointer<Wire>? {
        unsafe BIO_get_data(bio)?.assumingMemoryBound(to: Wire.self)
    }

    /// BIO_read: bytes, 0 for the end, -1 with the retry flag for "not yet".
    private static func receive(_ bio: OpaquePointer?, _ target: UnsafeMutablePointer<CChar>?, _ count: Int32) -> Int32 {
        unsafe BIO_clear_flags(bio, retryFlags)
        guard let wire = unsafe wire(of: bio), let target = unsafe target, count > 0 else { return -1 }
        guard unsafe !wire.pointee.isEnded else { return 0 }
        guard unsafe wire.pointee.isReadable else { return unsafe retry(bio, BIO_FLAGS_READ) }
        unsafe wire.pointee.receives &+= 1
        var space = unsafe MutableRawSpan(_unsafeStart: target, byteCount: Int(count))
        switch unsafe Socket.receive(wire.pointee.descriptor, into: &space) {
        case .bytes(let n):
            if n < Int(count) { unsafe wire.pointee.isReadable = false }
            return Int32(n)
        case .notYet:
            unsafe wire.pointee.isReadable = false
            return unsafe retry(bio, BIO_FLAGS_READ)
        case .end:
            unsafe wire.pointee.isEnded = true
            return 0
        case .failed(let fault):
            unsafe wire.pointee.fault = fault
            return -1
        }
    }

    private static func send(_ bio: OpaquePointer?, _ source: UnsafePointer<CChar>?, _ count: Int32) -> Int32 {
        unsafe BIO_clear_flags(bio, retryFlags)
        guard let wire = unsafe wire(of: bio), let source = unsafe source, count > 0 else { return -1 }
        guard unsafe wire.pointee.isWritable else { return unsafe retry(bio, BIO_FLAGS_WRITE) }
        unsafe wire.pointee.sends &+= 1
        switch unsafe Socket.send(wire.pointee.descriptor, RawSpan(_unsafeStart: source, byteCount: Int(count))) {
        case .bytes(let n):
            if n < Int(count) { unsafe wire.pointee.isWritable = false }
            return Int32(n)
        case .notYet:
            unsafe wire.pointee.isWritable = false
            return unsafe retry(bio, BIO_FLAGS_WRITE)
        case .failed(let fault):
            unsafe wire.pointee.fault = fault
            return -1
        }
    }

    /// Nothing is held back, so flushing is done; OpenSSL asks for the end to tell a cut from an error.
    private static func control(_ bio: OpaquePointer?, _ command: Int32) -> Int {
        switch command {
        case BIO_CTRL_FLUSH: 1
        case BIO_CTRL_EOF: unsafe wire(of: bio)?.pointee.isEnded == true ? 1 : 0
        default: 0
        }
    }

    private static let retryFlags = BIO_FLAGS_READ | BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY

    private static func retry(_ bio: OpaquePointer?, _ direction: Int32) -> Int32 {
        unsafe BIO_set_flags(bio, direction | BIO_FLAGS_SHOULD_RETRY)
        return -1
    }
}
