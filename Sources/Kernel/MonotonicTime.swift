// A point on the monotonic clock, in nanoseconds: the only time that lives, timers and the cache reckon with.

internal import CLinux

/// A span of time in one word: what a `Duration`, which has 128 bits and divides them, is turned into where deadlines are set for every request.
@usableFromInline package struct Nanoseconds: Hashable, Sendable {
    @usableFromInline package let count: UInt64

    package init(_ count: UInt64) {
        self.count = count
    }

    /// A negative duration counts as none, one too long to express as the longest.
    package init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        guard seconds >= 0, attoseconds >= 0 else {
            count = 0
            return
        }
        let (whole, tooLong) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, over) = whole.addingReportingOverflow(UInt64(attoseconds) / 1_000_000_000)
        count = tooLong || over ? .max : sum
    }
}

/// Nanoseconds of CLOCK_MONOTONIC. Never steps back, says nothing of the date.
@usableFromInline package struct MonotonicTime: Comparable, Hashable, Sendable {
    @usableFromInline package var nanoseconds: UInt64

    @inlinable package init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    /// Later than any other: the deadline of what waits without one.
    @inlinable package static var never: MonotonicTime { MonotonicTime(nanoseconds: .max) }

    /// Reads the clock; through the vDSO, no system call.
    package static func now() -> MonotonicTime {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec))
    }

    @inlinable package static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// `duration` later; `never` where that cannot be expressed. A negative duration counts as none.
    package func advanced(by duration: Duration) -> MonotonicTime {
        advanced(by: Nanoseconds(duration))
    }

    /// `span` later; `never` where that cannot be expressed.
    @inlinable @inline(always)
    package func advanced(by span: Nanoseconds) -> MonotonicTime {
        let (sum, tooLate) = nanoseconds.addingReportingOverflow(span.count)
        return tooLate ? .never : MonotonicTime(nanoseconds: sum)
    }

    /// How long from `earlier` to here; zero where `earlier` is later.
    package func duration(since earlier: MonotonicTime) -> Duration {
        .nanoseconds(Int64(clamping: nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0))
    }
}
