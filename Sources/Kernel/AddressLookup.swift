// The addresses of a name, from the system's resolver.

internal import CLinux

/// getaddrinfo(3): hosts file, name servers, whatever nsswitch.conf says.
package enum AddressLookup {
    /// Blocks for as long as the system's resolver takes, which may be many seconds: never to be called on a loop's thread.
    ///
    /// - Returns: at least one address, port 0, in the order of RFC 6724.
    /// - Throws: `ResolveFault`, in words.
    package static func addresses(of host: String) throws(ResolveFault) -> [SocketAddress] {
        if let address = SocketAddress(numeric: host, port: 0) { return [address] }
        // A name that holds NUL would be looked up without its end.
        guard !host.isEmpty, !host.utf8.contains(0) else { throw .unknownName }
        // No AI_ADDRCONFIG: where only the loopback is up, it would hide "localhost". What is not reachable sorts last anyway.
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, nil, &hints, &list)
        guard code == 0 else { throw fault(code) }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var entry = unsafe list
        while let current = unsafe entry {
            if let address = unsafe address(of: current.pointee), !addresses.contains(address) { addresses.append(address) }
            unsafe entry = current.pointee.ai_next
        }
        guard !addresses.isEmpty else { throw .noAddress }
        return addresses
    }

    private static func address(of entry: addrinfo) -> SocketAddress? {
        guard let source = unsafe entry.ai_addr else { return nil }
        var storage = sockaddr_storage()
        unsafe withUnsafeMutableBytes(of: &storage) { target in
            let count = unsafe min(Int(entry.ai_addrlen), target.count)
            unsafe target.copyMemory(from: UnsafeRawBufferPointer(start: source, count: count))
        }
        return SocketAddress(storage)
    }

    /// EAI_NODATA, which <netdb.h> keeps to GNU's own.
    private static let noData: Int32 = -5

    private static func fault(_ code: Int32) -> ResolveFault {
        switch code {
        case EAI_NONAME: .unknownName
        case noData: .noAddress
        case EAI_AGAIN: .unanswered
        case EAI_SYSTEM: .failed(SystemFault.last("getaddrinfo").reason)
        default: .failed(unsafe String(cString: gai_strerror(code)))
        }
    }
}

/// Why a name has no address.
package enum ResolveFault: Error, Equatable, Sendable, CustomStringConvertible {
    case unknownName
    case noAddress
    /// The name servers said nothing, or that they cannot say now.
    case unanswered
    /// The one who asked would wait no longer.
    case late
    /// Too many names are being looked up.
    case busy
    case failed(String)

    package var description: String {
        switch self {
        case .unknownName: "there is no such name"
        case .noAddress: "the name has no address"
        case .unanswered: "the name servers do not answer"
        case .late: "no answer in time"
        case .busy: "too many names are being looked up"
        case .failed(let reason): reason
        }
    }
}
