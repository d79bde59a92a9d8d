// What began elsewhere comes back once, to whom it belongs, in time; and crowds out nobody else's.

import Gateway
import Kernel
import OAuth
import Testing

@Suite struct OneTimeTableTests {
    private var table = OneTimeTable<Int>(life: .seconds(600), capacity: 50, ofSession: 20)
    private let start = MonotonicTime(nanoseconds: 1)

    private func secret(_ text: String) -> Secret { Secret(copying: text.utf8Span.span.raw) }

    @Test mutating func `a state comes back once, to its session, within its time`() {
        let good = table.begin(1, session: secret("s1"), now: start)
        #expect(good.count == 43)
        #expect(table.take(state: secret("never was"), session: secret("s1"), now: start) == nil)
        #expect(table.peek(state: good) == 1)
        #expect(table.take(state: good, session: secret("s1"), now: start) == 1)
        #expect(table.take(state: good, session: secret("s1"), now: start) == nil)
        #expect(table.peek(state: good) == nil)
        let stolen = table.begin(2, session: secret("s1"), now: start)
        #expect(table.take(state: stolen, session: secret("s2"), now: start) == nil)
        // Shown by another, it is spent.
        #expect(table.take(state: stolen, session: secret("s1"), now: start) == nil)
        let (late, intime) = (table.begin(3, session: secret("s1"), now: start), table.begin(4, session: secret("s1"), now: start))
        #expect(table.take(state: late, session: secret("s1"), now: start.advanced(by: .seconds(600))) == nil)
        #expect(table.take(state: intime, session: secret("s1"), now: start.advanced(by: .milliseconds(599_999))) == 4)
        #expect(table.count == 0)
    }

    @Test mutating func `a session that begins many ends its own oldest, and nobody else's`() {
        let other = table.begin(0, session: secret("s2"), now: start)
        let states = (1...21).map { table.begin($0, session: secret("s1"), now: start.advanced(by: .seconds($0))) }
        let now = start.advanced(by: .seconds(30))
        #expect(table.count == 21)
        #expect(table.take(state: states[0], session: secret("s1"), now: now) == nil)
        #expect(table.take(state: other, session: secret("s2"), now: now) == 0)
        for (at, state) in states.enumerated().dropFirst() { #expect(table.take(state: state, session: secret("s1"), now: now) == at + 1) }
    }

    @Test mutating func `where there is no room, the oldest of all goes`() {
        let states = (0..<52).map { table.begin($0, session: secret("s\($0)"), now: start) }
        #expect(table.count == 50)
        let left = states.enumerated().map { table.take(state: $1, session: secret("s\($0)"), now: start) }
        #expect(left == [nil, nil] + (2..<52).map { $0 })
    }

    @Test mutating func `those whose time is over make room, and what is spent leaves nothing`() {
        _ = (0..<10).map { table.begin($0, session: secret("old"), now: start) }
        let young = table.begin(10, session: secret("young"), now: start.advanced(by: .seconds(1)))
        _ = table.begin(11, session: secret("new"), now: start.advanced(by: .seconds(600)))
        #expect(table.count == 2)
        let now = start.advanced(by: .milliseconds(600_500))
        #expect(table.take(state: young, session: secret("young"), now: now) == 10)
        // Many more than there is room for, in turn begun and taken, in any order.
        for round in 0..<500 {
            let states = (0..<3).map { table.begin(round + $0, session: secret("s"), now: now) }
            for at in [1, 2, 0] { #expect(table.take(state: states[at], session: secret("s"), now: now) == round + at) }
        }
        #expect(table.count == 1)
    }
}
