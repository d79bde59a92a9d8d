// How often each user called each server: counted by the workers, handed over every five seconds, for the database to add up.

package import Gateway
package import Kernel
internal import Synchronization
internal import TLS

/// One worker's counts since it last handed them over. Belongs to that worker and stays on its thread.
///
/// To count is to find a place in a table and add one: no lock, no system call, and no allocation once the table has the size it needs.
package struct UseTally {
    /// Of nothing but numbers, so that looking at one touches no reference count.
    private struct Place {
        var user = Digest256(words: (0, 0, 0, 0))
        var instance = Digest256(words: (0, 0, 0, 0))
        /// 0 = free.
        var calls = 0
        var last = MonotonicTime(nanoseconds: 0)
    }

    /// A power of two, half of it free at least: an entry stands at its digests' place or in the first free one behind.
    private var places: [Place]
    /// Who stands where, in the order of their coming.
    private var taken: [(place: Int, user: UserEmail, instance: ServerInstance)] = []
    private let most: Int

    /// - Parameter most: how many pairs of user and server are counted between two handings over; those beyond are not.
    package init(most: Int = 1 << 15) {
        self.most = most
        places = Array(repeating: Place(), count: 64)
    }

    /// Counts an exchange that ended at `now`.
    @inline(__always)
    package mutating func count(_ user: UserEmail, at instance: ServerInstance, now: MonotonicTime) {
        let at = place(of: user.digest, instance.digest)
        guard places[at].calls > 0 else { return begin(user, instance, now) }
        places[at].calls &+= 1
        places[at].last = now
    }

    /// Leaves what was counted with `log`, and begins anew.
    ///
    /// - Parameter wallClock: seconds since 1970 of a time of the loop's clock.
    package mutating func handOver(to log: UseCounts, wallClock: (MonotonicTime) -> Int64) {
        guard !taken.isEmpty else { return }
        let counts = taken.map { at, user, instance in
            UseCount(project: instance.project, server: instance.name, user: user, calls: places[at].calls, last: wallClock(places[at].last))
        }
        for (at, _, _) in taken { places[at] = Place() }
        taken.removeAll(keepingCapacity: true)
        log.add(counts)
    }

    /// Where it stands, or would.
    @inline(__always)
    private func place(of user: Digest256, _ instance: Digest256) -> Int {
        let mask = places.count &- 1
        var at = Int(truncatingIfNeeded: user.words.0 ^ instance.words.0) & mask
        // Ends: half of the places are free.
        while places[at].calls > 0, !(places[at].user.matches(user) && places[at].instance.matches(instance)) { at = (at &+ 1) & mask }
        return at
    }

    /// The first exchange of a pair.
    @inline(never)
    private mutating func begin(_ user: UserEmail, _ instance: ServerInstance, _ now: MonotonicTime) {
        guard taken.count < most else { return }
        if (taken.count + 1) * 2 > places.count { grow() }
        let at = place(of: user.digest, instance.digest)
        places[at] = Place(user: user.digest, instance: instance.digest, calls: 1, last: now)
        taken.append((at, user, instance))
    }

    private mutating func grow() {
        let before = places
        places = Array(repeating: Place(), count: before.count * 2)
        for entry in taken.indices {
            let old = before[taken[entry].place]
            let at = place(of: old.user, old.instance)
            places[at] = old
            taken[entry].place = at
        }
    }
}

/// What the workers counted and nobody has written down yet.
package final class UseCounts: Sendable {
    private let counts = Mutex<[UseCount]>([])
    private let keys = Mutex<[KeyUse]>([])
    private let most: Int

    /// - Parameter most: how many counts are kept; those beyond are let go.
    package init(most: Int = 1 << 18) {
        self.most = most
    }

    package func add(_ new: [UseCount]) {
        counts.withLock { $0.append(contentsOf: new.prefix(most - $0.count)) }
    }

    package func add(_ new: [KeyUse]) {
        keys.withLock { $0.append(contentsOf: new.prefix(most - $0.count)) }
    }

    /// What was added since this was last asked.
    package func take() -> [UseCount] {
        counts.withLock { counts in
            defer { counts = [] }
            return counts
        }
    }

    /// The keys' uses that were added since this was last asked.
    package func takeKeys() -> [KeyUse] {
        keys.withLock { keys in
            defer { keys = [] }
            return keys
        }
    }
}
