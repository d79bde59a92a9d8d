// How the broker learns what the workers' views still use, so that it keeps that and fetches it again before its time is over.

internal import Synchronization

/// Written by the views once a second, where there is something to say; read by the broker as often.
package final class UseLog: Sendable {
    private let state: Mutex<State>

    private struct State {
        var keys: [CacheKey] = []
        var capacity: Int
    }

    /// - Parameter capacity: of keys between two readings; what is above it is let go: then those are fetched when they are asked for.
    package init(capacity: Int) {
        state = Mutex(State(capacity: capacity))
    }

    func record(_ used: [CacheKey]) {
        state.withLock { $0.keys.append(contentsOf: used.prefix(max($0.capacity - $0.keys.count, 0))) }
    }

    /// What was recorded since this was last asked.
    func take() -> [CacheKey] {
        state.withLock { state in
            defer { state.keys = [] }
            return state.keys
        }
    }

    func resize(to capacity: Int) {
        state.withLock { $0.capacity = capacity }
    }
}
