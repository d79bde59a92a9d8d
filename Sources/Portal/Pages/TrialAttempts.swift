// How often one person may have values tried with servers: a form is no place to guess keys from.

internal import Gateway
internal import Synchronization

final class TrialAttempts: Sendable {
    private let limits = Mutex(AttemptLimits(limits: [AttemptLimits.Limit(count: 30, seconds: 3600)]))

    /// Counts an attempt.
    /// - Parameter now: in seconds since 1970.
    /// - Returns: false where there were too many within the hour; then it does not count.
    func take(_ email: UserEmail, now: Int64) -> Bool {
        limits.withLock { limits in
            guard limits.allows(email.digest, now) else { return false }
            limits.note(email.digest, now)
            return true
        }
    }
}
