// What the daemon tells systemd about itself, and what systemd asks of it: notifications and the watchdog.

internal import CSystemd
package import Kernel

/// One thing said to the service manager (sd_notify(3)).
package enum Notification: Equatable, Sendable {
    /// Started, or the reload is over.
    case ready
    /// What `systemctl status` shows. One line; what is behind a line's end in it stands behind a blank.
    case status(String)
    /// A reload has begun, at this point of the monotonic clock. `ready` ends it.
    case reloading(MonotonicTime)
    case stopping
    /// The sign of life that `WatchdogSec=` waits for.
    case alive
    /// The start, the reload or the stop may take this much longer, from now on.
    case extendTimeout(Duration)

    /// As the protocol writes it, its line's end not included.
    var text: String {
        switch self {
        case .ready: "READY=1"
        case .status(let words): "STATUS=" + String(String.UnicodeScalarView(words.unicodeScalars.map { $0.value < 0x20 ? " " : $0 }))
        case .reloading(let time): "RELOADING=1\nMONOTONIC_USEC=\(time.nanoseconds / 1000)"
        case .stopping: "STOPPING=1"
        case .alive: "WATCHDOG=1"
        case .extendTimeout(let duration): "EXTEND_TIMEOUT_USEC=\(Nanoseconds(duration).count / 1000)"
        }
    }
}

package enum ServiceManager {
    /// Says all of `notifications` in one message, in their order. One datagram: never waits for an answer.
    ///
    /// - Returns: whether somebody was told; false where no service manager listens (`NOTIFY_SOCKET` is not set).
    /// - Throws: where the message could not be sent.
    @discardableResult
    package static func notify(_ notifications: [Notification]) throws(SystemFault) -> Bool {
        let result = unsafe sd_notify(0, notifications.map(\.text).joined(separator: "\n"))
        guard result >= 0 else { throw SystemFault("sd_notify", -result) }
        return result > 0
    }

    /// How long the service manager waits between two signs of life before it ends the process; nil where it watches nobody, or another process.
    package static func watchdog() throws(SystemFault) -> Duration? {
        var microseconds: UInt64 = 0
        let result = unsafe sd_watchdog_enabled(0, &microseconds)
        guard result >= 0 else { throw SystemFault("sd_watchdog_enabled", -result) }
        return result > 0 ? .microseconds(Int64(clamping: microseconds)) : nil
    }
}
