// Where upstream connections wait between exchanges.

internal import Kernel
internal import Metrics

/// The idle connections of one worker to one server instance: so to one origin, and never another project's.
final class UpstreamPool {
    /// The instance, or the portal's address. Held, so that its identity stays its own.
    let owner: AnyObject
    /// Given back before the loop's present turn, and in it.
    private let rested = Stack<Upstream>()
    private let fresh = Stack<Upstream>()
    private var freshTurn: UInt64 = 0
    private let shard: Shard

    /// Shorter than servers keep theirs (uvicorn and Node: 5 s), so that they seldom close one that is being reused.
    static let idleTime = Nanoseconds(.seconds(4))
    private static let most = 4096

    /// Nothing that it is of is in force any more: what is given back is closed.
    private var isClosed = false

    /// - Parameter shard: counts the idle ones.
    init(of owner: AnyObject, _ shard: Shard) {
        self.owner = owner
        self.shard = shard
    }

    /// One used lately, if it still lives. One that the server closed, or that says something unasked, is dropped: what it says would be read
    /// as the next answer, which may be another user's. (What it says after it was taken cannot be told from that answer, in HTTP/1.1.)
    ///
    /// What the loop knows of a socket is of its last turn. So one that was given back before this turn is preferred, and one that was not
    /// is asked itself.
    func take(now: MonotonicTime, turn: UInt64) -> Upstream? {
        settle(turn)
        while let upstream = rested.pop() {
            shard.add(.upstreamIdle, -1)
            if isFit(upstream, now) { return upstream }
        }
        while let upstream = fresh.pop() {
            shard.add(.upstreamIdle, -1)
            if isFit(upstream, now), upstream.channel.isSilent { return upstream }
        }
        return nil
    }

    private func isFit(_ upstream: Upstream, _ now: MonotonicTime) -> Bool {
        upstream.idleUntil > now && !upstream.channel.isClosed && !upstream.channel.isReadable
    }

    /// - Parameter hint: the server's `Keep-Alive: timeout`, in seconds; a second less is believed.
    func give(_ upstream: Upstream, now: MonotonicTime, turn: UInt64, hint: Int?) {
        settle(turn)
        guard !isClosed, rested.count + fresh.count < UpstreamPool.most else { return }
        let span = hint.map { Nanoseconds(.seconds(max(0, min($0, 3600) - 1))) } ?? UpstreamPool.idleTime
        upstream.idleUntil = now.advanced(by: span)
        fresh.push(upstream)
        shard.add(.upstreamIdle, 1)
    }

    /// In a new turn the loop knows of those that came in the last.
    private func settle(_ turn: UInt64) {
        guard turn != freshTurn else { return }
        freshTurn = turn
        while let upstream = fresh.pop() { rested.push(upstream) }
    }

    /// Closes what waits, and keeps nothing from now on.
    func close() {
        isClosed = true
        _ = closeIdle()
    }

    /// Closes what waits.
    /// - Returns: how many that were.
    func closeIdle() -> Int {
        var count = 0
        for stack in [rested, fresh] { while stack.pop() != nil { count += 1 } }
        shard.add(.upstreamIdle, -count)
        return count
    }

    /// Closes what has waited too long, or was closed by its server.
    func sweep(now: MonotonicTime) {
        sweep(rested, now)
        sweep(fresh, now)
    }

    private func sweep(_ stack: Stack<Upstream>, _ now: MonotonicTime) {
        for place in stride(from: stack.count - 1, through: 0, by: -1) {
            let upstream = stack[place]
            guard upstream.idleUntil <= now || upstream.channel.isClosed else { continue }
            _ = stack.remove(at: place)
            shard.add(.upstreamIdle, -1)
        }
    }
}

/// A worker's pools, by what they are of.
final class UpstreamPools {
    private var pools: [ObjectIdentifier: UpstreamPool] = [:]
    /// Whose connections are kept. Others hold these objects as long as they stand here: no other has their identity.
    private var owners: Set<ObjectIdentifier>
    private let shard: Shard

    /// - Parameter owners: whose connections are kept until `keep(only:)` says otherwise; whoever calls it holds them.
    init(of owners: [AnyObject], _ shard: Shard) {
        self.owners = Set(owners.map { ObjectIdentifier($0) })
        self.shard = shard
    }

    /// The owner's pool, made when it is first asked for. An owner that is in force no more gets one that keeps nothing.
    func pool(of owner: AnyObject) -> UpstreamPool {
        let id = ObjectIdentifier(owner)
        if let known = pools[id] { return known }
        let pool = UpstreamPool(of: owner, shard)
        if owners.contains(id) { pools[id] = pool } else { pool.close() }
        return pool
    }

    /// Closes the pools of all others.
    func keep(only owners: [AnyObject]) {
        self.owners = Set(owners.map { ObjectIdentifier($0) })
        for (id, pool) in pools where !self.owners.contains(id) {
            pool.close()
            pools[id] = nil
        }
    }

    /// Closes all that waits, since others need the descriptors more.
    /// - Returns: whether there were any.
    func closeIdle() -> Bool {
        pools.values.reduce(0) { $0 + $1.closeIdle() } > 0
    }

    /// To be called about every second.
    func sweep(now: MonotonicTime) {
        for pool in pools.values { pool.sweep(now: now) }
    }
}
