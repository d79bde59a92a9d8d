// All workers together: opened, started, drained, looked after.

package import Gateway
internal import EventLoop
package import Kernel
internal import Synchronization

/// The data path of one daemon: a worker a core, each with its own listening sockets.
package final class Fleet: Sendable {
    /// What is listened on, with the ports that were given where 0 was asked for; the public ones first.
    package let addresses: [(door: Door, address: SocketAddress)]

    private let workers: [Worker]
    private let paths: [String]

    /// Opens every listener and makes the workers; nothing is accepted before `start`.
    ///
    /// - Parameters:
    ///   - adminSocket: path of `admin.sock`; 0660.
    ///   - adminGroup: the group it is given to; nil = the process's own.
    /// - Throws: `ListenFault` naming the address, or `SystemFault` where a loop cannot be made.
    package init(_ snapshot: Snapshot, services: Services, adminSocket: String, adminGroup: UInt32?) throws {
        let count = snapshot.gateway.workers
        Fleet.checkDescriptors(for: snapshot, services)
        var listeners: [[Listener]] = []
        for address in snapshot.gateway.listen {
            listeners.append(try Listener.open(address, door: .public, workers: count))
        }
        // Few and slow: the first worker serves the administration beside its share.
        if let address = snapshot.admin.address {
            listeners.append(try Listener.open(address, door: .admin, workers: 1))
        }
        listeners.append(try Listener.open(.unix(path: adminSocket), door: .socket, workers: 1, mode: 0o660, group: adminGroup))
        addresses = listeners.compactMap { $0.first.map { ($0.door, $0.address) } }
        paths = listeners.compactMap { own in
            if case .unix(let path) = own.first?.address { path } else { nil }
        }
        let rates = KeyRates(snapshot)
        var workers: [Worker] = []
        for index in 0..<count {
            let own = listeners.compactMap { index < $0.count ? $0[index] : nil }
            let loop = try EventLoop.started(name: "worker-\(index)")
            workers.append(Worker(index: index, loop: loop, snapshot: snapshot, rates: rates, services: services, listeners: own))
        }
        self.workers = workers
    }

    /// Every exchange may need a descriptor on either side.
    private static func checkDescriptors(for snapshot: Snapshot, _ services: Services) {
        let limit = OpenFiles.raiseLimit()
        let needed = snapshot.gateway.limits.connections * 2 + 128
        guard limit < needed else { return }
        services.report(
            .warning, "\(limit) open files are allowed, limits.connections may need \(needed): raise LimitNOFILE (or ulimit -n), or lower limits.connections")
    }

    package func start() async {
        for worker in workers { await worker.start() }
    }

    /// How often each worker's loop has turned: all go on growing while nobody is stuck (an idle loop turns once a second).
    package var turns: [UInt64] { workers.map(\.loop.turnCount) }

    /// Stops accepting and waits until every connection has ended.
    ///
    /// Event streams last as long as both sides want; who waits for this sets it a deadline (`timeouts.drain`) and ends the process.
    package func drain() async {
        await withTaskGroup(of: Void.self) { group in
            for worker in workers { group.addTask { await worker.drain() } }
        }
    }

    /// Breaks off what is still under way after the time to drain; `drain` then returns soon.
    package func cut() async {
        for worker in workers { await worker.cut() }
    }

    /// Removes the paths that were listened on. To be called when nothing is accepted any more.
    package func removePaths() {
        for path in paths { Files.remove(path) }
    }
}
