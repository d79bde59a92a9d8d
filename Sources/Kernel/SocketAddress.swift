// Where a socket listens or connects: an IPv4 or IPv6 address with its port, or a path.

internal import CLinux

package enum SocketAddress: Hashable, Sendable, CustomStringConvertible {
    /// Four bytes, network order.
    case v4([UInt8], port: UInt16)
    /// Sixteen bytes, network order, and the scope of a link-local one.
    case v6([UInt8], port: UInt16, scope: UInt32)
    /// At most 107 bytes (unix(7)).
    case unix(String)

    /// A numeric IPv4 or IPv6 address; nil for a name.
    package init?(numeric host: String, port: UInt16) {
        var four = in_addr()
        if unsafe inet_pton(AF_INET, host, &four) == 1 {
            let bytes = unsafe withUnsafeBytes(of: &four) { unsafe Array($0) }
            self = .v4(bytes, port: port)
            return
        }
        var six = in6_addr()
        guard unsafe inet_pton(AF_INET6, host, &six) == 1 else { return nil }
        let bytes = unsafe withUnsafeBytes(of: &six) { unsafe Array($0) }
        self = .v6(bytes, port: port, scope: 0)
    }

    package var port: UInt16? {
        switch self {
        case .v4(_, let port), .v6(_, let port, _): port
        case .unix: nil
        }
    }

    /// The same address with another port; a path has none.
    package func with(port: UInt16) -> SocketAddress {
        switch self {
        case .v4(let bytes, _): .v4(bytes, port: port)
        case .v6(let bytes, _, let scope): .v6(bytes, port: port, scope: scope)
        case .unix: self
        }
    }

    /// The address alone, as logs and X-Forwarded-For write it.
    package var host: String {
        switch self {
        case .v4(let bytes, _):
            return bytes.map(String.init).joined(separator: ".")
        case .v6(let bytes, _, _):
            var address = in6_addr()
            unsafe withUnsafeMutableBytes(of: &address) { unsafe $0.copyBytes(from: bytes) }
            var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
            unsafe inet_ntop(AF_INET6, &address, &text, socklen_t(text.count))
            return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        case .unix(let path):
            return "unix:" + path
        }
    }

    package var description: String {
        switch self {
        case .v4(_, let port): "\(host):\(port)"
        case .v6(_, let port, _): "[\(host)]:\(port)"
        case .unix: host
        }
    }

    /// The C form and its length, for `body` to pass on.
    func withSockaddr<T>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> T) -> T {
        var storage = sockaddr_storage()
        let length: Int
        switch self {
        case .v4(let bytes, let port):
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            unsafe withUnsafeMutableBytes(of: &address.sin_addr) { unsafe $0.copyBytes(from: bytes.prefix(4)) }
            unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: address, as: sockaddr_in.self) }
            length = MemoryLayout<sockaddr_in>.size
        case .v6(let bytes, let port, let scope):
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            address.sin6_scope_id = scope
            unsafe withUnsafeMutableBytes(of: &address.sin6_addr) { unsafe $0.copyBytes(from: bytes.prefix(16)) }
            unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: address, as: sockaddr_in6.self) }
            length = MemoryLayout<sockaddr_in6>.size
        case .unix(let path):
            let bytes = Array(path.utf8.prefix(107))
            unsafe withUnsafeMutableBytes(of: &storage) { raw in
                unsafe raw.storeBytes(of: sa_family_t(AF_UNIX), as: sa_family_t.self)
                for (at, byte) in bytes.enumerated() { unsafe raw[2 + at] = byte }
            }
            length = 2 + bytes.count + 1
        }
        return unsafe withUnsafePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, socklen_t(length)) }
        }
    }

    /// Reads the C form; nil for a family that is none of ours.
    init?(_ storage: sockaddr_storage) {
        let family = Int32(storage.ss_family)
        let made: SocketAddress? = unsafe withUnsafeBytes(of: storage) { raw in
            switch family {
            case AF_INET:
                let address = unsafe raw.load(as: sockaddr_in.self)
                return unsafe .v4(Array(raw[4..<8]), port: UInt16(bigEndian: address.sin_port))
            case AF_INET6:
                let address = unsafe raw.load(as: sockaddr_in6.self)
                return unsafe .v6(Array(raw[8..<24]), port: UInt16(bigEndian: address.sin6_port), scope: address.sin6_scope_id)
            case AF_UNIX:
                return unsafe .unix(String(decoding: raw[2..<110].prefix { $0 != 0 }, as: UTF8.self))
            default:
                return nil
            }
        }
        guard let made else { return nil }
        self = made
    }
}
