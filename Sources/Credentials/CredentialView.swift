// A worker's own view of the credential cache: what the hot path looks into.

package import Gateway
package import Kernel
package import Metrics

/// Belongs to one worker and stays on its thread. A hit is one atomic load and one hash look-up: no lock, no system call, no allocation.
/// Two uses of an entry are noted beside that, the first of all and the first near its end, and told to the broker with the next sweep.
///
/// Everything in it came from the broker and is dropped when its time is over (`sweep`), when the broker's invalidation log
/// names it, when room is needed, or when the instance's server is no longer the object it was rendered for.
package struct CredentialView {
    private let log: InvalidationLog
    private let uses: UseLog
    private let metrics: Shard
    private var seen: UInt64
    private var table: BoundedTable<Entry>

    private struct Entry {
        let answer: CredentialAnswer
        let server: Server
        /// What a look-up that finds it counts as.
        let counter: Counter
    }

    /// - Parameters:
    ///   - log, uses: the broker's.
    ///   - capacity: of credentials, for this worker alone; a tenth as many again may be known to be missing.
    ///   - metrics: the worker's shard.
    package init(of log: InvalidationLog, _ uses: UseLog, capacity: Int, metrics: Shard) {
        self.log = log
        self.uses = uses
        self.metrics = metrics
        seen = log.sequence
        table = BoundedTable(capacity: capacity)
    }

    /// Holds so many from now on.
    package mutating func resize(to capacity: Int) {
        let before = table.count
        table.resize(to: capacity)
        metrics.add(.cachedCredentials, table.count - before)
    }

    /// How many entries it holds.
    package var count: Int { table.count }

    /// What is known; nil where the broker has to be asked.
    ///
    /// - Parameter now: the loop's clock.
    package mutating func lookup(_ key: CacheKey, _ instance: ServerInstance, now: MonotonicTime) -> CredentialAnswer? {
        if log.sequence != seen { catchUp() }
        let before = table.count
        guard let entry = table.use(key, now: now), entry.server === instance.server else {
            metrics.add(.cachedCredentials, table.count - before)
            return nil
        }
        metrics.add(entry.counter)
        return entry.answer
    }

    /// Keeps what the broker answered, unless it has changed since.
    ///
    /// - Returns: the answer, which holds for the exchange that asked in either case.
    package mutating func insert(_ cached: CachedCredential) -> CredentialAnswer {
        if log.sequence != seen { catchUp() }
        guard cached.sequence == seen || !hasChanged(cached.key, since: cached.sequence) else { return cached.answer }
        let before = table.count
        let evicted = table.insert(
            Entry(answer: cached.answer, server: cached.server, counter: cached.counter), for: cached.key, until: cached.freshUntil,
            isBrief: !cached.answer.isHit, notedFrom: cached.refreshFrom)
        if evicted { metrics.add(.cacheEvicted) }
        metrics.add(.cachedCredentials, table.count - before)
        return cached.answer
    }

    /// Drops what is past its time, and tells the broker what was used. To be called by the worker's timer every second at least, so that no
    /// secret stays longer than its time and a second, asked for or not.
    package mutating func sweep(now: MonotonicTime) {
        if log.sequence != seen { catchUp() }
        metrics.add(.cachedCredentials, -table.removeExpired(now: now))
        table.takeNoted { uses.record($0) }
    }

    private mutating func catchUp() {
        let before = table.count
        let (changes, upTo) = log.changes(since: seen)
        switch changes {
        case .keys(let keys): for key in keys { table.remove(key) }
        case .everything: table.removeAll()
        }
        seen = upTo
        metrics.add(.cacheInvalidated)
        metrics.add(.cachedCredentials, table.count - before)
    }

    private func hasChanged(_ key: CacheKey, since sequence: UInt64) -> Bool {
        switch log.changes(since: sequence).0 {
        case .keys(let keys): keys.contains(key)
        case .everything: true
        }
    }
}
