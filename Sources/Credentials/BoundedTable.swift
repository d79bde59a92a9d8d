// The cache's table: bounded, with an end to every entry, and giving up first what was used once and long ago.

internal import Gateway
internal import Kernel

/// A segmented least-recently-used table. A new entry is on probation; used again, it is protected. Room is made at the end of
/// probation, so a run over keys that nobody asks for twice pushes out only itself. What is brief (known to be missing, say) has room of its
/// own, a tenth as much, and pushes out only its like. Everything but a sweep is O(1).
struct BoundedTable<Value> {
    private var capacity: Int
    private var places: [CacheKey: Int] = [:]

    // One entry a place. The first three are the heads of the rings.
    private var keys: [CacheKey?] = [nil, nil, nil]
    private var values: [Value?] = [nil, nil, nil]
    private var links = (0..<3).map { Links(previous: $0, next: $0) }
    /// When a place has to be looked at: its entry's end, or before that when a use is to be noted. In an array of their own, so that a
    /// sweep reads eight bytes an entry, and a use that is not noted no more than it must to see the end.
    private var alarms: [UInt64] = [.max, .max, .max]
    private var ends: [UInt64] = [.max, .max, .max]
    /// From when on the next use is noted; `.max` where none is any more.
    private var notedFrom: [UInt64] = [.max, .max, .max]
    private var rings: [Ring] = Ring.allCases
    private var free: [Int] = []
    private var counts = [0, 0, 0]
    private var noted: [CacheKey] = []

    private enum Ring: Int, CaseIterable {
        case probation, protected, brief
    }

    private struct Links {
        var previous: Int
        var next: Int
    }

    /// - Parameter capacity: of entries; at least one. A tenth as many, and one at least, may be brief ones beside them.
    init(capacity: Int) {
        self.capacity = max(capacity, 1)
    }

    var count: Int { places.count }
    var allKeys: some Collection<CacheKey> { places.keys }

    /// Makes room for more, or for fewer: then those go first that would have had to make way.
    mutating func resize(to capacity: Int) {
        self.capacity = max(capacity, 1)
        while makeRoom(isBrief: false, for: 0) {}
        while makeRoom(isBrief: true, for: 0) {}
    }

    /// The value, and it counts as used; nil where there is none, or its end has come.
    mutating func use(_ key: CacheKey, now: MonotonicTime) -> Value? {
        guard let place = places[key], alarms[place] > now.nanoseconds || outlives(place, now) else { return nil }
        protect(place)
        return values[place]
    }

    /// Puts a value in, in place of an older one.
    ///
    /// - Parameters:
    ///   - isBrief: whether it goes into the room for brief ones.
    ///   - notedFrom: nil where no use is to be noted. Else two are: the first of all, and the first from then on. `takeNoted` tells them.
    /// - Returns: whether another had to go.
    mutating func insert(
        _ value: Value, for key: CacheKey, until end: MonotonicTime, isBrief: Bool = false, notedFrom: MonotonicTime? = nil
    ) -> Bool {
        var isFull = false
        var place = places[key]
        if let known = place, (rings[known] == .brief) != isBrief {
            remove(at: known)
            place = nil
        }
        if place == nil {
            isFull = makeRoom(isBrief: isBrief)
        }
        let at = place ?? newPlace(for: key, in: isBrief ? .brief : .probation)
        values[at] = value
        ends[at] = end.nanoseconds
        self.notedFrom[at] = notedFrom?.nanoseconds ?? .max
        alarms[at] = notedFrom == nil ? end.nanoseconds : 0
        return isFull
    }

    /// The value where it lies, which does not count as a use; nil where there is none, or its end has come.
    func peek(_ key: CacheKey, now: MonotonicTime) -> Value? {
        guard let place = places[key], ends[place] > now.nanoseconds else { return nil }
        return values[place]
    }

    /// Changes a value where it lies; its use, its end and its place stay.
    mutating func change(_ key: CacheKey, _ body: (inout Value) -> Void) {
        guard let place = places[key], var value = values[place] else { return }
        body(&value)
        values[place] = value
    }

    /// False where there was none.
    @discardableResult
    mutating func remove(_ key: CacheKey) -> Bool {
        guard let place = places[key] else { return false }
        remove(at: place)
        return true
    }

    mutating func removeAll() {
        self = BoundedTable(capacity: capacity)
    }

    /// Drops what has come to its end. How many that were.
    @discardableResult
    mutating func removeExpired(now: MonotonicTime) -> Int {
        var dropped = 0
        for place in alarms.indices where alarms[place] <= now.nanoseconds && ends[place] <= now.nanoseconds {
            remove(at: place)
            dropped += 1
        }
        return dropped
    }

    /// The keys whose use was noted since this was last asked. The room they took is kept.
    mutating func takeNoted(_ body: ([CacheKey]) -> Void) {
        guard !noted.isEmpty else { return }
        body(noted)
        noted.removeAll(keepingCapacity: true)
    }

    /// An alarm that went off: the entry's end, which removes it, or a use to be noted.
    @inline(never)
    private mutating func outlives(_ place: Int, _ now: MonotonicTime) -> Bool {
        guard ends[place] > now.nanoseconds else {
            remove(at: place)
            return false
        }
        if let key = keys[place] { noted.append(key) }
        if notedFrom[place] <= now.nanoseconds { notedFrom[place] = .max }
        alarms[place] = min(notedFrom[place], ends[place])
        return true
    }

    /// - Parameter more: how many are to come.
    private mutating func makeRoom(isBrief: Bool, for more: Int = 1) -> Bool {
        let (count, room) = isBrief ? (counts[Ring.brief.rawValue], max(capacity / 10, 1)) : (places.count - counts[Ring.brief.rawValue], capacity)
        guard count + more > room else { return false }
        let ring: Ring = isBrief ? .brief : counts[Ring.probation.rawValue] > 0 ? .probation : .protected
        remove(at: links[ring.rawValue].previous)
        return true
    }

    private mutating func newPlace(for key: CacheKey, in ring: Ring) -> Int {
        let place = free.popLast() ?? keys.count
        if place == keys.count {
            keys.append(key)
            values.append(nil)
            links.append(Links(previous: place, next: place))
            alarms.append(.max)
            ends.append(.max)
            notedFrom.append(.max)
            rings.append(ring)
        } else {
            keys[place] = key
            rings[place] = ring
        }
        places[key] = place
        counts[ring.rawValue] += 1
        link(place, behind: ring)
        return place
    }

    private mutating func remove(at place: Int) {
        if let key = keys[place] { places[key] = nil }
        keys[place] = nil
        values[place] = nil
        alarms[place] = .max
        ends[place] = .max
        notedFrom[place] = .max
        counts[rings[place].rawValue] -= 1
        unlink(place)
        free.append(place)
    }

    /// To the front of its ring; from probation, of the protected. Where those are more than four fifths, their last goes back on probation.
    private mutating func protect(_ place: Int) {
        unlink(place)
        let ring = rings[place]
        guard ring == .probation else {
            link(place, behind: ring)
            return
        }
        move(place, to: .protected)
        guard counts[Ring.protected.rawValue] > capacity * 4 / 5 else { return }
        let last = links[Ring.protected.rawValue].previous
        unlink(last)
        move(last, to: .probation)
    }

    /// - Parameter place: unlinked.
    private mutating func move(_ place: Int, to ring: Ring) {
        counts[rings[place].rawValue] -= 1
        rings[place] = ring
        counts[ring.rawValue] += 1
        link(place, behind: ring)
    }

    private mutating func link(_ place: Int, behind ring: Ring) {
        let next = links[ring.rawValue].next
        links[place] = Links(previous: ring.rawValue, next: next)
        links[ring.rawValue].next = place
        links[next].previous = place
    }

    private mutating func unlink(_ place: Int) {
        let (previous, next) = (links[place].previous, links[place].next)
        links[previous].next = next
        links[next].previous = previous
    }
}
