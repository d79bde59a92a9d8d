// However many ask during a turn, they make exactly one more.

import EventLoop
import Synchronization
import Testing

@testable import claviger

struct SharedTurnsTests {
    /// Turns that end when they are told to, each with its number.
    private final class Gate: Sendable {
        let parties = Mutex<[[Int]]>([])
        private let begun: AsyncStream<Void>
        private let began: AsyncStream<Void>.Continuation
        private let permits: AsyncStream<Void>
        let permit: AsyncStream<Void>.Continuation

        init() {
            (begun, began) = AsyncStream.makeStream(of: Void.self)
            (permits, permit) = AsyncStream.makeStream(of: Void.self)
        }

        /// Waits until another turn has begun.
        func next() async {
            for await _ in begun { break }
        }

        func turn(_ askers: [Int]) async -> Int {
            let number = parties.withLock { parties in
                parties.append(askers)
                return parties.count
            }
            began.yield()
            for await _ in permits { break }
            return number
        }
    }

    @Test func `those who come during a turn share the next, and nobody is answered by one that began before he asked`() async throws {
        let gate = Gate()
        let turns = SharedTurns<Int, Int>(on: try .started(name: "turns")) { await gate.turn($0) }
        async let first = turns.take(0)
        await gate.next()
        await withTaskGroup(of: Int.self) { group in
            for asker in 1...1000 { group.addTask { await turns.take(asker) } }
            // All of them are there before the first turn may end.
            while await turns.count < 1000 { await Task.yield() }
            gate.permit.yield()
            await gate.next()
            gate.permit.yield()
            for await number in group { #expect(number == 2) }
        }
        #expect(await first == 1)
        let parties = gate.parties.withLock { $0 }
        #expect(parties.map(\.count) == [1, 1000])
        #expect(parties.last.map { Set($0) } == Set(1...1000))
        async let later = turns.take(7)
        await gate.next()
        gate.permit.yield()
        #expect(await later == 3)
    }
}
