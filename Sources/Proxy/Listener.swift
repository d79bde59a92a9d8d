// Where connections come in, and through which door.

internal import Gateway
package import Kernel
internal import Synchronization

/// Which listener a connection came through: what it may reach depends on it.
package enum Door: String, Sendable {
    /// `gateway.listen`: agents, and people at the portal's pages.
    case `public`
    /// `admin.address`: health, metrics, the administration behind its own authority.
    case admin
    /// `admin.sock`: whoever may connect is the authority.
    case socket
}

/// A place where connections come in: what those that came go on knowing of it.
package final class Entrance: Sendable {
    package let door: Door
    /// What the configuration says.
    let asked: ListenAddress
    /// With the port that was given where 0 was asked for.
    package let address: SocketAddress
    private let closed = Atomic(false)

    init(_ door: Door, asked: ListenAddress, at address: SocketAddress) {
        self.door = door
        self.asked = asked
        self.address = address
    }

    /// Whether connections are accepted here, and those that were may take another request.
    var isOpen: Bool { !closed.load(ordering: .relaxed) }

    /// Whether its sockets are systemd's.
    var isHandedOver: Bool {
        if case .activated = asked { true } else { false }
    }

    /// Nobody who looks later finds it open.
    func close() { closed.store(true, ordering: .relaxed) }
}

/// One listening socket for one worker or for all: each worker has its own on a TCP address, all share a path's, and what systemd handed over.
/// It is closed when nobody accepts from it any more; one that was handed over stays open.
package final class Listener: Sendable {
    package let entrance: Entrance
    let socket: ListeningSocket
    /// Whether all workers accept from it.
    let isShared: Bool

    init(_ entrance: Entrance, _ socket: ListeningSocket, isShared: Bool) {
        self.entrance = entrance
        self.socket = socket
        self.isShared = isShared
    }

    /// Whether it is systemd's: what waits in its backlog when this process ends is the next one's.
    var isHandedOver: Bool { entrance.isHandedOver }
}

/// Owns the descriptor.
final class ListeningSocket: Sendable {
    let descriptor: Descriptor

    init(_ descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }
}

/// A listener that could not be opened, in words for the operator.
package struct ListenFault: Error, CustomStringConvertible {
    package let description: String
}

extension Listener {
    /// Opens `address` for `workers` loops: one socket each on TCP, the same for all on a path. Each entrance that is found there has its own array.
    ///
    /// - Parameters:
    ///   - handedOver: what systemd opened.
    ///   - ports: of this daemon's own listeners: one of these may be shared with them.
    ///   - mode: a path's permission bits.
    ///   - group: the group a path is given to; nil = the process's own.
    static func open(
        _ address: ListenAddress, door: Door, workers: Int, sharing ports: Set<UInt16> = [], from handedOver: [HandedSocket] = [],
        mode: UInt32 = 0o666, group: UInt32? = nil
    ) throws(ListenFault) -> [[Listener]] {
        switch address {
        case .tcp(let host, let port):
            return [try openTCP(host, port, asked: address, door: door, workers: workers, sharing: ports)]
        case .unix(let path):
            let listener = try openPath(path, asked: address, door: door, isShared: workers > 1, mode: mode, group: group)
            return [Array(repeating: listener, count: workers)]
        case .activated(let name):
            return try HandedSocket.named(name, among: handedOver).map { handed in
                let entrance = Entrance(door, asked: address, at: handed.address)
                return Array(repeating: Listener(entrance, handed.socket, isShared: workers > 1), count: workers)
            }
        }
    }

    private static func openTCP(
        _ host: String, _ port: UInt16, asked: ListenAddress, door: Door, workers: Int, sharing ports: Set<UInt16>
    ) throws(ListenFault) -> [Listener] {
        let name = host == "localhost" ? "127.0.0.1" : host
        guard var address = SocketAddress(numeric: name, port: port) else {
            throw ListenFault(description: "cannot listen on \(host):\(port): not a numeric address; write 0.0.0.0, [::] or one of this machine's")
        }
        var entrance: Entrance?
        var listeners: [Listener] = []
        for _ in 0..<workers {
            do throws(SystemFault) {
                // Sockets that share a port do so with any other process of this user: an unshared one first finds out that nobody has it.
                if listeners.isEmpty, port != 0, !ports.contains(port) { _ = try Socket.listen(on: address, shared: false) }
                // Also a lone one: a reload may want another address with the same port before this one is closed.
                let descriptor = try Socket.listen(on: address, shared: true)
                // Port 0 asks for a free one: the other workers share what the first was given.
                address = Socket.localAddress(descriptor.number) ?? address
                let common = entrance ?? Entrance(door, asked: asked, at: address)
                entrance = common
                listeners.append(Listener(common, ListeningSocket(descriptor), isShared: false))
            } catch {
                throw ListenFault(description: "cannot listen on \(address): \(error.reason)\(remedy(for: error))")
            }
        }
        return listeners
    }

    private static func openPath(
        _ path: String, asked: ListenAddress, door: Door, isShared: Bool, mode: UInt32, group: UInt32?
    ) throws(ListenFault) -> Listener {
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
            return Listener(Entrance(door, asked: asked, at: .unix(path)), ListeningSocket(descriptor), isShared: isShared)
        } catch {
            throw ListenFault(description: "cannot listen on unix:\(path): \(error.reason)\(remedy(for: error))")
        }
    }

    private static func remedy(for fault: SystemFault) -> String {
        switch fault.code {
        case SystemFault.addressInUse: "; another process has it: stop that, or choose another in gateway.listen or admin.address"
        case SystemFault.accessDenied: "; ports below 1024 are for root: let systemd open it (claviger.socket, and `systemd:claviger` in gateway.listen)"
        default: ""
        }
    }
}
