// Handshakes under way on one worker: how many there may be, and that those who have theirs behind them are served in between.

internal import EventLoop
internal import Kernel

/// A handshake costs a hundred times what a request does, and whoever asks for one has shown nothing yet. So one step is computed in a turn of the
/// loop, between the exchanges of others; and at most `most` are under way, of which one that has taken its time makes room for a newcomer.
final class HandshakeGate {
    /// One under way.
    final class Pass {
        fileprivate let number: UInt64
        fileprivate let began: MonotonicTime
        fileprivate let waiter: Waiter
        /// It was slow, and others waited: it is over.
        fileprivate(set) var isRevoked = false
        fileprivate var isQueued = false

        fileprivate init(_ number: UInt64, _ began: MonotonicTime, _ waiter: Waiter) {
            self.number = number
            self.began = began
            self.waiter = waiter
        }
    }

    static let most = 256
    /// What a handshake may take before it can be asked to make room.
    static let patience = Nanoseconds(.seconds(1))

    private let loop: EventLoop
    private var passes: [UInt64: Pass] = [:]
    private var oldest: UInt64 = 0
    private var next: UInt64 = 0
    private var queue: [Pass] = []
    /// Somebody computes, or waits for the turn to compute.
    private var isHeld = false
    private var lastTurn = UInt64.max

    init(on loop: EventLoop) {
        self.loop = loop
    }

    /// Whether one more may begin. Nobody has to leave before it does: perhaps no one comes.
    func hasRoom(now: MonotonicTime) -> Bool { passes.count < HandshakeGate.most || slow(now: now) != nil }

    /// Begins one; where all places are taken, the one that has been at it longest leaves for that, if it has taken its time.
    func enter(_ waiter: Waiter, now: MonotonicTime) -> Pass {
        if passes.count >= HandshakeGate.most, let slow = slow(now: now) {
            slow.isRevoked = true
            passes[slow.number] = nil
            slow.waiter.interrupt()
        }
        let pass = Pass(next, now, waiter)
        passes[next] = pass
        next += 1
        return pass
    }

    /// The one that has been at it longest, if that is long enough to make room.
    private func slow(now: MonotonicTime) -> Pass? {
        while oldest < next, passes[oldest] == nil { oldest += 1 }
        guard let slowest = passes[oldest], slowest.began.advanced(by: HandshakeGate.patience) <= now else { return nil }
        return slowest
    }

    /// To be called once for each `enter`.
    func leave(_ pass: Pass) {
        passes[pass.number] = nil
    }

    /// Waits until it is this one's turn to compute a step; `stepped` gives the turn on, whatever came of it.
    /// - Returns: false where it was revoked or the deadline has passed: there is no turn then.
    func turn(_ pass: Pass, until deadline: MonotonicTime) async -> Bool {
        if isHeld {
            pass.isQueued = true
            queue.append(pass)
            while pass.isQueued, !pass.isRevoked, loop.now < deadline { _ = await pass.waiter.sleep(until: deadline) }
            if pass.isQueued {
                queue.removeAll { $0 === pass }
                return false
            }
        }
        isHeld = true
        while lastTurn == loop.turnCount { _ = await pass.waiter.yield() }
        lastTurn = loop.turnCount
        return true
    }

    func stepped() {
        guard !queue.isEmpty else {
            isHeld = false
            return
        }
        let next = queue.removeFirst()
        next.isQueued = false
        next.waiter.interrupt()
    }
}
