// How the broker learns what the workers' views still use, so that it keeps that and fetches it again before its time is over.

internal import Synchronization

/// Written by the views once a second, where there is something to say; read by the broker as often.
package final class UseLog: Sendable {
    private let keys: Mutex<[CacheKey]>
    private let capacity: Int

    /// - Parameter capacity: of keys between two readings; what is above it is let go: then those are fetched when they are asked for.
    package init(capacity: Int) {
        self.capacity = capacity
        keys = Mutex([])
    }

    func record(_ used: [CacheKey]) {
        keys.withLock { $0.append(contentsOf: used.prefix(capacity - $0.count)) }
    }

    /// What was recorded since this was last asked.
    func take() -> [CacheKey] {
        keys.withLock { keys in
            defer { keys = [] }
            return keys
        }
    }
}
