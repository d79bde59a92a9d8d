// The socket calls of the data path: nonblocking, and "not yet" is a result, not an error.

internal import CLinux

/// What a read brought.
package enum ReadOutcome: Equatable, Sendable {
    case bytes(Int)
    /// Nothing there; readiness will tell.
    case notYet
    /// The peer has sent all it will.
    case end
    case failed(SystemFault)
}

/// What a write took.
package enum WriteOutcome: Equatable, Sendable {
    case bytes(Int)
    case notYet
    case failed(SystemFault)
}

/// A connection that came in, and from where.
package struct Accepted: ~Copyable {
    private let descriptor: Descriptor
    package let peer: SocketAddress

    init(descriptor: consuming Descriptor, peer: SocketAddress) {
        self.descriptor = descriptor
        self.peer = peer
    }

    package var number: Int32 { descriptor.number }

    package consuming func take() -> Descriptor { descriptor }
}

package enum Socket {
    /// Receives into `space`, once.
    package static func receive(_ descriptor: borrowing Descriptor, into space: inout MutableRawSpan) -> ReadOutcome {
        receive(descriptor.number, into: &space)
    }

    package static func receive(_ number: Int32, into space: inout MutableRawSpan) -> ReadOutcome {
        while true {
            let n = unsafe space.withUnsafeMutableBytes { unsafe recv(number, $0.baseAddress, $0.count, 0) }
            if n > 0 { return .bytes(n) }
            if n == 0 { return .end }
            if claviger_errno() == EAGAIN || claviger_errno() == EWOULDBLOCK { return .notYet }
            if claviger_errno() != EINTR { return .failed(.last("recv")) }
        }
    }

    /// Whether nothing waits to be received, neither bytes nor an end; takes nothing away (MSG_PEEK).
    package static func isSilent(_ number: Int32) -> Bool {
        var byte: UInt8 = 0
        let n = unsafe recv(number, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
        return n < 0 && (claviger_errno() == EAGAIN || claviger_errno() == EWOULDBLOCK)
    }

    /// Sends from `bytes`, once; a closed peer is an error, not a signal.
    package static func send(_ descriptor: borrowing Descriptor, _ bytes: RawSpan) -> WriteOutcome {
        send(descriptor.number, bytes)
    }

    package static func send(_ number: Int32, _ bytes: RawSpan) -> WriteOutcome {
        while true {
            let n = unsafe bytes.withUnsafeBytes { unsafe CLinux.send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if n >= 0 { return .bytes(n) }
            if claviger_errno() == EAGAIN || claviger_errno() == EWOULDBLOCK { return .notYet }
            if claviger_errno() != EINTR { return .failed(.last("send")) }
        }
    }

    /// How many connections may wait to be accepted; the kernel takes `net.core.somaxconn` where that is less.
    package static let backlog = 4096

    /// Lets so many wait from now on; those beyond stay.
    package static func setBacklog(_ descriptor: borrowing Descriptor, _ backlog: Int) {
        _ = CLinux.listen(descriptor.number, Int32(clamping: backlog))
    }

    /// A listening socket. `shared` lets several loops each have one on the same port (SO_REUSEPORT).
    package static func listen(on address: SocketAddress, shared: Bool, backlog: Int = Socket.backlog) throws(SystemFault) -> Descriptor {
        let descriptor = try open(address)
        switch address {
        case .v4, .v6:
            try set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
            if shared { try set(descriptor, SOL_SOCKET, SO_REUSEPORT, 1) }
            if case .v6 = address { try set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
        case .unix: break
        }
        let bound = unsafe address.withSockaddr { unsafe bind(descriptor.number, $0, $1) }
        guard bound == 0 else { throw .last("bind") }
        guard CLinux.listen(descriptor.number, Int32(clamping: backlog)) == 0 else { throw .last("listen") }
        return descriptor
    }

    /// Makes ready what somebody else opened, for `accept`: nonblocking, and open in no program that is started.
    /// - Returns: whether it is a stream socket that listens.
    package static func adopt(_ descriptor: borrowing Descriptor) throws(SystemFault) -> Bool {
        func ask(_ name: Int32) -> Int32? {
            var value: Int32 = 0
            var length = socklen_t(MemoryLayout<Int32>.size)
            return unsafe getsockopt(descriptor.number, SOL_SOCKET, name, &value, &length) == 0 ? value : nil
        }
        guard ask(SO_ACCEPTCONN) == 1, ask(SO_TYPE) == Int32(SOCK_STREAM.rawValue) else { return false }
        let flags = claviger_fcntl(descriptor.number, F_GETFL, 0)
        guard flags >= 0, claviger_fcntl(descriptor.number, F_SETFL, flags | O_NONBLOCK) == 0, claviger_fcntl(descriptor.number, F_SETFD, FD_CLOEXEC) == 0 else {
            throw .last("fcntl")
        }
        return true
    }

    /// A connection that waits, and who made it; nil when there is none. Accepted nonblocking.
    package static func accept(_ listener: borrowing Descriptor) throws(SystemFault) -> Accepted? {
        while true {
            var storage = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let number = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe accept4(listener.number, $0, &length, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
                }
            }
            if number >= 0 {
                return Accepted(descriptor: Descriptor(owning: number), peer: SocketAddress(storage) ?? .unix(""))
            }
            switch claviger_errno() {
            case EAGAIN, EWOULDBLOCK: return nil
            case EINTR, ECONNABORTED: continue
            default: throw .last("accept4")
            }
        }
    }

    /// Begins a connection; it is made, or has failed, when the socket becomes writable (`connectFault`).
    /// - Parameter end: no descriptor from this number on is taken; where none below is free, that is as if none were left.
    package static func connect(to address: SocketAddress, below end: Int = .max) throws(SystemFault) -> Descriptor {
        let descriptor = try open(address)
        guard Int(descriptor.number) < end else { throw SystemFault("socket", EMFILE) }
        let result = unsafe address.withSockaddr { unsafe CLinux.connect(descriptor.number, $0, $1) }
        guard result == 0 || claviger_errno() == EINPROGRESS || claviger_errno() == EINTR else { throw .last("connect") }
        return descriptor
    }

    /// Why a connection that was begun failed; nil where it was made.
    package static func connectFault(_ number: Int32) -> SystemFault? {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe getsockopt(number, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else { return .last("getsockopt") }
        return code == 0 ? nil : SystemFault("connect", code)
    }

    /// No waiting for company: small writes leave at once (TCP_NODELAY). Other families have nothing to set.
    package static func setNoDelay(_ number: Int32) {
        var one: Int32 = 1
        unsafe setsockopt(number, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    /// So that a peer that vanished without a word is noticed on an idle stream, within about two minutes.
    package static func setKeepAlive(_ number: Int32) {
        func set(_ level: Int32, _ name: Int32, _ value: Int32) {
            var value = value
            unsafe setsockopt(number, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
        }
        set(SOL_SOCKET, SO_KEEPALIVE, 1)
        set(Int32(IPPROTO_TCP), TCP_KEEPIDLE, 60)
        set(Int32(IPPROTO_TCP), TCP_KEEPINTVL, 15)
        set(Int32(IPPROTO_TCP), TCP_KEEPCNT, 4)
    }

    /// How many bytes the peer's TCP has acknowledged since the connection was made (tcp(7), TCP_INFO); nil where it cannot be said.
    package static func acknowledgedBytes(_ number: Int32) -> UInt64? {
        var bytes: UInt64 = 0
        guard unsafe claviger_acknowledged_bytes(number, &bytes) == 1 else { return nil }
        return bytes
    }

    /// Since when the peer's last bytes are here, read or not, in milliseconds, and whether it has ended its side (tcp(7), TCP_INFO); nil where it
    /// cannot be said.
    package static func sinceReceived(_ number: Int32) -> (milliseconds: Int, hasEnded: Bool)? {
        var (milliseconds, hasEnded): (UInt32, Int32) = (0, 0)
        guard unsafe claviger_milliseconds_since_received(number, &milliseconds, &hasEnded) == 1 else { return nil }
        return (Int(milliseconds), hasEnded != 0)
    }

    /// No more will be sent; what is under way still arrives.
    package static func endSending(_ number: Int32) {
        _ = shutdown(number, Int32(SHUT_WR))
    }

    /// Closing will reset the connection, so that a cut answer cannot look complete.
    package static func resetOnClose(_ number: Int32) {
        var off = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(number, SOL_SOCKET, SO_LINGER, &off, socklen_t(MemoryLayout<linger>.size))
    }

    /// The uid of the process at the other end of a Unix socket (SO_PEERCRED).
    package static func peerUser(_ number: Int32) -> UInt32? {
        var credential = claviger_ucred()
        var length = socklen_t(MemoryLayout<claviger_ucred>.size)
        guard unsafe getsockopt(number, SOL_SOCKET, SO_PEERCRED, &credential, &length) == 0 else { return nil }
        return credential.uid
    }

    /// The address a listening socket was given, its port where 0 was asked for.
    package static func localAddress(_ number: Int32) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getsockname(number, $0, &length) }
        }
        return result == 0 ? SocketAddress(storage) : nil
    }

    private static func open(_ address: SocketAddress) throws(SystemFault) -> Descriptor {
        let family: Int32
        switch address {
        case .v4: family = AF_INET
        case .v6: family = AF_INET6
        case .unix: family = AF_UNIX
        }
        let number = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw .last("socket") }
        return Descriptor(owning: number)
    }

    private static func set(_ descriptor: borrowing Descriptor, _ level: Int32, _ name: Int32, _ value: Int32) throws(SystemFault) {
        var value = value
        guard unsafe setsockopt(descriptor.number, level, name, &value, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
            throw .last("setsockopt")
        }
    }
}
