// Whether a worker has more to do than it can: told by how long requests had waited when it came to them, looked at in samples.

internal import EventLoop
internal import Gateway
internal import Kernel

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
        // While new connections wait outside, the first request of each has waited there: it says nothing of how much is to be done here.
        if client.exchanges > 1 || !strain.value.isOver { strain.value.note(waited, now: loop.now) }
        guard strain.value.isWary(now: loop.now) else { return }
        // Its client has given up already: nothing is done for nobody.
        if since.hasEnded { throw .clientGone }
        guard waited > Strain.stale else { return }
        throw .refused(Refusal(.overloaded, "it waited \(waited) ms for its turn", retryAfter: .seconds(1)))
    }
}
