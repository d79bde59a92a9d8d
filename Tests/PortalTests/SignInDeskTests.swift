// Proving an address by a code: what fits, how often, for whom, and what it says to strangers.

import Gateway
import Kernel
import Synchronization
import TLS
import Testing

@testable import Portal

@Suite struct SignInDeskTests {
    private let desk = SignInDesk(random: { 1_234_567_812_345_678 })
    private let now: Int64 = 1_790_000_000

    private func visit(_ n: UInt8) -> Digest256 { Digest256(hashing: [n].span.raw) }

    private func email(_ text: String) throws -> UserEmail { try #require(UserEmail(text)) }

    private func begin(_ address: String = "ann@acme.com", visit n: UInt8 = 1, admitted: Bool = true, source: String = "192.0.2.1", at time: Int64? = nil) throws -> String? {
        try desk.begin(email(address), at: "/connect/acme", visit: visit(n), isAdmitted: admitted, source: source, now: time ?? now)
    }

    private func redeem(_ code: String, visit n: UInt8 = 1, place: String = "/connect/acme", at time: Int64? = nil) -> SignInDesk.Answer {
        desk.redeem(code, at: place, visit: visit(n), now: time ?? now)
    }

    @Test func `a code is eight digits and proves the address once`() throws {
        let code = try #require(try begin())
        #expect(code.utf8.count == 8 && code.utf8.allSatisfy { (48...57).contains($0) })
        #expect(try redeem(" \(code.prefix(4))-\(code.suffix(4)) ") == .proved(email("ann@acme.com")))
        #expect(redeem(code) == .none)
    }

    @Test func `it is good in its own browser, for its own place, for ten minutes`() throws {
        let code = try #require(try begin())
        #expect(redeem(code, visit: 2) == .none)
        #expect(redeem(code, place: "/connect/other") == .none)
        #expect(redeem(code, place: "/admin") == .none)
        #expect(redeem(code, at: now + SignInDesk.life) == .none)
        #expect(try redeem(code, at: now + SignInDesk.life - 1) == .proved(email("ann@acme.com")))
    }

    @Test func `five wrong tries use it up`() throws {
        let code = try #require(try begin())
        for left in [4, 3, 2, 1] { #expect(redeem("00000000") == .wrong(left: left)) }
        #expect(redeem("00000000") == .none)
        #expect(redeem(code) == .none)
    }

    @Test func `whoever may not use the link is answered the same, and no code fits`() throws {
        #expect(try begin(admitted: false) == nil)
        #expect(try desk.awaited(at: "/connect/acme", visit: visit(1), now: now) == email("ann@acme.com"))
        for left in [4, 3, 2, 1] { #expect(redeem("12345678") == .wrong(left: left)) }
        #expect(redeem("12345678") == .none)
    }

    @Test func `another code puts the first out of use`() throws {
        let desk = SignInDesk(random: Counting().next)
        let first = try #require(try desk.begin(email("a@b.co"), at: "/p", visit: visit(1), isAdmitted: true, source: "s", now: now))
        let second = try #require(try desk.begin(email("a@b.co"), at: "/p", visit: visit(1), isAdmitted: true, source: "s", now: now))
        #expect(first != second && desk.redeem(first, at: "/p", visit: visit(1), now: now) == .wrong(left: 4))
        #expect(try desk.redeem(second, at: "/p", visit: visit(1), now: now) == .proved(email("a@b.co")))
    }

    @Test func `an address gets five codes an hour and twenty a day, from wherever they are asked for`() throws {
        var given = 0
        for minute in 0..<(24 * 60) {
            do {
                _ = try begin(visit: UInt8(minute % 250), admitted: minute % 2 == 0, source: "192.0.2.\(minute % 200)", at: now + Int64(minute) * 60)
                given += 1
            } catch {
                #expect(error as? SignInDesk.Refusal == .address)
            }
            if minute == 59 { #expect(given == 5) }
        }
        #expect(given == 20)
        #expect(try begin("other@acme.com", source: "192.0.2.9") != nil)
    }

    @Test func `a source gets twenty an hour, for whomever`() throws {
        for n in 0..<20 { _ = try begin("u\(n)@acme.com") }
        #expect(throws: SignInDesk.Refusal.source) { _ = try begin("u21@acme.com") }
        #expect(try begin("u21@acme.com", source: "192.0.2.2") != nil)
        #expect(try begin("u22@acme.com", at: now + 3601) != nil)
    }

    /// What the chance of guessing comes to: five tries at each of twenty codes a day, of 10^8.
    @Test func `guessing an address is a matter of one in a million days`() {
        #expect(Double(SignInDesk.tries * 20) / 1e8 <= 1e-6)
    }

    @Test func `limits do not grow without bound`() {
        var limits = AttemptLimits(limits: [AttemptLimits.Limit(count: 1, seconds: 10)], most: 3)
        for n in 0..<3 { limits.note(visit(UInt8(n)), 100) }
        let (early, late, again) = (limits.allows(visit(9), 105), limits.allows(visit(9), 111), limits.allows(visit(0), 111))
        #expect(!early && late && again)
    }
}

private final class Counting: Sendable {
    private let count = Atomic<UInt64>(0)
    func next() -> UInt64 { count.add(97, ordering: .relaxed).newValue }
}
