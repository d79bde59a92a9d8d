// Who goes first, and that nobody is kept from going by a flood of others.

@testable import Credentials
import Gateway
import Kernel
import Testing

@Suite struct CallQueueTests {
    private static let start = MonotonicTime(nanoseconds: 1_000_000_000_000)

    private func queue(capacity: Int = 20_000) -> CallQueue<Int> {
        CallQueue(company: (.milliseconds(2), .seconds(1)), patience: (.seconds(9), .seconds(600)), capacity: capacity) { reference in
            reference.path.split(separator: "/").first ?? ""
        }
    }

    private func reference(_ project: String, _ number: Int) throws -> Reference {
        try #require(Reference(path: "/\(project)/shared/s\(number)"))
    }

    /// What leaves, call by call, while the allowance gives one call every tenth of a second.
    private func calls(_ queue: inout CallQueue<Int>, _ count: Int, from now: MonotonicTime) -> [[Order<Int>]] {
        var allowance = Allowance(Rate(count: 10, per: .seconds(1)))
        var (now, calls) = (now, [[Order<Int>]]())
        while calls.count < count {
            if case .depart(let orders, _, _) = queue.next(now: now, &allowance) { calls.append(orders) }
            now = now.advanced(by: .milliseconds(100))
        }
        return calls
    }

    @Test func `what was deposited goes before a flood of what was not, which still has a call of four`() throws {
        var queue = queue()
        for number in 0..<5000 { #expect(queue.board(try reference("acme", number), .speculative, seat: Seat(), now: CallQueueTests.start) == true) }
        for number in 5000..<5030 { #expect(queue.board(try reference("acme", number), .waiting, seat: Seat(), now: CallQueueTests.start) == true) }
        let calls = calls(&queue, 5, from: CallQueueTests.start.advanced(by: .seconds(1)))
        let known = calls.map { $0.count { $0.urgency == .waiting } }
        #expect(known == [10, 10, 10, 0, 0])
    }

    @Test func `what is read ahead has a call of four, however many wait`() throws {
        var queue = queue()
        for number in 0..<400 { #expect(queue.board(try reference("acme", number), .waiting, seat: Seat(), now: CallQueueTests.start) == true) }
        for number in 400..<420 { #expect(queue.board(try reference("acme", number), .ahead, seat: Seat(), now: CallQueueTests.start) == true) }
        let ahead = calls(&queue, 8, from: CallQueueTests.start.advanced(by: .seconds(2))).map { $0.count { $0.urgency == .ahead } }
        #expect(ahead == [0, 0, 10, 0, 0, 0, 10, 0])
    }

    @Test func `projects take turns`() throws {
        var queue = queue()
        for number in 0..<1000 { #expect(queue.board(try reference("loud", number), .waiting, seat: Seat(), now: CallQueueTests.start) == true) }
        for number in 0..<3 { #expect(queue.board(try reference("calm", number), .waiting, seat: Seat(), now: CallQueueTests.start.advanced(by: .seconds(1))) == true) }
        let first = calls(&queue, 1, from: CallQueueTests.start.advanced(by: .seconds(2)))[0]
        #expect(first.count { $0.reference.path.hasPrefix("/calm/") } == 3)
        #expect(first.count == 10)
    }

    @Test func `of one project the older go first`() throws {
        var queue = queue()
        for number in 0..<25 { #expect(queue.board(try reference("acme", number), .waiting, seat: Seat(), now: CallQueueTests.start) == true) }
        let order = calls(&queue, 3, from: CallQueueTests.start.advanced(by: .seconds(1))).flatMap { $0.map(\.reference.path) }
        #expect(order == (0..<25).map { "/acme/shared/s\($0)" })
    }

    @Test func `strangers get half of the room`() throws {
        var queue = queue(capacity: 10)
        var taken = 0
        for number in 0..<10 where queue.board(try reference("acme", number), .speculative, seat: Seat(), now: CallQueueTests.start) { taken += 1 }
        #expect(taken == 5)
        #expect(queue.board(try reference("acme", 99), .waiting, seat: Seat(), now: CallQueueTests.start) == true)
    }

    @Test func `one who knows better takes the others along, once`() throws {
        var queue = queue()
        let one = try reference("acme", 1)
        #expect(queue.board(one, .ahead, seat: Seat(), now: CallQueueTests.start) == true)
        #expect(queue.board(one, .speculative, seat: Seat(), now: CallQueueTests.start) == true)
        #expect(queue.board(one, .waiting, seat: Seat(), now: CallQueueTests.start) == true)
        #expect(queue.count == 1 && queue.seats(at: one) == 3)
        let calls = calls(&queue, 1, from: CallQueueTests.start.advanced(by: .milliseconds(2)))
        #expect(calls[0].map(\.urgency) == [.waiting])
        #expect(calls[0][0].seats.count == 3)
        #expect(queue.count == 0)
    }

    @Test func `who leaves is not asked for, and who waits too long is given up, of every kind`() throws {
        var queue = queue()
        let seat = Seat<Int>()
        for (number, urgency) in ReadUrgency.allCases.enumerated() {
            #expect(queue.board(try reference("acme", number), urgency, seat: seat, now: CallQueueTests.start) == true)
            #expect(queue.board(try reference("acme", number + 10), urgency, seat: Seat(), now: CallQueueTests.start) == true)
            queue.leave(try reference("acme", number), seat)
        }
        #expect(queue.count == 3)
        #expect(queue.givenUp(now: CallQueueTests.start.advanced(by: .seconds(9))).map(\.urgency) == [.waiting, .speculative])
        #expect(queue.givenUp(now: CallQueueTests.start.advanced(by: .seconds(600))).map(\.urgency) == [.ahead])
        #expect(queue.count == 0)
        var allowance = Allowance(Rate(count: 10, per: .seconds(1)))
        let step = queue.next(now: CallQueueTests.start.advanced(by: .seconds(700)), &allowance)
        if case .idle = step {} else { Issue.record("something is left") }
    }
}
