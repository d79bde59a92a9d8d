// How many new connections are let in before the first of them have asked for something.

internal import EventLoop
internal import Kernel

/// One worker's. A connection that was just accepted says nothing yet of the work it brings: a crowd would all be let in before the first request of
/// them is served, and its requests would then wait for each other. So the next ones wait in the kernel until as many of those who are in have asked.
/// Whoever says nothing for a while holds nobody up.
struct Newcomers {
    static let most = 256
    /// A newcomer counts in the window in which it came, and in the next.
    static let window = Duration.milliseconds(100)

    private var present = 0
    private var before = 0
    private var ends = MonotonicTime(nanoseconds: 0)

    mutating func hasRoom(now: MonotonicTime) -> Bool {
        roll(now: now)
        return present + before < Newcomers.most
    }

    mutating func enter(now: MonotonicTime) {
        roll(now: now)
        present += 1
    }

    /// One of them has asked, or gone.
    mutating func leave() {
        if before > 0 { before -= 1 } else if present > 0 { present -= 1 }
    }

    private mutating func roll(now: MonotonicTime) {
        guard now >= ends else { return }
        before = now < ends.advanced(by: Newcomers.window) ? present : 0
        present = 0
        ends = now.advanced(by: Newcomers.window)
    }
}
