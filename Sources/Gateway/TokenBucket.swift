// A rate that is kept: so many at once, and as many again in its time.

package import Kernel

/// A bucket that holds `rate.count` tokens at most and is refilled evenly in `rate.per` (the generic cell rate algorithm: one number says it all).
package struct TokenBucket: Sendable {
    package enum Taking: Equatable, Sendable {
        case granted
        /// Nothing was taken; a token will be there after this long.
        case refused(retryAfter: Duration)
    }

    /// Nanoseconds that one token takes, and that a full bucket is worth.
    private let step: UInt64
    private let full: UInt64
    /// When the bucket will be full again, in nanoseconds of the monotonic clock.
    private var fullAt: UInt64

    /// A full bucket. A rate of nothing in any time, or of anything in no time, counts as one in its time, or one a nanosecond.
    package init(_ rate: Rate, now: MonotonicTime) {
        let span = MonotonicTime(nanoseconds: 0).advanced(by: rate.per).nanoseconds
        // Far below UInt64's half, so that no sum below wraps: a rate's time is days at most.
        let bounded = min(max(span, 1), 1 << 60)
        step = max(bounded / UInt64(max(rate.count, 1)), 1)
        full = step.multipliedReportingOverflow(by: UInt64(max(rate.count, 1))).partialValue
        fullAt = min(now.nanoseconds, 1 << 62)
    }

    /// Takes one token at `now`. Time that goes backwards adds none.
    package mutating func take(at now: MonotonicTime) -> Taking {
        let now = min(now.nanoseconds, 1 << 62)
        let next = max(fullAt, now) + step
        guard next - now <= full else { return .refused(retryAfter: .nanoseconds(Int64(next - now - full))) }
        fullAt = next
        return .granted
    }

    /// Whether the bucket is full: who keeps many may forget it.
    package func isFull(at now: MonotonicTime) -> Bool {
        fullAt <= now.nanoseconds
    }
}
