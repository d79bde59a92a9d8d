// Where connections come in, and through which door.

internal import Gateway
package import Kernel

/// Which listener a connection came through: what it may reach depends on it.
package enum Door: String, Sendable {
    /// `gateway.listen`: agents, and people at the portal's pages.
    case `public`
    /// `admin.address`: health, metrics, the administration behind its own authority.
    case admin
    /// `admin.sock`: whoever may connect is the authority.
    case socket
}

/// One listening socket; each worker has its own on a TCP address, all share a path's.
package final class Listener: Sendable {
    package let door: Door
    package let address: SocketAddress
    let descriptor: Descriptor

    init(door: Door, address: SocketAddress, descriptor: consuming Descriptor) {
        self.door = door
        self.address = address
        self.descriptor = descriptor
    }
}

/// A listener that could not be opened, in words for the operator.
package struct ListenFault: Error, CustomStringConvertible {
    package let description: String
}

extension Listener {
    /// Opens `address` for `workers` loops: one socket each on TCP, the same for all on a path.
    ///
    /// - Parameters:
    ///   - mode: a path's permission bits.
    ///   - group: the group a path is given to; nil = the process's own.
    static func open(
        _ address: ListenAddress, door: Door, workers: Int, mode: UInt32 = 0o666, group: UInt32? = nil
    ) throws(ListenFault) -> [Listener] {
        switch address {
        case .tcp(let host, let port):
            return try openTCP(host, port, door: door, workers: workers)
        case .unix(let path):
            let listener = try openPath(path, door: door, mode: mode, group: group)
            return Array(repeating: listener, count: workers)
        }
    }

    private static func openTCP(_ host: String, _ port: UInt16, door: Door, workers: Int) throws(ListenFault) -> [Listener] {
        let name = host == "localhost" ? "127.0.0.1" : host
        guard var address = SocketAddress(numeric: name, port: port) else {
            throw ListenFault(description: "cannot listen on \(host):\(port): not a numeric address; write 0.0.0.0, [::] or one of this machine's")
        }
        var listeners: [Listener] = []
        for _ in 0..<workers {
            do throws(SystemFault) {
                // Sockets that share a port do so with any other process of this user: an unshared one first finds out that nobody has it.
                if workers > 1, listeners.isEmpty, port != 0 { _ = try Socket.listen(on: address, shared: false) }
                let descriptor = try Socket.listen(on: address, shared: workers > 1)
                // Port 0 asks for a free one: the other workers share what the first was given.
                address = Socket.localAddress(descriptor.number) ?? address
                listeners.append(Listener(door: door, address: address, descriptor: descriptor))
            } catch {
                throw ListenFault(description: "cannot listen on \(address): \(error.reason)\(remedy(for: error))")
            }
        }
        return listeners
    }

    private static func openPath(_ path: String, door: Door, mode: UInt32, group: UInt32?) throws(ListenFault) -> Listener {
        guard path.utf8.count <= 107 else {
            throw ListenFault(description: "cannot listen on unix:\(path): a socket's path has at most 107 bytes")
        }
        do throws(SystemFault) {
            if (try? Socket.connect(to: .unix(path))) != nil {
                throw SystemFault("bind", SystemFault.addressInUse)
            }
            if let fault = Files.remove(path) { throw fault }
            let descriptor = try Socket.listen(on: .unix(path), shared: false)
            try Files.setMode(path, mode)
            if let group { try Files.setGroup(path, group) }
            return Listener(door: door, address: .unix(path), descriptor: descriptor)
        } catch {
            throw ListenFault(description: "cannot listen on unix:\(path): \(error.reason)\(remedy(for: error))")
        }
    }

    private static func remedy(for fault: SystemFault) -> String {
        switch fault.code {
        case SystemFault.addressInUse: "; another process has it: stop that, or choose another in gateway.listen or admin.address"
        case SystemFault.accessDenied: "; ports below 1024 need CAP_NET_BIND_SERVICE"
        default: ""
        }
    }
}
