// How often each navigator's key vouched for a request: counted by the workers beside what users do, and handed over with it.

package import Gateway
package import Kernel

/// One worker's counts since it last handed them over. Belongs to that worker and stays on its thread.
///
/// To count is to find a place by the key's own address and add one: no lock, no system call, and no allocation once the table has the size it needs.
package struct KeyTally {
    private struct Place {
        /// 0 = free. No key is given away before its place is: `taken` holds it.
        var key: UInt = 0
        var calls = 0
        var last = MonotonicTime(nanoseconds: 0)
    }

    /// A power of two, half of it free at least.
    private var places: [Place] = Array(repeating: Place(), count: 16)
    private var taken: [(place: Int, key: KeyEntry)] = []

    package init() {}

    /// Counts a request that ended at `now`.
    @inline(__always)
    package mutating func count(_ key: KeyEntry, now: MonotonicTime) {
        let word = KeyTally.word(key)
        let at = place(of: word)
        guard places[at].key == word else { return begin(key, word, now) }
        places[at].calls &+= 1
        places[at].last = now
    }

    /// Leaves what was counted with `log`, and begins anew.
    ///
    /// - Parameter wallClock: seconds since 1970 of a time of the loop's clock.
    package mutating func handOver(to log: UseCounts, wallClock: (MonotonicTime) -> Int64) {
        guard !taken.isEmpty else { return }
        log.add(
            taken.map { at, key in
                KeyUse(
                    project: key.navigator.project, navigator: key.navigator.name, key: key.id, calls: places[at].calls, last: wallClock(places[at].last))
            })
        for (at, _) in taken { places[at] = Place() }
        taken.removeAll(keepingCapacity: true)
    }

    @inline(__always)
    private static func word(_ key: KeyEntry) -> UInt { UInt(bitPattern: ObjectIdentifier(key)) }

    /// Where it stands, or would.
    @inline(__always)
    private func place(of word: UInt) -> Int {
        let mask = places.count &- 1
        // An object's address ends in zeroes.
        var at = Int(truncatingIfNeeded: word >> 4 ^ word >> 11) & mask
        // Ends: half of the places are free.
        while places[at].key != 0, places[at].key != word { at = (at &+ 1) & mask }
        return at
    }

    /// The first request of a key. There are as many as the configuration has.
    @inline(never)
    private mutating func begin(_ key: KeyEntry, _ word: UInt, _ now: MonotonicTime) {
        if (taken.count + 1) * 2 > places.count { grow() }
        let at = place(of: word)
        places[at] = Place(key: word, calls: 1, last: now)
        taken.append((at, key))
    }

    private mutating func grow() {
        let before = places
        places = Array(repeating: Place(), count: before.count * 2)
        for entry in taken.indices {
            let old = before[taken[entry].place]
            let at = place(of: old.key)
            places[at] = old
            taken[entry].place = at
        }
    }
}
