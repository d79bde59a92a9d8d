// A listening socket that systemd opened and handed over: it outlives the process.

internal import Gateway
package import Kernel

/// Kept as long as the process lives, whether it is listened on or not: a reload may want it again.
package struct HandedSocket: Sendable {
    /// As its unit's `FileDescriptorName=` has it. Several may have the same.
    package let name: String
    let address: SocketAddress
    let socket: ListeningSocket

    /// - Throws: where it is no stream socket that listens.
    package init(_ descriptor: consuming Descriptor, named name: String) throws(ListenFault) {
        let takesConnections: Bool
        do throws(SystemFault) {
            takesConnections = try Socket.adopt(descriptor)
        } catch {
            throw ListenFault(description: "cannot listen on systemd:\(name): \(error.reason)")
        }
        guard takesConnections, let address = Socket.localAddress(descriptor.number) else {
            throw ListenFault(
                description: "cannot listen on systemd:\(name): what systemd handed over takes no connections; its unit needs ListenStream= and Accept=no")
        }
        self.address = address
        self.name = name
        socket = ListeningSocket(descriptor)
    }

    /// At least one.
    ///
    /// - Throws: where none has the name: what was handed over instead, and what the units need.
    static func named(_ name: String, among all: [HandedSocket]) throws(ListenFault) -> [HandedSocket] {
        let own = all.filter { $0.name == name }
        guard own.isEmpty else { return own }
        let others = Set(all.map(\.name)).sorted().joined(separator: ", ")
        throw ListenFault(
            description: "cannot listen on systemd:\(name): systemd handed over \(others.isEmpty ? "no socket" : "only \(others)"); "
                + "the socket unit needs FileDescriptorName=\(name), and to be active before the service starts: "
                + "`systemctl enable --now claviger.socket`, then `systemctl restart claviger`")
    }
}
