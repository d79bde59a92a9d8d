// How long a writer waits for whoever reads what he writes: a while once, and then not again until something was taken.

internal import CLinux
internal import Synchronization

/// For one descriptor that a log goes to. One thread uses it at a time.
final class Patience: Sendable {
    private let span: Duration
    private let isSpent = Atomic(false)

    /// - Parameter span: for how long a reader may take nothing.
    init(_ span: Duration) {
        self.span = span
    }

    /// Waits until `number` takes bytes.
    ///
    /// - Parameters:
    ///   - since: when it last took some, or when it was first asked to.
    ///   - deadline: of everything there is to write.
    /// - Returns: false where it takes none. After that nobody waits for it again, and it is only looked at, until `somethingWasTaken`.
    func wait(for number: Int32, since: MonotonicTime, until deadline: MonotonicTime) -> Bool {
        let end = min(since.advanced(by: span), deadline)
        while true {
            let now = MonotonicTime.now()
            guard now < deadline else { return false }
            let left = isSpent.load(ordering: .relaxed) || now >= end ? .zero : end.duration(since: now)
            var wanted = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
            let found = unsafe poll(&wanted, 1, Patience.milliseconds(left))
            if found > 0 { return true }
            if found < 0, claviger_errno() == EINTR { continue }
            isSpent.store(true, ordering: .relaxed)
            return false
        }
    }

    func somethingWasTaken() {
        isSpent.store(false, ordering: .relaxed)
    }

    /// Rounded up: a wait of less than one would be none.
    private static func milliseconds(_ duration: Duration) -> Int32 {
        let (seconds, attoseconds) = duration.components
        return Int32(clamping: seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
