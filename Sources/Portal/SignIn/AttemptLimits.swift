// How often something may be done by one, within sliding spans of time.

internal import TLS

struct AttemptLimits: Sendable {
    struct Limit: Sendable {
        let count: Int
        let seconds: Int64
    }

    private let limits: [Limit]
    private let longest: Int64
    private let most: Int
    /// When each did it, oldest first.
    private var attempts: [Digest256: [Int64]] = [:]

    /// - Parameter most: how many are remembered; when all of them still count, nobody new is let in.
    init(limits: [Limit], most: Int = 100_000) {
        self.limits = limits
        self.most = most
        longest = limits.map(\.seconds).max() ?? 0
    }

    /// - Parameter now: in seconds since 1970.
    mutating func allows(_ who: Digest256, _ now: Int64) -> Bool {
        let past = attempts[who] ?? []
        if past.isEmpty, attempts.count >= most {
            attempts = attempts.filter { ($0.value.last ?? 0) > now - longest }
            if attempts.count >= most { return false }
        }
        return limits.allSatisfy { limit in past.count { $0 > now - limit.seconds } < limit.count }
    }

    mutating func note(_ who: Digest256, _ now: Int64) {
        attempts[who, default: []] = (attempts[who] ?? []).filter { $0 > now - longest } + [now]
    }
}
