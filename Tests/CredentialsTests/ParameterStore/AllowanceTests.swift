// Allowance, Circuit, Persistence: numbers and times, with a clock that is a number.

@testable import Credentials
import Gateway
import Kernel
import Outbound
import Testing

private func at(_ milliseconds: UInt64) -> MonotonicTime { MonotonicTime(nanoseconds: 1_000_000_000_000 + milliseconds * 1_000_000) }

@Suite struct AllowanceTests {
    @Test func `no span of a second has more calls than allowed, wherever it begins`() {
        var allowance = Allowance(Rate(count: 3, per: .seconds(1)))
        var taken: [UInt64] = []
        for time in stride(from: UInt64(0), to: 10_000, by: 7) {
            if (time / 400).isMultiple(of: 2), allowance.take(now: at(time)) { taken.append(time) }
        }
        for first in taken { #expect(taken.filter { $0 >= first && $0 < first + 1000 }.count <= 3) }
        #expect(taken.count >= 18)
    }

    @Test func `a third may go at once, the others at an even pace`() {
        var allowance = Allowance(Rate(count: 30, per: .seconds(1)))
        var atOnce = 0
        for _ in 0..<20 where allowance.take(now: at(0)) { atOnce += 1 }
        #expect(atOnce == 10)
        var gone: [UInt64] = []
        for time in UInt64(1)..<1000 where allowance.take(now: at(time)) { gone.append(time) }
        #expect(gone.count == 20 && gone.first == 34)
        for (one, other) in zip(gone, gone.dropFirst()) { #expect((33...34).contains(other - one)) }
        #expect(allowance.ready == at(1000))
    }

    @Test func `one a span is one, and then one when that is over`() {
        var allowance = Allowance(Rate(count: 1, per: .seconds(60)))
        let (first, early, ready) = (allowance.take(now: at(0)), allowance.take(now: at(59_999)), allowance.ready)
        #expect(first && !early && ready == at(60_000))
        let second = allowance.take(now: at(60_000))
        #expect(second)
    }

    @Test func `all of a rate is used where there is always something to do`() {
        for rate in [3, 7, 30, 100] {
            var allowance = Allowance(Rate(count: rate, per: .seconds(1)))
            var count = 0
            for time in UInt64(0)..<10_000 where allowance.take(now: at(time)) { count += 1 }
            #expect(count > rate * 9 && count <= rate * 10)
        }
    }
}

@Suite struct CircuitTests {
    private func fail(_ circuit: inout Circuit, _ time: UInt64, wish: Duration? = nil, random: UInt64 = .max) {
        guard case .admitted(let call) = circuit.admit(now: at(time)) else { return }
        circuit.failed(call, now: at(time), wish: wish, random: random)
    }

    private func opened(at time: UInt64 = 0) -> Circuit {
        var circuit = Circuit()
        for _ in 0..<5 { fail(&circuit, time) }
        return circuit
    }

    @Test func `five failures in a row open it, four and a success do not`() {
        var circuit = Circuit()
        for _ in 0..<4 { fail(&circuit, 0) }
        guard case .admitted(let call) = circuit.admit(now: at(0)) else { Issue.record("it is closed"); return }
        circuit.succeeded(call)
        for _ in 0..<4 { fail(&circuit, 0) }
        #expect(circuit.state == .closed)
        fail(&circuit, 0)
        #expect(circuit.state != .closed)
    }

    @Test func `open it refuses, and says for how long`() throws {
        var circuit = opened()
        let left = try #require(circuit.refusal(now: at(0)))
        #expect(left > .milliseconds(999) && left <= .seconds(1))
        #expect(circuit.admit(now: at(400)) == .refused(for: left - .milliseconds(400)))
    }

    @Test func `when its time is over one call tries, and nobody beside it`() {
        var circuit = opened()
        guard case .admitted(let call) = circuit.admit(now: at(1000)) else { Issue.record("its time is over"); return }
        #expect(circuit.state == .trying)
        #expect(circuit.admit(now: at(1000)) == .refused(for: .seconds(1)))
        circuit.succeeded(call)
        #expect(circuit.state == .closed && circuit.refusal(now: at(1000)) == nil)
    }

    @Test func `each try that fails opens it for longer, up to half a minute`() {
        var circuit = opened()
        var (time, lengths) = (UInt64(1000), [UInt64]())
        for _ in 0..<7 {
            fail(&circuit, time)
            guard case .open(let until) = circuit.state else { Issue.record("the try failed"); return }
            lengths.append((until.duration(since: at(time)) / .milliseconds(1)).rounded() == 0 ? 0 : UInt64((until.duration(since: at(time)) / .milliseconds(1)).rounded()))
            time += lengths.last ?? 0
            time += 1
        }
        #expect(lengths == [2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
    }

    @Test func `chance takes up to half of the time away`() throws {
        var circuit = Circuit()
        for _ in 0..<5 { fail(&circuit, 0, random: 0) }
        #expect(circuit.state == .open(until: at(500)))
    }

    @Test func `a wish to be left alone is kept, up to a minute`() {
        var circuit = Circuit()
        for _ in 0..<5 { fail(&circuit, 0, wish: .seconds(20)) }
        #expect(circuit.state == .open(until: at(20_000)))
        var longer = Circuit()
        for _ in 0..<5 { fail(&longer, 0, wish: .seconds(3600)) }
        #expect(longer.state == .open(until: at(60_000)))
    }

    @Test func `what was under way when it opened neither closes it nor opens it for longer`() {
        var circuit = Circuit()
        guard case .admitted(let early) = circuit.admit(now: at(0)) else { Issue.record("it is closed"); return }
        for _ in 0..<5 { fail(&circuit, 0) }
        let state = circuit.state
        circuit.succeeded(early)
        #expect(circuit.state == state)
        circuit.failed(early, now: at(500), wish: nil, random: .max)
        #expect(circuit.state == state)
    }

    @Test func `a try that nobody waits for decides nothing: the next one tries`() {
        var circuit = opened()
        guard case .admitted(let call) = circuit.admit(now: at(1000)) else { Issue.record("its time is over"); return }
        circuit.abandoned(call, now: at(1100))
        guard case .admitted = circuit.admit(now: at(1100)) else { Issue.record("nobody tries"); return }
    }
}

@Suite struct PersistenceTests {
    @Test func `three repetitions, each within a bound that doubles`() {
        let bounds: [UInt64] = [100, 200, 400]
        for (repetition, bound) in bounds.enumerated() {
            #expect(Persistence.next(repetition, now: at(0), deadline: at(9000), wish: nil, random: 0) == at(0))
            let latest = Persistence.next(repetition, now: at(0), deadline: at(9000), wish: nil, random: .max)
            #expect(latest.map { $0 > at(bound - 1) && $0 <= at(bound) } == true)
        }
        #expect(Persistence.next(3, now: at(0), deadline: at(9000), wish: nil, random: 0) == nil)
    }

    @Test func `a wish is kept, and one that lasts too long is the end`() {
        #expect(Persistence.next(0, now: at(0), deadline: at(9000), wish: .seconds(3), random: 0) == at(3000))
        #expect(Persistence.next(0, now: at(0), deadline: at(9000), wish: .seconds(9), random: 0) == nil)
    }
}

@Suite struct HTTPDateTests {
    @Test(arguments: [("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Thu, 29 Feb 2024 23:59:59 GMT", 1_709_251_199)])
    func `a date is read`(text: String, seconds: Int64) {
        #expect(HTTPDate.seconds(text) == seconds)
    }

    @Test(arguments: ["", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Nox 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 0é Nov 1994 08:49:37 GMT"])
    func `what is none is none`(text: String) {
        #expect(HTTPDate.seconds(text) == nil)
    }

    @Test(arguments: [("7", 7), ("0", 0), ("-1", nil), ("soon", nil), ("99999999999999999999", nil), ("900000", 86_400),
        ("Sun, 06 Nov 1994 08:49:47 GMT", 10), ("Sun, 06 Nov 1994 08:40:00 GMT", 0)] as [(String, Int?)])
    func `a wish is in seconds or a date`(text: String, seconds: Int?) {
        let response = OutboundResponse.text("", status: 503, fields: [("retry-after", text)])
        #expect(response.retryAfter(now: 784_111_777) == seconds.map { .seconds($0) })
    }
}
