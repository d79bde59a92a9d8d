// When new connections have to wait in the kernel: near the last descriptor, and while a worker is behind with what it has.

internal import EventLoop
internal import Gateway
internal import Kernel
internal import Metrics

/// How near the process is to its last descriptor. What is kept free is for those who are in already, for their upstream connections, and for
/// store, log and administration.
struct DescriptorRoom: Sendable {
    let limit: Int
    /// From this number on none is taken for a new connection. The kernel gives the lowest that is free: whoever gets this one leaves the rest.
    let last: Int
    /// From this number on none is taken for a server's side either. They are the process's own: libdispatch looks at its threads under /proc again and
    /// again while they are busy, and ends the process (SIGILL) where it cannot open a file.
    let own: Int

    init(limit: Int) {
        self.limit = limit
        last = limit - min(max(limit / 8, 24), 1024)
        own = limit - (limit - last) / 3
    }

    /// Whether a descriptor of this number is one of the last.
    func isNearEnd(_ number: Int32) -> Bool { Int(number) >= last }
}

/// Why new connections wait.
enum Pause: Equatable {
    case descriptors
    case strain

    /// How long until it is looked at again.
    var length: Duration {
        switch self {
        case .descriptors: .milliseconds(50)
        case .strain: .milliseconds(10)
        }
    }

    var counter: Counter {
        switch self {
        case .descriptors: .acceptPausedDescriptors
        case .strain: .acceptPausedStrain
        }
    }
}

extension Worker {
    /// Why no connection is to be accepted now; nil where they are. The administration's are always.
    /// - Parameter number: of the last descriptor that was given, or that would be; nil = none is left.
    func reasonToPause(_ door: Door, after number: Int32?) -> Pause? {
        guard let number, door != .public || !services.descriptors.isNearEnd(number) else { return .descriptors }
        guard door == .public else { return nil }
        strain.value.expire(now: loop.now)
        return strain.value.isOver ? .strain : nil
    }

    /// Few may wait in the kernel while the worker has more to do than it can: those at the front of a long queue have gone when it is their turn, and
    /// closing them costs as much as it gives. Who finds no place there is not known of yet: its kernel asks again after a second.
    func fitBacklog(of listener: Listener, _ isShort: inout Bool) {
        guard listener.entrance.door == .public, !listener.isShared, isShort != strain.value.isWary(now: loop.now) else { return }
        isShort.toggle()
        Socket.setBacklog(listener.socket.descriptor, isShort ? Worker.shortBacklog : Socket.backlog)
    }

    private static let shortBacklog = 128

    /// Lets new connections wait in the kernel until there is room for them.
    func pause(_ listener: Listener, _ waiter: Waiter, _ first: Pause) async {
        notePause(first)
        shard.add(.acceptPaused, 1)
        defer { shard.add(.acceptPaused, -1) }
        var reason = first
        while mayAccept(from: listener) {
            _ = await waiter.sleep(until: loop.now.advanced(by: reason.length))
            guard let still = reasonToPause(listener.entrance.door, after: OpenFiles.lowestFree) else { return }
            reason = still
            // One at a time comes in all the same, so that nobody waits for ever behind those who are in.
            if still == .strain { admitOne(from: listener) }
        }
    }

    /// The next in the backlog who is still there; of those who have gone, a few go first.
    private func admitOne(from listener: Listener) {
        for _ in 0..<4 {
            guard hasRoom(at: listener.entrance), case .gone? = try? takeNext(from: listener, asks: true) else { return }
        }
    }

    enum Taken {
        case nobody
        case gone
        /// The number of its descriptor.
        case placed(Int32)
    }

    /// Accepts one connection.
    /// - Parameter asks: whether its client may have gone, as it is where many wait.
    func takeNext(from listener: Listener, asks: Bool) throws(SystemFault) -> Taken {
        guard let accepted = try Socket.accept(listener.socket.descriptor) else { return .nobody }
        let number = accepted.number
        guard !asks || !hasGone(number, door: listener.entrance.door) else { return .gone }
        place(accepted, from: listener)
        return .placed(number)
    }

    /// Counts a pause, and says why there is one, every ten seconds at most.
    func notePause(_ pause: Pause) {
        shard.add(pause.counter)
        guard loop.now >= nextPauseLine else { return }
        nextPauseLine = loop.now.advanced(by: .seconds(10))
        switch pause {
        case .descriptors:
            services.report(
                .warning,
                """
                new connections wait: of \(services.descriptors.limit) descriptors only those are left that the present connections may need; raise \
                LimitNOFILE (or ulimit -n), or lower gateway.limits.connections
                """)
        case .strain:
            services.report(
                .warning,
                """
                new connections wait: worker \(index) has more to do than it can, requests wait \(strain.value.waited) ms for their turn; give it more \
                cores, or bound its clients by gateway.limits.per_key and per_address
                """)
        }
    }
}
