// How often each user called each server: counted by the workers, handed over every five seconds, for the database to add up.

package import Gateway
package import Kernel
internal import Synchronization
internal import TLS

/// One worker's counts since it last handed them over. Belongs to that worker and stays on its thread.
///
/// To count is to find a place in a table and add one: no lock, no system call, and no allocation once the table has the size it needs.
package struct UseTally {
    private struct Place {
        var instance: ServerInstance?
        var user: UserEmail?
        var calls = 0
        var last = MonotonicTime(nanoseconds: 0)
    }

    /// A power of two, half of it free at least: an entry stands at its digests' place or in the first free one behind.
    private var places: [Place]
    /// Which of them are taken, in the order of their taking.
    private var taken: [Int] = []
    private let most: Int

    /// - Parameter most: how many pairs of user and server are counted between two handings over; those beyond are not.
    package init(most: Int = 1 << 15) {
        self.most = most
        places = Array(repeating: Place(), count: 64)
    }

    /// Counts an exchange that ended at `now`.
    @inline(__always)
    package mutating func count(_ user: UserEmail, at instance: ServerInstance, now: MonotonicTime) {
        var at = place(of: user, instance)
        if places[at].instance == nil {
            guard taken.count < most else { return }
            take(at, user, instance)
            at = place(of: user, instance)
        }
        places[at].calls &+= 1
        places[at].last = now
    }

    /// Leaves what was counted with `log`, and begins anew.
    ///
    /// - Parameter wallClock: seconds since 1970 of a time of the loop's clock.
    package mutating func handOver(to log: UseCounts, wallClock: (MonotonicTime) -> Int64) {
        guard !taken.isEmpty else { return }
        var counts: [UseCount] = []
        counts.reserveCapacity(taken.count)
        for at in taken {
            if let instance = places[at].instance, let user = places[at].user {
                counts.append(
                    UseCount(
                        project: instance.project, server: instance.name, user: user, calls: places[at].calls, last: wallClock(places[at].last)))
            }
            places[at] = Place()
        }
        taken.removeAll(keepingCapacity: true)
        log.add(counts)
    }

    /// Where it stands, or would.
    @inline(__always)
    private func place(of user: UserEmail, _ instance: ServerInstance) -> Int {
        let mask = places.count &- 1
        var at = Int(truncatingIfNeeded: user.digest.words.0 ^ instance.digest.words.0) & mask
        // Ends: half of the places are free.
        while let other = places[at].instance {
            if other === instance, places[at].user == user { return at }
            at = (at &+ 1) & mask
        }
        return at
    }

    @inline(never)
    private mutating func take(_ at: Int, _ user: UserEmail, _ instance: ServerInstance) {
        places[at].instance = instance
        places[at].user = user
        taken.append(at)
        if taken.count * 2 >= places.count { grow() }
    }

    private mutating func grow() {
        let before = taken.map { places[$0] }
        places = Array(repeating: Place(), count: places.count * 2)
        taken.removeAll(keepingCapacity: true)
        for old in before {
            guard let user = old.user, let instance = old.instance else { continue }
            let at = place(of: user, instance)
            places[at] = old
            taken.append(at)
        }
    }
}

/// What the workers counted and nobody has written down yet.
package final class UseCounts: Sendable {
    private let counts = Mutex<[UseCount]>([])
    private let most: Int

    /// - Parameter most: how many counts are kept; those beyond are let go.
    package init(most: Int = 1 << 18) {
        self.most = most
    }

    package func add(_ new: [UseCount]) {
        counts.withLock { $0.append(contentsOf: new.prefix(most - $0.count)) }
    }

    /// What was added since this was last asked.
    package func take() -> [UseCount] {
        counts.withLock { counts in
            defer { counts = [] }
            return counts
        }
    }
}
