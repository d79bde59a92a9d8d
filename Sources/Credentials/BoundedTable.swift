// The cache's table: bounded, with an end to every entry, and giving up first what was used once and long ago.

internal import Gateway
internal import Kernel

/// A segmented least-recently-used table. A new entry is on probation; used again, it is protected. Room is made at the end of
/// probation, so a run over keys that nobody asks for twice pushes out only itself. Everything but a sweep is O(1).
struct BoundedTable<Value> {
    private let capacity: Int
    private var places: [CacheKey: Int] = [:]

    // One entry a place. The first two are the heads of the two rings, probation and protected.
    private var keys: [CacheKey?] = [nil, nil]
    private var values: [Value?] = [nil, nil]
    private var links: [Links] = [Links(previous: 0, next: 0), Links(previous: 1, next: 1)]
    /// In an array of their own, so that a sweep reads eight bytes an entry.
    private var deadlines: [UInt64] = [.max, .max]
    private var isProtected: [Bool] = [false, false]
    private var free: [Int] = []
    private var protectedCount = 0

    private static var probation: Int { 0 }
    private static var protected: Int { 1 }

    private struct Links {
        var previous: Int
        var next: Int
    }

    /// - Parameter capacity: of entries; at least one.
    init(capacity: Int) {
        self.capacity = max(capacity, 1)
    }

    var count: Int { places.count }

    /// The value, and it counts as used; nil where there is none, or its end has come.
    mutating func use(_ key: CacheKey, now: MonotonicTime) -> Value? {
        guard let place = places[key] else { return nil }
        guard deadlines[place] > now.nanoseconds else {
            remove(at: place)
            return nil
        }
        protect(place)
        return values[place]
    }

    /// Puts a value in, in place of an older one.
    /// - Returns: whether another had to go.
    mutating func insert(_ value: Value, for key: CacheKey, until end: MonotonicTime) -> Bool {
        if let place = places[key] {
            values[place] = value
            deadlines[place] = end.nanoseconds
            return false
        }
        let isFull = places.count >= capacity
        if isFull {
            let last = links[BoundedTable.probation].previous
            remove(at: last != BoundedTable.probation ? last : links[BoundedTable.protected].previous)
        }
        let place = free.popLast() ?? keys.count
        if place == keys.count {
            keys.append(key)
            values.append(value)
            links.append(Links(previous: place, next: place))
            deadlines.append(end.nanoseconds)
            isProtected.append(false)
        } else {
            keys[place] = key
            values[place] = value
            deadlines[place] = end.nanoseconds
        }
        places[key] = place
        link(place, behind: BoundedTable.probation)
        return isFull
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
        for place in deadlines.indices where deadlines[place] <= now.nanoseconds {
            remove(at: place)
            dropped += 1
        }
        return dropped
    }

    private mutating func remove(at place: Int) {
        if let key = keys[place] { places[key] = nil }
        keys[place] = nil
        values[place] = nil
        deadlines[place] = .max
        if isProtected[place] { protectedCount -= 1 }
        isProtected[place] = false
        unlink(place)
        free.append(place)
    }

    /// To the front of the protected; where those are more than four fifths, their last goes back on probation.
    private mutating func protect(_ place: Int) {
        unlink(place)
        link(place, behind: BoundedTable.protected)
        guard !isProtected[place] else { return }
        isProtected[place] = true
        protectedCount += 1
        guard protectedCount > capacity * 4 / 5 else { return }
        let last = links[BoundedTable.protected].previous
        unlink(last)
        link(last, behind: BoundedTable.probation)
        isProtected[last] = false
        protectedCount -= 1
    }

    private mutating func link(_ place: Int, behind head: Int) {
        let next = links[head].next
        links[place] = Links(previous: head, next: next)
        links[head].next = place
        links[next].previous = place
    }

    private mutating func unlink(_ place: Int) {
        let (previous, next) = (links[place].previous, links[place].next)
        links[previous].next = next
        links[next].previous = previous
    }
}
