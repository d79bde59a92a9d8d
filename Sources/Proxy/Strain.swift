// Whether a worker has more to do than it can: told by how long requests had waited when it came to them, looked at in samples.

internal import EventLoop
internal import Gateway
internal import Kernel
internal import Metrics

/// One worker's. A request every ten milliseconds is asked since when its last byte has lain in the kernel (TCP_INFO): a system call that the others
/// do not make. Where even the one that waited least in a tenth of a second waited too long, work has piled up, and more of it would only make
/// everybody late (the rule of CoDel, RFC 8289: a queue that never empties is a standing one).
struct Strain {
    /// From when on the next request is asked: what every request compares the clock with.
    private(set) var due = MonotonicTime(nanoseconds: 0)
    /// Whether too much waits.
    private(set) var isOver = false
    /// Milliseconds that the luckiest request of the last window had waited.
    private(set) var waited = 0

    /// From when on the next connection that comes out of the backlog is asked.
    private(set) var backlogDue = MonotonicTime(nanoseconds: 0)

    private var least: Int?
    private var windowEnds = MonotonicTime(nanoseconds: 0)
    private var lastAsked = MonotonicTime(nanoseconds: 0)
    /// Whoever waited outside meanwhile comes in behind it.
    private var waryUntil = MonotonicTime(nanoseconds: 0)

    /// What a request may wait, in milliseconds.
    static let target = 50
    /// One that waited so long is refused, while too much waits and a second longer: its client has given up, or soon will, and those behind it
    /// need not wait for it.
    static let stale = 1000
    private static let pace = Duration.milliseconds(10)
    private static let window = Duration.milliseconds(100)
    private static let wariness = Duration.seconds(1)

    /// Notes how long a request had waited.
    mutating func note(_ milliseconds: Int, now: MonotonicTime) {
        lastAsked = now
        if now >= windowEnds {
            waited = least ?? 0
            isOver = waited > Strain.target
            least = milliseconds
            windowEnds = now.advanced(by: Strain.window)
        } else {
            least = min(least ?? milliseconds, milliseconds)
        }
        if isOver { waryUntil = now.advanced(by: Strain.wariness) }
        // Then every request is asked.
        due = isWary(now: now) ? now : now.advanced(by: Strain.pace)
    }

    func isWary(now: MonotonicTime) -> Bool { now < waryUntil }

    /// Notes how long a connection had waited to be accepted: that says how many wait outside, and nothing of how much is to be done here.
    mutating func noteBacklog(_ milliseconds: Int, now: MonotonicTime) {
        if milliseconds > Strain.target { waryUntil = now.advanced(by: Strain.wariness) }
        backlogDue = isWary(now: now) ? now : now.advanced(by: Strain.pace)
    }

    /// Where nobody has asked for anything for a while, nothing waits.
    mutating func expire(now: MonotonicTime) {
        guard isOver, now >= lastAsked.advanced(by: Strain.window + Strain.window) else { return }
        (isOver, least, waited) = (false, nil, 0)
        due = now
    }
}

extension Worker {
    /// Asks a request how long it had waited; seldom, and not of what came over a path.
    /// - Throws: where it waited so long that nobody waits for its answer.
    @inline(never)
    func takeSample(of client: Downstream) throws(ExchangeEnd) {
        guard client.door == .public, let since = Socket.sinceReceived(client.channel.number) else { return }
        let waited = since.milliseconds
        // The first request of a connection has waited in the backlog too, for as long as others were let in before it.
        let isFirst = client.exchanges == 1
        if !isFirst { strain.value.note(waited, now: loop.now) }
        guard strain.value.isWary(now: loop.now) else { return }
        // Its client has given up already: nothing is done for nobody.
        if since.hasEnded { throw .clientGone }
        guard !isFirst, waited > Strain.stale else { return }
        throw .refused(Refusal(.overloaded, "it waited \(waited) ms for its turn", retryAfter: .seconds(1)))
    }

    /// Whether the client of a connection that was just accepted has gone while it waited in the backlog. Asked only where many wait there: who has gone
    /// costs next to nothing then, and whoever comes behind is still there when it is their turn.
    func hasGone(_ accepted: Int32, door: Door) -> Bool {
        guard door == .public, loop.now >= strain.value.backlogDue, let since = Socket.sinceReceived(accepted) else { return false }
        strain.value.noteBacklog(since.milliseconds, now: loop.now)
        guard since.hasEnded, strain.value.isWary(now: loop.now) else { return false }
        shard.add(.downstreamGone)
        return true
    }
}
