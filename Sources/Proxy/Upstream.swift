// A connection to an MCP server (or to the portal).

internal import HTTP1
internal import Kernel
internal import Metrics

/// One connection to one server instance. It carries one exchange at a time and belongs to one worker.
final class Upstream {
    let channel: Channel
    /// Where it waits between exchanges.
    let pool: UpstreamPool
    private let ownHead = Own(ResponseHead())
    var head: ResponseHead {
        @inline(always) _read { yield ownHead.value }
        @inline(always) _modify { yield &ownHead.value }
    }
    /// What is asked of `head` more than once.
    var facts = ResponseFacts()
    /// Whether an exchange has been completed on it: only then may its death be the keep-alive race.
    private(set) var isReused = false
    /// What `channel.sent` was when the present exchange began.
    private(set) var sentBefore = 0
    /// Until when the server may be expected to keep it open.
    var idleUntil = MonotonicTime.never

    private let shard: Shard

    /// - Parameter shard: counts it among the open ones while it lives.
    init(_ channel: Channel, of pool: UpstreamPool, shard: Shard) {
        self.channel = channel
        self.pool = pool
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
    /// What its events are cannot be seen.
    var isCompressed = false

    /// Whether the answer may be about the credential that was injected.
    var mayRejectCredential: Bool { status == 401 || status == 403 }

    init() {}

    init(_ head: borrowing ResponseHead, _ bytes: RawSpan) {
        status = head.status
        length = head.length
        body = head.body
        keepAlive = head.keepAlive
        keepAliveTimeout = head.keepAliveTimeout
        isInterim = head.isInterim
        isEventStream = head.isEventStream(bytes)
        isCompressed = isEventStream && head.first(.contentEncoding) != nil
    }
}
