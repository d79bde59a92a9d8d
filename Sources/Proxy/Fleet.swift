// All workers together: opened, started, given another snapshot, drained, looked after.

internal import EventLoop
package import Gateway
package import Kernel
package import Metrics
internal import Synchronization

/// The data path of one daemon: a worker a core, each with its own listening sockets.
package final class Fleet: Sendable {
    private let workers: [Worker]
    private let services: Services
    /// What is listened on; the public ones first.
    private let entrances: Mutex<[Entrance]>
    /// What the workers decide by.
    private let provisions: Mutex<Provisions>
    private let handedOver: [HandedSocket]

    /// Opens every listener and makes the workers; nothing is accepted before `start`.
    ///
    /// - Parameters:
    ///   - handedOver: what systemd opened.
    ///   - adminSocket: path of `admin.sock`; 0660.
    ///   - adminGroup: the group it is given to; nil = the process's own.
    /// - Throws: `ListenFault` naming the address, or `SystemFault` where a loop cannot be made.
    package init(_ provisions: Provisions, services: Services, handedOver: [HandedSocket], adminSocket: String, adminGroup: UInt32?) throws {
        let count = provisions.snapshot.gateway.workers
        Fleet.checkDescriptors(for: provisions.snapshot, services)
        var listeners = try DoorChange(to: provisions.snapshot, from: [], workers: count, handedOver: handedOver).opened
        for socket in handedOver where !provisions.snapshot.gateway.listen.contains(.activated(name: socket.name)) {
            services.report(.warning, "systemd handed over \(socket.address) as \(socket.name), and no listener of gateway.listen names it: who connects there waits in vain")
        }
        listeners += try Listener.open(.unix(path: adminSocket), door: .socket, workers: 1, mode: 0o660, group: adminGroup)
        var workers: [Worker] = []
        for index in 0..<count {
            let loop = try EventLoop.started(name: "worker-\(index)")
            workers.append(
                Worker(
                    index: index, loop: loop, provisions: provisions, services: services,
                    listeners: listeners.compactMap { index < $0.count ? $0[index] : nil }))
        }
        self.workers = workers
        self.services = services
        self.handedOver = handedOver
        entrances = Mutex(listeners.compactMap(\.first?.entrance))
        self.provisions = Mutex(provisions)
    }

    /// Every exchange may need a descriptor on either side.
    private static func checkDescriptors(for snapshot: Snapshot, _ services: Services) {
        let limit = services.descriptors.limit
        let needed = snapshot.gateway.limits.connections * 2 + 128
        guard limit < needed else { return }
        services.report(
            .warning, "\(limit) open files are allowed, limits.connections may need \(needed): raise LimitNOFILE (or ulimit -n), or lower limits.connections")
    }

    package func start() async {
        for worker in workers { await worker.start(among: workers) }
    }

    /// What is listened on, with the ports that were given where 0 was asked for; the public ones first.
    package var addresses: [(door: Door, address: SocketAddress)] {
        entrances.withLock { $0.map { ($0.door, $0.address) } }
    }

    // MARK: Another snapshot

    /// Opens what `snapshot` listens on and is not listened on yet; nothing is accepted from it before `adopt`.
    ///
    /// - Throws: naming the address that cannot be listened on; what was opened is closed.
    package func doors(for snapshot: Snapshot) throws(ListenFault) -> DoorChange {
        try DoorChange(to: snapshot, from: entrances.withLock { $0 }, workers: workers.count, handedOver: handedOver)
    }

    /// On return every worker decides by `provisions` on whatever it begins to read. Called by one at a time.
    ///
    /// - Parameter doors: of `doors(for:)`, for the same snapshot. What it closes takes no new connection; those that came through it
    ///   have their answers, and end with the next.
    package func adopt(_ provisions: Provisions, _ doors: DoorChange) async {
        Fleet.checkDescriptors(for: provisions.snapshot, services)
        self.provisions.withLock { $0 = provisions }
        let opened = doors.opened
        for entrance in doors.closing { entrance.close() }
        for (index, worker) in workers.enumerated() {
            await worker.adopt(provisions, opening: opened.compactMap { index < $0.count ? $0[index] : nil })
        }
        for entrance in doors.closing { entrance.removePath() }
        let (kept, new) = (doors.kept, opened.compactMap(\.first?.entrance))
        entrances.withLock { $0 = (kept + new).sorted { $0.door.rank < $1.door.rank } }
    }

    /// Reads certificates and authorities anew whose files changed. Open connections keep what they have, and what cannot be used changes nothing.
    /// Waits for the files: to be called every few seconds, off the workers, by one at a time.
    package func renewCertificates() -> [CertificateRenewal] {
        let present = provisions.withLock { $0 }
        return present.listenerTLS.renew() + present.tls.renew()
    }

    /// Until when the certificates in force last that the gateway shows: listeners' first.
    package var certificateExpiries: [CertificateExpiry] {
        let present = provisions.withLock { $0 }
        return present.listenerTLS.expiries + present.tls.expiries
    }

    // MARK: The end

    /// Readiness off, then an end of every connection with its next answer; returns when the last has ended.
    ///
    /// Nobody is accepted from the gateway's own sockets any more. Those that systemd handed over are accepted from as long as connections from
    /// before are left, so that nobody waits for the end of somebody else's event stream, but not in the last quarter of `limit`, five seconds at
    /// most: whoever came in has that long for his answer. Who comes after that waits for the next process.
    ///
    /// Event streams last as long as both sides want; who waits for this sets it a deadline and calls `cut`.
    ///
    /// - Parameter limit: when `cut` will be called.
    package func drain(within limit: Duration) async {
        let start = MonotonicTime.now()
        for worker in workers { await worker.beginToDrain() }
        if entrances.withLock({ $0.contains(where: \.isHandedOver) }) {
            let end = start.advanced(by: limit - min(limit / 4, .seconds(5)))
            await withTaskGroup(of: Void.self) { group in
                for worker in workers { group.addTask { await worker.outlast(until: end) } }
            }
        }
        await withTaskGroup(of: Void.self) { group in
            for worker in workers { group.addTask { await worker.close() } }
        }
    }

    /// Breaks off what is still under way after the time to drain, event streams with the end of an event; `drain` then returns soon. A worker that
    /// does not turn keeps none of the others waiting, nor the caller.
    package func cut() {
        for worker in workers { Task { await worker.cut() } }
    }

    /// Removes the paths that were listened on. To be called when nothing is accepted any more.
    package func removePaths() {
        for entrance in entrances.withLock({ $0 }) { entrance.removePath() }
    }
}
