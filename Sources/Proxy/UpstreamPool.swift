// Where upstream connections wait between exchanges.

internal import Kernel
internal import Metrics

/// The idle connections of one worker to one server instance: so to one origin, and never another project's.
final class UpstreamPool {
    /// The instance, or the portal's address. Held, so that its identity stays its own.
    let owner: AnyObject
    private let idle = Stack<Upstream>()
    private let shard: Shard

    /// Shorter than servers keep theirs (uvicorn and Node: 5 s), so that they seldom close one that is being reused.
    static let idleTime = Nanoseconds(.seconds(4))
    private static let most = 512

    /// - Parameter shard: counts the idle ones.
    init(of owner: AnyObject, _ shard: Shard) {
        self.owner = owner
        self.shard = shard
    }

    /// The one used last, if it still lives. One that the server closed, or that says something unasked, is dropped: what it says would be
    /// read as the next answer, which may be another user's.
    ///
    /// What the loop knows of a socket is of its last turn. So one that was given back before this turn is preferred, and one that was not
    /// is asked itself.
    func take(now: MonotonicTime, turn: UInt64) -> Upstream? {
        while !idle.isEmpty {
            var place = idle.count - 1
            while place > 0, idle[place].givenIn == turn { place -= 1 }
            if idle[place].givenIn == turn { place = idle.count - 1 }
            let upstream = idle.remove(at: place)
            shard.add(.upstreamIdle, -1)
            guard upstream.idleUntil > now, !upstream.channel.isClosed, !upstream.channel.isReadable else { continue }
            guard upstream.givenIn != turn || upstream.channel.isSilent else { continue }
            return upstream
        }
        return nil
    }

    /// - Parameter hint: the server's `Keep-Alive: timeout`, in seconds; a second less is believed.
    func give(_ upstream: Upstream, now: MonotonicTime, turn: UInt64, hint: Int?) {
        guard idle.count < UpstreamPool.most else { return }
        upstream.givenIn = turn
        let span = hint.map { Nanoseconds(.seconds(max(0, min($0, 3600) - 1))) } ?? UpstreamPool.idleTime
        upstream.idleUntil = now.advanced(by: span)
        idle.push(upstream)
        shard.add(.upstreamIdle, 1)
    }

    /// Closes what has waited too long, or was closed by its server.
    func sweep(now: MonotonicTime) {
        for place in stride(from: idle.count - 1, through: 0, by: -1) {
            let upstream = idle[place]
            guard upstream.idleUntil <= now || upstream.channel.isClosed else { continue }
            _ = idle.remove(at: place)
            shard.add(.upstreamIdle, -1)
        }
    }
}

/// A worker's pools, by what they are of.
final class UpstreamPools {
    private var pools: [ObjectIdentifier: UpstreamPool] = [:]
    private let shard: Shard

    init(_ shard: Shard) {
        self.shard = shard
    }

    /// The owner's pool, made when it is first asked for.
    func pool(of owner: AnyObject) -> UpstreamPool {
        let id = ObjectIdentifier(owner)
        if let known = pools[id] { return known }
        let pool = UpstreamPool(of: owner, shard)
        pools[id] = pool
        return pool
    }

    /// To be called about every second.
    func sweep(now: MonotonicTime) {
        for pool in pools.values { pool.sweep(now: now) }
    }
}
