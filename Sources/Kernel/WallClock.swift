// The time of day: for expiry dates and records, never for lives or timers.

internal import CLinux

package enum WallClock {
    /// Nanoseconds since 1970 (CLOCK_REALTIME); through the vDSO, no system call.
    package static func nanoseconds() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }

    /// Milliseconds since 1970.
    package static func milliseconds() -> Int64 {
        nanoseconds() / 1_000_000
    }
}
