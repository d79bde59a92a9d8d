// Whether too much waits is told by the luckiest of a while, and an address by what it has used.

import Gateway
import Kernel
import Testing

@testable import Proxy

@Suite struct StrainTests {
    private func at(_ milliseconds: Int) -> MonotonicTime { MonotonicTime(nanoseconds: 1_000_000_000 + UInt64(milliseconds) * 1_000_000) }

    @Test func `one that was late among many says nothing`() {
        var strain = Strain()
        for step in 0..<100 { strain.note(step % 10 == 0 ? 400 : step % 3, now: at(step * 10)) }
        #expect(!strain.isOver)
    }

    @Test func `where even the luckiest waited too long too much waits, until it does not`() {
        var strain = Strain()
        for step in 0..<20 { strain.note(Strain.target + 1 + step % 7, now: at(step * 10)) }
        #expect(strain.isOver && strain.waited == Strain.target + 1)
        // Every request is asked then; before, one every ten milliseconds.
        #expect(strain.due == at(190))
        for step in 20..<45 { strain.note(step % 4, now: at(step * 10)) }
        #expect(!strain.isOver && strain.isWary(now: at(450)) && strain.due == at(440))
        for step in 45..<145 { strain.note(0, now: at(step * 10)) }
        #expect(!strain.isWary(now: at(1450)) && strain.due == at(1450))
    }

    @Test func `where nobody asks any more nothing waits`() {
        var strain = Strain()
        for step in 0..<20 { strain.note(200, now: at(step * 10)) }
        strain.expire(now: at(300))
        #expect(strain.isOver)
        strain.expire(now: at(390))
        #expect(!strain.isOver && strain.waited == 0)
    }

    @Test func `a long wait outside makes wary, and is no sign that too much is to be done`() {
        var strain = Strain()
        strain.noteBacklog(Strain.target, now: at(0))
        #expect(!strain.isWary(now: at(0)) && strain.backlogDue == at(10))
        strain.noteBacklog(Strain.target + 1, now: at(10))
        #expect(strain.isWary(now: at(10)) && !strain.isOver && strain.backlogDue == at(10))
        #expect(strain.isWary(now: at(1009)) && !strain.isWary(now: at(1010)))
    }

    @Test(arguments: [(64, 40), (256, 224), (1024, 896), (20_000, 18_976), (1_000_000, 998_976)])
    func `some descriptors are kept for those who are in`(limit: Int, last: Int) {
        let room = DescriptorRoom(limit: limit)
        #expect(room.last == last && room.isNearEnd(Int32(last)) && !room.isNearEnd(Int32(last - 1)))
    }
}

@Suite struct NewcomersTests {
    private func at(_ milliseconds: Int) -> MonotonicTime { MonotonicTime(nanoseconds: 1_000_000_000 + UInt64(milliseconds) * 1_000_000) }

    /// How many are let in at `time`, each of whom says nothing.
    private func letIn(_ newcomers: inout Newcomers, at time: MonotonicTime) -> Int {
        var count = 0
        while newcomers.hasRoom(now: time), count < 1000 {
            newcomers.enter(now: time)
            count += 1
        }
        return count
    }

    @Test func `whoever has asked makes room for another`() {
        var newcomers = Newcomers()
        let first = letIn(&newcomers, at: at(0))
        let behind = letIn(&newcomers, at: at(1))
        newcomers.leave()
        let after = letIn(&newcomers, at: at(99))
        #expect(first == Newcomers.most && behind == 0 && after == 1)
    }

    @Test func `those who say nothing hold nobody up for long`() {
        var newcomers = Newcomers()
        let counts = [0, 150, 250, 260, 1000].map { letIn(&newcomers, at: at($0)) }
        #expect(counts == [Newcomers.most, 0, Newcomers.most, 0, Newcomers.most])
    }

    @Test func `one who leaves late takes nobody's place`() {
        var newcomers = Newcomers()
        let early = letIn(&newcomers, at: at(0))
        _ = newcomers.hasRoom(now: at(1000))
        for _ in 0..<early { newcomers.leave() }
        let late = letIn(&newcomers, at: at(1000))
        #expect(late == Newcomers.most)
    }
}

@Suite struct AddressRatesTests {
    private let now = MonotonicTime(nanoseconds: 1_000_000_000)

    @Test func `each address has its own rate, and a network of IPv6 one`() throws {
        let rates = AddressRates(Rate(count: 2, per: .seconds(1)))
        func wait(_ text: String, _ time: MonotonicTime? = nil) throws -> Duration? { rates.wait(for: try #require(IPAddress(text)), now: time ?? now) }
        for address in ["10.0.0.1", "10.0.0.2", "2001:db8::1", "2001:db8:0:1::1"] {
            #expect(try wait(address) == nil && wait(address) == nil)
            #expect(try wait(address) == .milliseconds(500))
        }
        #expect(try wait("2001:db8::ffff") == .milliseconds(500))
        #expect(try wait("::ffff:10.0.0.1") == .milliseconds(500))
        #expect(try wait("10.0.0.1", now.advanced(by: .milliseconds(500))) == nil)
    }

    @Test func `however many addresses come, few are remembered`() throws {
        let rates = AddressRates(Rate(count: 1, per: .seconds(1)))
        for number in 0..<200_000 {
            let bytes = [10, UInt8(number >> 16), UInt8(number >> 8 & 255), UInt8(number & 255)]
            #expect(rates.wait(for: try #require(IPAddress(bytes: bytes)), now: now.advanced(by: .milliseconds(number))) == nil)
        }
    }

    @Test func `what is used stays used where the rate stays, and no other way`() throws {
        var limits = Limits()
        #expect(AddressRates.of(limits, after: nil) == nil)
        limits.perAddressRate = Rate(count: 5, per: .seconds(1))
        let first = try #require(AddressRates.of(limits, after: nil))
        #expect(AddressRates.of(limits, after: first) === first)
        limits.perAddressRate = Rate(count: 6, per: .seconds(1))
        #expect(AddressRates.of(limits, after: first) !== first)
    }
}
