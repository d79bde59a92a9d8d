// A connection to an MCP server (or to the portal), and the pool it waits in between exchanges.

internal import HTTP1
internal import Kernel
internal import Metrics

/// One connection to one server instance. It carries one exchange at a time and belongs to one worker.
final class Upstream {
    let channel: Channel
    /// Where it goes back to.
    let key: ObjectIdentifier
    var head = ResponseHead()
    /// What is asked of `head` more than once.
    var facts = ResponseFacts()
    /// Whether an exchange has been completed on it: only then may its death be the keep-alive race.
    private(set) var isReused = false
    /// What `channel.sent` was when the present exchange began.
    private(set) var sentBefore = 0
    /// Until when the server may be expected to keep it open.
    fileprivate(set) var idleUntil = MonotonicTime.never
    /// The loop's turn in which it was given back.
    fileprivate var givenIn: UInt64 = 0

    private let shard: Shard

    /// - Parameter shard: counts it among the open ones while it lives.
    init(_ channel: Channel, key: ObjectIdentifier, shard: Shard) {
        self.channel = channel
        self.key = key
        self.shard = shard
        shard.add(.upstreamOpen, 1)
    }

    deinit {
        shard.add(.upstreamOpen, -1)
    }

    func begin(reused: Bool) {
        isReused = reused
        sentBefore = channel.sent
    }

    /// Whether the server's TCP has taken nothing of the present request: then nobody has read it, and it may be sent again.
    var nothingArrived: Bool {
        if channel.sent == sentBefore { return true }
        guard !channel.isEncrypted, let acknowledged = Socket.acknowledgedBytes(channel.number) else { return false }
        // The SYN counts as one byte on the side that connected.
        return acknowledged <= UInt64(sentBefore) + 1
    }
}

/// The parts of a response's head that an exchange looks at again and again, copied out of it once.
struct ResponseFacts {
    var status = 0
    var length = 0
    var body = BodyLength.none
    var keepAlive = false
    var keepAliveTimeout: Int?
    var isInterim = false
    var isEventStream = false

    init() {}

    init(_ head: borrowing ResponseHead, _ bytes: RawSpan) {
        status = head.status
        length = head.length
        body = head.body
        keepAlive = head.keepAlive
        keepAliveTimeout = head.keepAliveTimeout
        isInterim = head.isInterim
        isEventStream = head.isEventStream(bytes)
    }
}

/// The idle connections of one worker, by server instance: so of one origin, and never another project's.
final class UpstreamPools {
    private var pools: [ObjectIdentifier: [Upstream]] = [:]
    private let shard: Shard

    /// Shorter than servers keep theirs (uvicorn and Node: 5 s), so that they seldom close one that is being reused.
    static let idleTime: Duration = .seconds(4)
    private static let mostPerInstance = 512

    /// - Parameter shard: counts the idle ones.
    init(_ shard: Shard) {
        self.shard = shard
    }

    /// The one used last, if it still lives. One that the server closed, or that says something unasked, is dropped: what it says would be
    /// read as the next answer, which may be another user's.
    ///
    /// What the loop knows of a socket is of its last turn. So one that was given back before this turn is preferred, and one that was not
    /// is asked itself.
    func take(_ key: ObjectIdentifier, now: MonotonicTime, turn: UInt64) -> Upstream? {
        while let pool = pools[key], !pool.isEmpty {
            let place = pool.lastIndex { $0.givenIn < turn } ?? pool.count - 1
            let upstream = pool[place]
            pools[key]?.remove(at: place)
            shard.add(.upstreamIdle, -1)
            guard upstream.idleUntil > now, !upstream.channel.isClosed, !upstream.channel.isReadable else { continue }
            guard upstream.givenIn < turn || upstream.channel.isSilent else { continue }
            return upstream
        }
        return nil
    }

    /// - Parameter hint: the server's `Keep-Alive: timeout`, in seconds; a second less is believed.
    func give(_ upstream: Upstream, now: MonotonicTime, turn: UInt64, hint: Int?) {
        upstream.givenIn = turn
        guard pools[upstream.key, default: []].count < UpstreamPools.mostPerInstance else { return }
        let hinted = hint.map { Duration.seconds(max(0, min($0, 3600) - 1)) }
        upstream.idleUntil = now.advanced(by: hinted ?? UpstreamPools.idleTime)
        pools[upstream.key, default: []].append(upstream)
        shard.add(.upstreamIdle, 1)
    }

    /// Closes what has waited too long, or was closed by its server; to be called about every second.
    func sweep(now: MonotonicTime) {
        for (key, pool) in pools {
            let kept = pool.filter { $0.idleUntil > now && !$0.channel.isClosed }
            shard.add(.upstreamIdle, kept.count - pool.count)
            pools[key] = kept.isEmpty ? nil : kept
        }
    }
}
