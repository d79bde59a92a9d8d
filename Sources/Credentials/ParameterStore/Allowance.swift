// How many calls we grant ourselves.

internal import Gateway
internal import Kernel

/// Never more than `rate.count` calls in any span of `rate.per`, wherever the span begins: what a service counts in windows of its own
/// stays below its limit, however the windows lie. A third of them may go at once, the others at an even pace, so that what is held up on
/// its way does not arrive in one heap with what follows.
struct Allowance {
    private let rate: Rate
    private let pace: Duration
    private let slack: Nanoseconds
    /// The last calls, at most `rate.count`, oldest at `next` once the ring is full.
    private var taken: [MonotonicTime] = []
    private var next = 0
    /// When as many may go at once again as ever.
    private var rested = MonotonicTime(nanoseconds: 0)

    init(_ rate: Rate) {
        self.rate = rate
        pace = rate.per / rate.count
        slack = Nanoseconds(pace * (max(rate.count / 3, 1) - 1))
    }

    /// When a call may go: `now` or earlier means at once.
    var ready: MonotonicTime {
        let paced = MonotonicTime(nanoseconds: rested.nanoseconds > slack.count ? rested.nanoseconds - slack.count : 0)
        return taken.count < rate.count ? paced : max(paced, taken[next].advanced(by: rate.per))
    }

    /// Counts a call; false, and nothing counted, where none may go.
    mutating func take(now: MonotonicTime) -> Bool {
        guard ready <= now else { return false }
        rested = max(rested, now).advanced(by: pace)
        if taken.count < rate.count {
            taken.append(now)
        } else {
            taken[next] = now
            next = next + 1 == rate.count ? 0 : next + 1
        }
        return true
    }
}
