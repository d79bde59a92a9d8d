// BoundedTable: bounded, ended, and the first to go is who was used once and long ago.

@testable import Credentials
import Gateway
import Kernel
import TLS
import Testing

@Suite struct BoundedTableTests {
    private let start = MonotonicTime(nanoseconds: 1_000)
    private let late = MonotonicTime(nanoseconds: 1_000_000)

    private func key(_ n: UInt64) -> CacheKey {
        CacheKey(instance: Digest256(words: (n, 0, 0, 0)), user: nil)
    }

    @Test func `what was put in is found until its end, and not at it`() {
        var table = BoundedTable<Int>(capacity: 4)
        let end = MonotonicTime(nanoseconds: 2_000)
        let evicted = table.insert(7, for: key(1), until: end)
        #expect(!evicted)
        #expect(table.use(key(1), now: MonotonicTime(nanoseconds: 1_999)) == 7)
        #expect(table.use(key(1), now: end) == nil)
        #expect(table.count == 0)
    }

    @Test func `a full table gives up the one used longest ago`() {
        var table = BoundedTable<Int>(capacity: 3)
        for n in 1...3 { _ = table.insert(n, for: key(UInt64(n)), until: late) }
        let evicted = table.insert(4, for: key(4), until: late)
        #expect(evicted)
        #expect(table.count == 3)
        #expect(table.use(key(1), now: start) == nil)
        #expect(table.use(key(2), now: start) == 2)
    }

    @Test func `a run over keys that nobody asks for twice leaves the active ones`() {
        var table = BoundedTable<Int>(capacity: 100)
        for n in 0..<50 {
            _ = table.insert(n, for: key(UInt64(n)), until: late)
            _ = table.use(key(UInt64(n)), now: start)
        }
        for n in 1_000..<11_000 { _ = table.insert(n, for: key(UInt64(n)), until: late) }
        #expect(table.count == 100)
        for n in 0..<50 { #expect(table.use(key(UInt64(n)), now: start) == n) }
    }

    @Test func `a sweep drops what has ended and nothing else`() {
        var table = BoundedTable<Int>(capacity: 1_000)
        for n in 0..<1_000 { _ = table.insert(n, for: key(UInt64(n)), until: MonotonicTime(nanoseconds: UInt64(2_000 + n))) }
        #expect(table.removeExpired(now: MonotonicTime(nanoseconds: 2_499)) == 500)
        #expect(table.count == 500)
        #expect(table.use(key(499), now: start) == nil)
        #expect(table.use(key(500), now: start) == 500)
    }

    @Test func `putting in again replaces the value and its end`() {
        var table = BoundedTable<Int>(capacity: 1)
        _ = table.insert(1, for: key(1), until: MonotonicTime(nanoseconds: 2_000))
        let replacedAnother = table.insert(2, for: key(1), until: late)
        #expect(!replacedAnother)
        #expect(table.use(key(1), now: MonotonicTime(nanoseconds: 5_000)) == 2)
        let evicted = table.insert(3, for: key(2), until: late)
        #expect(evicted)
        #expect(table.count == 1)
    }

    @Test func `a hundred thousand strangers, known and unknown, leave eighty thousand active ones`() {
        var table = BoundedTable<UInt64>(capacity: 100_000)
        for n in UInt64(0)..<80_000 {
            _ = table.insert(n, for: key(n), until: late)
            _ = table.use(key(n), now: start)
        }
        for n in UInt64(0)..<100_000 {
            _ = table.insert(n, for: key(1 << 32 + n), until: late)
            _ = table.insert(n, for: key(1 << 33 + n), until: late, isBrief: true)
        }
        #expect(table.count == 110_000)
        var left = 0
        for n in UInt64(0)..<80_000 where table.use(key(n), now: start) == n { left += 1 }
        #expect(left == 80_000)
    }

    @Test func `brief ones and others push out only their like`() {
        var table = BoundedTable<Int>(capacity: 20)
        for n in 0..<20 { _ = table.insert(n, for: key(UInt64(n)), until: late) }
        for n in 100..<110 {
            let evicted = table.insert(n, for: key(UInt64(n)), until: late, isBrief: true)
            #expect(evicted == (n >= 102))
        }
        #expect(table.count == 22)
        for n in 200..<220 {
            let evicted = table.insert(n, for: key(UInt64(n)), until: late)
            #expect(evicted)
        }
        for n in 108..<110 { #expect(table.use(key(UInt64(n)), now: start) == n) }
        #expect(table.use(key(107), now: start) == nil)
    }

    @Test func `what becomes brief, or is so no more, changes its room`() {
        var table = BoundedTable<Int>(capacity: 10)
        for n in 0..<10 { _ = table.insert(n, for: key(UInt64(n)), until: late) }
        var evicted = table.insert(100, for: key(0), until: late, isBrief: true)
        #expect(!evicted)
        #expect(table.count == 10)
        evicted = table.insert(10, for: key(10), until: late)
        #expect(!evicted, "there is room where it was")
        evicted = table.insert(101, for: key(1), until: late, isBrief: true)
        #expect(evicted, "the other brief one goes")
        #expect(table.use(key(0), now: start) == nil)
        evicted = table.insert(1, for: key(1), until: late)
        #expect(!evicted)
        #expect(table.use(key(1), now: start) == 1)
        #expect(table.count == 10)
    }

    @Test func `a use is noted first of all and first near its end, and a sweep still ends it in time`() {
        var table = BoundedTable<Int>(capacity: 4)
        let (near, end) = (MonotonicTime(nanoseconds: 5_000), MonotonicTime(nanoseconds: 6_000))
        func noted() -> [CacheKey] {
            var keys: [CacheKey] = []
            table.takeNoted { keys = $0 }
            return keys
        }
        _ = table.insert(1, for: key(1), until: end, notedFrom: near)
        _ = table.insert(2, for: key(2), until: end, notedFrom: .never)
        #expect(table.removeExpired(now: near) == 0)
        for _ in 0..<2 { #expect(table.use(key(1), now: start) == 1) }
        #expect(noted() == [key(1)])
        for _ in 0..<2 { #expect(table.use(key(1), now: near) == 1) }
        _ = table.use(key(2), now: near)
        #expect(noted() == [key(1), key(2)])
        _ = table.insert(3, for: key(1), until: end, notedFrom: near)
        #expect(table.use(key(1), now: near) == 3)
        #expect(noted() == [key(1)], "put in anew it is noted anew")
        #expect(table.peek(key(1), now: end) == nil)
        #expect(table.use(key(1), now: end) == nil)
        #expect(table.removeExpired(now: end) == 1)
    }

    @Test(arguments: [1, 2, 3, 7, 64]) func `any order of use, insertion and removal keeps count, values and bound`(capacity: Int) {
        var table = BoundedTable<UInt64>(capacity: capacity)
        var word: UInt64 = 88_172_645_463_325_252
        for step in 0..<20_000 {
            word ^= word << 13
            word ^= word >> 7
            word ^= word << 17
            let key = key(word % 100)
            switch (word >> 32) % 8 {
            case 0...3:
                let end = MonotonicTime(nanoseconds: UInt64(step) + (word >> 40) % 500 + 1)
                let noted = word >> 50 & 1 == 0 ? nil : MonotonicTime(nanoseconds: UInt64(step) + (word >> 51) % 500)
                _ = table.insert(word % 100, for: key, until: end, isBrief: word >> 60 == 0, notedFrom: noted)
            case 4...5:
                if let value = table.use(key, now: MonotonicTime(nanoseconds: UInt64(step))) { #expect(value == word % 100) }
            case 6: table.remove(key)
            default: if word >> 40 & 63 == 0 { table.removeExpired(now: MonotonicTime(nanoseconds: UInt64(step))) }
            }
            #expect(table.count <= capacity + max(capacity / 10, 1))
        }
        table.removeExpired(now: .never)
        #expect(table.count == 0)
    }
}
