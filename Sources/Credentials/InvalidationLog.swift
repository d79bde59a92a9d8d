// How every worker learns that a credential changed: one number to look at, and behind it the keys that changed.

internal import Synchronization

/// Written by the broker, read by the views of all workers.
package final class InvalidationLog: Sendable {
    /// What happened since a reader last looked.
    enum Changes {
        case keys([CacheKey])
        /// More than is remembered: anything may have changed.
        case everything
    }

    private let latest = Atomic<UInt64>(0)
    private let recent: Mutex<[CacheKey]>
    private let capacity: Int

    /// - Parameter capacity: how many changes a reader may be behind before he must forget everything; at least one.
    package init(capacity: Int = 1024) {
        self.capacity = max(capacity, 1)
        recent = Mutex([])
    }

    /// How many changes there have been: what was learnt at this number holds while it stands.
    @inline(always)
    package var sequence: UInt64 { latest.load(ordering: .acquiring) }

    /// From its return on, no reader that looks at `sequence` takes what he holds for `key` as good.
    func record(_ key: CacheKey) {
        recent.withLock { ring in
            let number = latest.load(ordering: .relaxed)
            if ring.count < capacity {
                ring.append(key)
            } else {
                ring[Int(number % UInt64(capacity))] = key
            }
            latest.store(number + 1, ordering: .releasing)
        }
    }

    /// What came after `sequence`, and the number it is complete to.
    func changes(since sequence: UInt64) -> (Changes, upTo: UInt64) {
        recent.withLock { ring in
            let number = latest.load(ordering: .relaxed)
            guard number - sequence <= UInt64(capacity) else { return (.everything, number) }
            return (.keys((sequence..<number).map { ring[Int($0 % UInt64(capacity))] }), number)
        }
    }
}
