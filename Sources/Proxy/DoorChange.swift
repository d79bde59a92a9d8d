// What another snapshot listens on: which listeners stay, which are new, which end.

internal import Gateway
internal import Kernel

/// The new ones are open, and nobody accepts from them yet; they are closed with this.
package struct DoorChange: Sendable {
    let kept: [Entrance]
    /// For each new entrance one listener a worker, or one alone.
    let opened: [[Listener]]
    let closing: [Entrance]

    /// - Parameter present: what is listened on now; `admin.sock` stays, whatever the snapshot says.
    /// - Throws: naming the address; nothing new is left open then.
    init(to snapshot: Snapshot, from present: [Entrance], workers: Int, handedOver: [HandedSocket]) throws(ListenFault) {
        // Few and slow: the first worker serves the administration beside its share.
        let wanted =
            snapshot.gateway.listen.map { (door: Door.public, address: $0, workers: workers) }
            + (snapshot.admin.address.map { [(door: Door.admin, address: $0, workers: 1)] } ?? [])
        kept = present.filter { own in own.door == .socket || wanted.contains { $0.door == own.door && $0.address == own.asked } }
        closing = present.filter { own in own.door != .socket && !wanted.contains { $0.door == own.door && $0.address == own.asked } }
        let ports = Set(present.compactMap(\.address.port))
        var opened: [[Listener]] = []
        for (door, address, workers) in wanted where !present.contains(where: { $0.door == door && $0.asked == address }) {
            do throws(ListenFault) {
                opened += try Listener.open(address, door: door, workers: workers, sharing: ports, from: handedOver)
            } catch {
                for listeners in opened { listeners.first?.entrance.removePath() }
                throw error
            }
        }
        self.opened = opened
    }

    /// Not to be adopted after all.
    package func discard() {
        for listeners in opened { listeners.first?.entrance.removePath() }
    }
}

extension Entrance {
    /// Where it is a path of the gateway's own: nobody connects there any more.
    func removePath() {
        if case .unix(let path) = asked { Files.remove(path) }
    }
}

extension Door {
    /// In lists: the public ones first.
    var rank: Int {
        switch self {
        case .public: 0
        case .admin: 1
        case .socket: 2
        }
    }
}
