// The counts that all workers share: nothing is let in beyond a limit, nothing that left still counts.

import Gateway
import Kernel
import TLS
import Testing

@testable import Proxy

@Suite struct SharedLimitsTests {
    private func limits(connections: Int, perAddress: Int? = nil) -> Limits {
        var limits = Limits()
        limits.connections = connections
        limits.perAddress = perAddress
        return limits
    }

    private let here = SocketAddress.v4([127, 0, 0, 1], port: 4000)
    private let there = SocketAddress.v4([127, 0, 0, 2], port: 4000)

    @Test func `the connection after the last is full, and one that leaves makes room`() {
        let shared = ConnectionLimits()
        let limits = limits(connections: 2)
        #expect(shared.enter(here, limits, isPublic: true) == .taken)
        #expect(shared.enter(here, limits, isPublic: true) == .taken)
        #expect(shared.enter(here, limits, isPublic: true) == .full)
        shared.leave(.full, here)
        #expect(shared.enter(here, limits, isPublic: true) == .full)
        shared.leave(.taken, here)
        #expect(shared.enter(here, limits, isPublic: true) == .taken)
    }

    @Test func `whoever came before addresses had a limit takes nobody's place when they leave`() {
        let shared = ConnectionLimits()
        let before = shared.enter(here, limits(connections: 10), isPublic: true)
        let limits = limits(connections: 10, perAddress: 1)
        #expect(before == .taken)
        #expect(shared.enter(here, limits, isPublic: true) == .takenOfAddress)
        shared.leave(before, here)
        #expect(shared.enter(here, limits, isPublic: true) == .full)
    }

    @Test func `one address's limit is not another's`() {
        let shared = ConnectionLimits()
        let limits = limits(connections: 10, perAddress: 1)
        #expect(shared.enter(here, limits, isPublic: true) == .takenOfAddress)
        #expect(shared.enter(here, limits, isPublic: true) == .full)
        #expect(shared.enter(there, limits, isPublic: true) == .takenOfAddress)
        shared.leave(.takenOfAddress, here)
        #expect(shared.enter(here, limits, isPublic: true) == .takenOfAddress)
    }

    @Test func `a client of IPv6 has its network of 64 bits, and one of IPv4 has one address however it is spelled`() {
        let shared = ConnectionLimits()
        let limits = limits(connections: 10, perAddress: 1)
        func six(_ network: UInt8, _ host: UInt8) -> SocketAddress { .v6([0x20, 1, 0x0d, 0xb8, 0, 0, 0, network] + Array(repeating: host, count: 8), port: 4000, scope: 0) }
        #expect(shared.enter(six(1, 1), limits, isPublic: true) == .takenOfAddress)
        #expect(shared.enter(six(1, 2), limits, isPublic: true) == .full)
        #expect(shared.enter(six(2, 1), limits, isPublic: true) == .takenOfAddress)
        shared.leave(.takenOfAddress, six(1, 3))
        #expect(shared.enter(six(1, 2), limits, isPublic: true) == .takenOfAddress)
        #expect(shared.enter(here, limits, isPublic: true) == .takenOfAddress)
        #expect(shared.enter(.v6(Array(repeating: 0, count: 10) + [0xff, 0xff, 127, 0, 0, 1], port: 4001, scope: 0), limits, isPublic: true) == .full)
    }

    @Test func `one that was refused by its address does not count among all`() {
        let shared = ConnectionLimits()
        let limits = limits(connections: 2, perAddress: 1)
        #expect(shared.enter(here, limits, isPublic: true) == .takenOfAddress)
        for _ in 0..<5 { #expect(shared.enter(here, limits, isPublic: true) == .full) }
        #expect(shared.enter(there, limits, isPublic: true) == .takenOfAddress)
    }

    @Test func `the administration's doors stay open`() {
        let shared = ConnectionLimits()
        let limits = limits(connections: 1)
        #expect(shared.enter(here, limits, isPublic: true) == .taken)
        #expect(shared.enter(here, limits, isPublic: false) == .uncounted)
    }

    @Test func `a user's streams count for that user in that project alone`() throws {
        let seats = StreamSeats()
        let acme = try #require(ProjectName("acme"))
        let other = try #require(ProjectName("other"))
        let alice = Digest256(words: (1, 2, 3, 4))
        let seat = StreamSeats.Seat(project: acme, user: alice)
        #expect(seats.enter(seat, limit: 1))
        #expect(!seats.enter(seat, limit: 1))
        #expect(seats.enter(StreamSeats.Seat(project: other, user: alice), limit: 1))
        #expect(seats.enter(StreamSeats.Seat(project: acme, user: Digest256(words: (1, 2, 3, 5))), limit: 1))
        seats.leave(seat)
        #expect(seats.enter(seat, limit: 1))
    }
}

@Suite struct RateCellTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000_000)

    private func after(_ duration: Duration) -> MonotonicTime { start.advanced(by: duration) }

    @Test func `a whole period's count may come at once, and no more`() {
        let cell = RateCell(Rate(count: 10, per: .seconds(1)))
        for _ in 0..<10 { #expect(cell.wait(now: start) == nil) }
        let wait = cell.wait(now: start)
        #expect(wait == .milliseconds(100))
    }

    @Test func `after the wait it told, the next one passes`() {
        let cell = RateCell(Rate(count: 10, per: .seconds(1)))
        for _ in 0..<10 { _ = cell.wait(now: start) }
        #expect(cell.wait(now: after(.milliseconds(99))) != nil)
        #expect(cell.wait(now: after(.milliseconds(100))) == nil)
        #expect(cell.wait(now: after(.milliseconds(100))) != nil)
    }

    @Test func `over a long time no more than the rate passes`() {
        let cell = RateCell(Rate(count: 100, per: .seconds(1)))
        var passed = 0
        for millisecond in 0..<10_000 where cell.wait(now: after(.milliseconds(millisecond))) == nil { passed += 1 }
        #expect((1_095...1_105).contains(passed))
    }
}
