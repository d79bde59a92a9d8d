// One actor per core: its loop, its listeners, its connections, its pools and its view of the cache.

internal import Credentials
package import EventLoop
internal import Gateway
internal import HTTP1
internal import Kernel
internal import Metrics
internal import Synchronization
internal import Telemetry
internal import TLS

/// Serves every connection it accepts, from accept to close, on its own thread. `Exchange` tells the life of a request.
package actor Worker {
    package nonisolated let loop: EventLoop
    // The executor lives as long as the actor: `loop` is let and never released before it.
    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    let index: Int
    let services: Services
    let shard: Shard
    let log: AccessLog
    let buffers: BufferPool
    let pools: UpstreamPools
    let view: Own<CredentialView>
    let uses = Own(UseTally())
    let keyUses = Own(KeyTally())
    let traced = Own(SpanTally())
    let requestIDs = Own(RequestIDs())
    let memo = IdentityMemo()
    let operations = OperationMemo()
    let handshakes: HandshakeGate
    /// What the next exchange begins with.
    private(set) var provisions: Provisions
    private(set) var stage = Stage.serving
    /// When it began to drain.
    private(set) var drainingSince = MonotonicTime.never
    /// How many connections it has, those included that another worker is about to give it. By this the workers share what comes in through one socket.
    nonisolated let load = Atomic(0)
    /// All workers, itself among them.
    private var crew: [Worker] = []

    /// From the monotonic clock to the time of day, in nanoseconds; looked up again every second.
    private var wallOffset: Int64
    /// Until `start`.
    private var listeners: [Listener]
    /// Of those that are accepted from, by their listeners.
    private var acceptors: [ObjectIdentifier: Waiter] = [:]
    private(set) var connections: [ObjectIdentifier: Downstream] = [:]
    private var whenEmpty: CheckedContinuation<Void, Never>?
    /// Listeners that are still accepted from.
    private var accepting = 0
    /// The time to drain is over: what is left breaks off.
    private(set) var isCutting = false
    /// Until when an event that is under way then may come to its end.
    private(set) var eventsEnd = MonotonicTime.never
    /// Records that are being mended; the drain ends after them.
    private var errands = 0
    /// How many connections over the limit are being told so; beyond that they are closed without a word.
    private var turnedAway = 0
    let strain = Own(Strain())
    let newcomers = Own(Newcomers())
    /// When it may be said again why connections wait.
    var nextPauseLine = MonotonicTime(nanoseconds: 0)
    /// Connections that are accepted before others have their turn.
    static let acceptedAtOnce = 16
    /// As many of those who have gone may be closed beside them.
    static let buriedAtOnce = 512
    private static let mostTurnedAway = 128

    init(index: Int, loop: EventLoop, provisions: Provisions, services: Services, listeners: [Listener]) {
        self.index = index
        self.loop = loop
        self.provisions = provisions
        self.services = services
        self.listeners = listeners
        shard = services.metrics.shard(index)
        pools = UpstreamPools(of: provisions.owners(with: services.portal), shard)
        log = AccessLog(to: services.log, key: services.userLabel.key)
        view = Own(CredentialView(of: services.broker.log, services.broker.uses, capacity: provisions.snapshot.cache.capacity, metrics: shard))
        wallOffset = WallClock.nanoseconds() - Int64(MonotonicTime.now().nanoseconds)
        handshakes = HandshakeGate(on: loop)
        buffers = BufferPool(blockSize: provisions.blockSize)
    }

    /// Begins to accept, and to look after what is idle.
    func start(among crew: [Worker]) {
        self.crew = crew
        for listener in listeners { open(listener) }
        listeners = []
        Task(executorPreference: loop) { await self.keepHouse() }
    }

    /// Readiness is off, every answer ends its connection.
    var isDraining: Bool { stage != .serving }

    /// The time-outs of an exchange with `target`.
    func spans(of target: Target, for client: Downstream) -> UpstreamTimeouts.Spans {
        switch target {
        case .server(let admission, _): admission.instance.server.timeouts.spans
        case .portal: client.exchange.provisions.spans.upstream
        }
    }

    /// Seconds since 1970.
    var wallClock: Int64 { (Int64(loop.now.nanoseconds) + wallOffset) / 1_000_000_000 }

    /// `time` in nanoseconds since 1970.
    func wallNanoseconds(_ time: MonotonicTime) -> Int64 { Int64(time.nanoseconds) + wallOffset }

    /// `time` in milliseconds since 1970.
    func wallMilliseconds(_ time: MonotonicTime) -> Int64 { wallNanoseconds(time) / 1_000_000 }

    // MARK: Accepting

    /// Accepts from `listener` until it is retired, or the worker drains.
    func open(_ listener: Listener) {
        if listener.entrance.door == .public { accepting += 1 }
        acceptors[ObjectIdentifier(listener)] = Waiter(on: loop)
        Task(executorPreference: loop) {
            await self.accept(on: listener)
            await self.cease(from: listener)
        }
    }

    /// Has those who accept from a retired listener notice.
    func hush() {
        for acceptor in acceptors.values { acceptor.interrupt() }
    }

    func take(_ provisions: Provisions) {
        self.provisions = provisions
    }

    private func accept(on listener: Listener) async {
        guard let waiter = acceptors[ObjectIdentifier(listener)] else { return }
        let number = listener.socket.descriptor.number
        guard let slot = try? loop.register(number, sharing: listener.isShared) else {
            return services.report(.error, "\(listener.entrance.address) is not served by worker \(index): epoll takes no more descriptors; raise LimitNOFILE")
        }
        var isShort = false
        while mayAccept(from: listener) {
            let door = listener.entrance.door
            var (reason, isCrowded): (Pause?, Bool) = (nil, false)
            var (taken, gone) = (0, 0)
            do throws(SystemFault) {
                accepting: while reason == nil, taken < Worker.acceptedAtOnce, gone < Worker.buriedAtOnce {
                    guard hasRoom(at: listener.entrance), door != .public || newcomers.value.hasRoom(now: loop.now) else {
                        isCrowded = true
                        break
                    }
                    switch try takeNext(from: listener, asks: taken + gone > 0 || strain.value.isWary(now: loop.now)) {
                    case .nobody:
                        slot.drained()
                        break accepting
                    case .gone: gone += 1
                    case .placed(let number):
                        taken += 1
                        reason = reasonToPause(door, after: number)
                    }
                }
            } catch where error.isOutOfDescriptors {
                reason = .descriptors
            } catch {
                services.report(
                    .warning,
                    """
                    no connection can be accepted at \(listener.entrance.address): \(error.reason); it is tried every 100 ms, and more memory for the \
                    unit or the machine helps
                    """)
                _ = await waiter.sleep(until: loop.now.advanced(by: .milliseconds(100)))
                continue
            }
            fitBacklog(of: listener, &isShort)
            if let reason {
                await pause(listener, waiter, reason)
            } else if isCrowded {
                _ = await waiter.sleep(until: loop.now.advanced(by: Worker.handshakePause))
            } else if taken == Worker.acceptedAtOnce || gone == Worker.buriedAtOnce {
                _ = await waiter.yield()
            } else {
                _ = await waiter.wait(for: slot, .readable, until: .never)
            }
        }
        // What waits in the backlog was promised an answer: by this process, where the socket is its own.
        while !listener.isHandedOver, let accepted = try? Socket.accept(listener.socket.descriptor) {
            let peer = accepted.peer
            welcome(accepted.take(), peer, through: listener.entrance)
        }
        loop.release(slot, leaving: number)
    }

    private func cease(from listener: Listener) {
        acceptors[ObjectIdentifier(listener)] = nil
        if listener.entrance.door == .public { accepting -= 1 }
        noteIfDrained()
    }

    /// What connections from there are encrypted with; nil = they are not.
    private func encryption(at entrance: Entrance) -> ServerContext? {
        entrance.door == .public ? provisions.listenerTLS.context(at: entrance.asked) : nil
    }

    /// Who would begin a handshake waits in the backlog while too many are under way.
    func hasRoom(at entrance: Entrance) -> Bool {
        encryption(at: entrance) == nil || handshakes.hasRoom(now: loop.now)
    }

    private static let handshakePause = Duration.milliseconds(5)

    func mayAccept(from listener: Listener) -> Bool {
        guard listener.entrance.isOpen else { return false }
        switch (listener.entrance.door, stage) {
        case (.public, .serving): return true
        case (.public, .draining): return listener.isHandedOver
        case (.public, .closing): return false
        // Who asks whether the gateway is ready is told so until its end.
        case (.admin, _), (.socket, _): return true
        }
    }

    /// What came in through a shared socket goes to the worker with the fewest connections; the kernel would wake the same one every time.
    func place(_ accepted: consuming Accepted, from listener: Listener) {
        let (peer, entrance) = (accepted.peer, listener.entrance)
        guard listener.isShared, stage == .serving, let lighter = lighterWorker() else {
            return welcome(accepted.take(), peer, through: entrance)
        }
        lighter.load.add(1, ordering: .relaxed)
        let number = accepted.take().release()
        run {
            if await !lighter.takeOver(number, peer, through: entrance) { await self.keep(number, peer, through: entrance) }
        }
    }

    private func lighterWorker() -> Worker? {
        let least = crew.min { $0.load.load(ordering: .relaxed) < $1.load.load(ordering: .relaxed) }
        guard let least, least.load.load(ordering: .relaxed) + 1 < load.load(ordering: .relaxed) else { return nil }
        return least
    }

    /// Owns from here on what another worker has accepted; false, and it does not, where nobody waits for it any more.
    private func takeOver(_ number: Int32, _ peer: SocketAddress, through entrance: Entrance) -> Bool {
        load.subtract(1, ordering: .relaxed)
        guard stage != .closing else { return false }
        welcome(Descriptor(owning: number), peer, through: entrance)
        return true
    }

    private func keep(_ number: Int32, _ peer: SocketAddress, through entrance: Entrance) {
        welcome(Descriptor(owning: number), peer, through: entrance)
    }

    private func welcome(_ descriptor: consuming Descriptor, _ peer: SocketAddress, through entrance: Entrance) {
        Socket.setNoDelay(descriptor.number)
        Socket.setKeepAlive(descriptor.number)
        let uid = entrance.door == .socket ? Socket.peerUser(descriptor.number) : nil
        let made: Channel
        do throws(SystemFault) {
            made = try Channel(descriptor, on: loop, buffers: buffers)
        } catch {
            shard.add(.downstreamRefused)
            return services.report(
                .error,
                """
                a connection was dropped, for epoll takes no more descriptors: \(error.reason); raise fs.epoll.max_user_watches, or give the \
                machine more memory (\(peer.host))
                """)
        }
        let channel = made
        channel.slot.presumeReadable()
        if let context = encryption(at: entrance) {
            guard let session = try? TLSSession(context, descriptor: channel.number, now: loop.now) else { return shard.add(.handshakesBroken) }
            channel.encrypt(with: session)
        }
        let place = services.limits.enter(peer, provisions.snapshot.gateway.limits, isPublic: entrance.door == .public)
        if place == .full {
            shard.add(.downstreamRefused)
            guard turnedAway < Worker.mostTurnedAway else { return }
            turnedAway += 1
        } else {
            shard.add(.downstreamAccepted)
            shard.add(.downstreamOpen, 1)
            if entrance.door == .public { newcomers.value.enter(now: loop.now) }
        }
        let client = Downstream(
            channel, waiter: Waiter(on: loop), entrance: entrance, peer: peer, uid: uid, place: place, first: nextExchange())
        client.isLate = isDraining
        load.add(1, ordering: .relaxed)
        let id = ObjectIdentifier(client)
        connections[id] = client
        // The preference keeps whatever is not isolated to the worker on its loop too.
        Task(executorPreference: loop) { await self.attend(id) }
    }

    private func attend(_ id: ObjectIdentifier) async {
        guard let client = connections[id] else { return }
        var isWelcome = true
        if client.channel.isEncrypted { isWelcome = await handshake(client) }
        if isWelcome { await serve(client) }
        connections[id] = nil
        if client.exchanges == 0 { newcomers.value.leave() }
        load.subtract(1, ordering: .relaxed)
        if client.isTurnedAway {
            turnedAway -= 1
        } else {
            services.limits.leave(client.place, client.peer)
            shard.add(.downstreamOpen, -1)
        }
        noteIfDrained()
    }

    /// Does beside the exchanges what nobody waits for but the drain: `work` is short, and ends by itself.
    func run(_ work: @escaping @Sendable () async -> Void) {
        errands += 1
        Task(executorPreference: loop) { await self.attend(work) }
    }

    private func attend(_ work: @Sendable () async -> Void) async {
        await work()
        errands -= 1
        noteIfDrained()
    }

    // MARK: Housekeeping

    private func keepHouse() async {
        let waiter = Waiter(on: loop)
        var seconds = 0
        while true {
            _ = await waiter.sleep(until: loop.now.advanced(by: .seconds(1)))
            seconds += 1
            if seconds % 5 == 0 { handOverUses() }
            traced.value.handOver(to: services.spans)
            pools.sweep(now: loop.now)
            view.value.sweep(now: loop.now)
            memo.sweep(now: loop.now)
            log.tellHeldBack(time: wallMilliseconds(loop.now))
            wallOffset = WallClock.nanoseconds() - Int64(MonotonicTime.now().nanoseconds)
        }
    }

    func handOverUses() {
        uses.value.handOver(to: services.uses) { wallMilliseconds($0) / 1000 }
        keyUses.value.handOver(to: services.uses) { wallMilliseconds($0) / 1000 }
    }

    // MARK: Draining

    enum Stage {
        case serving
        /// Readiness is off, answers end their connections; only what systemd handed over is still accepted from.
        case draining
        /// Nothing is accepted any more.
        case closing
    }

    func beginToDrain() {
        stage = .draining
        drainingSince = loop.now
        hush()
        listeners = []
        for client in connections.values where client.isIdle { client.waiter.interrupt() }
    }

    /// Accepts nothing any more. Returns when the last connection is gone, and what it set going is done.
    func close() async {
        stage = .closing
        hush()
        // Looked at inside: on the way there, the last of them may go.
        await withCheckedContinuation { continuation in
            whenEmpty = continuation
            noteIfDrained()
        }
        handOverUses()
        traced.value.handOver(to: services.spans)
    }

    /// Ends what the drain did not: every exchange breaks off, and is recorded. Whoever waits looks at `isCutting` when he is woken.
    func cut() {
        guard !isCutting else { return }
        eventsEnd = loop.now.advanced(by: .milliseconds(500))
        isCutting = true
        Task(executorPreference: loop) { await self.breakOff() }
    }

    /// What waits in a backlog is taken up before the drain can be over.
    private func noteIfDrained() {
        guard isDraining, connections.isEmpty, accepting == 0, errands == 0 else { return }
        whenEmpty?.resume()
        whenEmpty = nil
    }
}
