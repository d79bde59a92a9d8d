// How long and how often a call that failed is made again.

internal import Kernel

/// Full jitter: a wait is anything from nothing to a bound that doubles, so that those who failed together do not come back together.
enum Persistence {
    /// For a call and all its repetitions, in line for the budget included: a little less than anybody waits for a credential.
    static let time = Duration.seconds(9)
    /// For one attempt.
    static let attempt = Duration.seconds(3)
    static let repetitions = 3

    private static let first = Duration.milliseconds(100)
    private static let ceiling = Duration.seconds(2)

    /// When to try again; nil where that is not worth it.
    ///
    /// - Parameters:
    ///   - repetition: 0 for the first.
    ///   - wish: how long the service asked to be left alone: kept, and the jitter goes on top.
    static func next(_ repetition: Int, now: MonotonicTime, deadline: MonotonicTime, wish: Duration?, random: UInt64) -> MonotonicTime? {
        guard repetition < repetitions else { return nil }
        let bound = min(first * (1 << repetition), ceiling)
        let time = now.advanced(by: (wish ?? .zero) + bound * Double(evenlyFrom: random))
        return time < deadline ? time : nil
    }
}
