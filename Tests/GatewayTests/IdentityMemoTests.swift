// What is remembered changes no answer.

import Gateway
import HTTP1
import Kernel
import TLS
import Testing

@Suite struct IdentityMemoTests {
    static func ask(_ snapshot: Snapshot, _ memo: IdentityMemo?, key: String, user: String, at wallClock: Int64 = Sample.wallClock) throws -> String {
        let input = Sample.bytes(["POST /mcp/docs HTTP/1.1", "Host: gw", "x-api-key: \(key)", "x-user-email: \(user)"])
        var head = RequestHead()
        var scan = HeadScan()
        #expect(try head.parse(input.span.raw, scan: &scan, limits: HeadLimits()))
        var detail = RouteDetail()
        do {
            guard case .relay(let admission) = try snapshot.admit(head, input.span.raw, wallClock: wallClock, recalling: memo, noting: &detail)
            else { return "elsewhere" }
            return "\(admission.caller.key.id) \(admission.caller.user.text) \(admission.caller.user.digest.words.0)"
        } catch { return error.code.rawValue }
    }

    @Test func `with a memo, even a tiny one, every answer is the same as without`() throws {
        let snapshots = [try Sample.snapshot(), try Sample.snapshot()]
        let memo = IdentityMemo(keys: 2, users: 2)
        let keys = [
            Sample.key, Sample.everyonesKey, Sample.expiredKey, "ck_7q2m4k.\(Sample.otherSecret)", "ck_nobody.\(Sample.secret)",
            "ck_7q2m4k.\(Sample.secret.dropLast())A",
        ]
        let users = ["ana@acme.com", "ANA@acme.com", "bob@acme.com", "a@b", "A@B", "ana@acme.com.", "ana@acme.co", "bna@acme.com", "@", "ana@@cme.com"]
        var random = SeededRandom(seed: 6)
        for _ in 0..<1000 {
            let snapshot = snapshots[Int.random(in: 0...1, using: &random)]
            let key = keys.randomElement(using: &random) ?? ""
            let user = users.randomElement(using: &random) ?? ""
            #expect(try Self.ask(snapshot, memo, key: key, user: user) == Self.ask(snapshot, nil, key: key, user: user))
        }
    }

    @Test func `a remembered key expires all the same`() throws {
        let snapshot = try Sample.snapshot()
        let memo = IdentityMemo()
        #expect(try Self.ask(snapshot, memo, key: Sample.everyonesKey, user: "a@b.c").hasPrefix("anyone1"))
        #expect(try Self.ask(snapshot, memo, key: Sample.everyonesKey, user: "a@b.c", at: Sample.wallClock + 1) == "unauthenticated")
    }

    @Test func `what is asked again and again is remembered, as one object, whatever the spelling`() throws {
        let snapshot = try Sample.snapshot()
        let memo = IdentityMemo()
        let first = try Self.admission(snapshot, memo, user: "ann@acme.com")
        #expect(try Self.admission(snapshot, memo, user: "ann@acme.com") === first)
        #expect(try Self.admission(snapshot, memo, user: "ANN@ACME.com") === first)
        #expect(try Self.admission(snapshot, memo, user: "bob@acme.com") !== first)
        #expect(try Self.admission(try Sample.snapshot(), memo, user: "ann@acme.com") !== first)
    }

    @Test func `addresses that begin and end alike have places of their own`() {
        var places: Set<Int> = []
        for number in 0..<1000 {
            let text = Array("customer-number-\(number)@a-long-domain.example.com".utf8)
            places.insert(IdentityMemo.place(of: text.span.raw) & 4094)
        }
        // 1,000 thrown into 2,047 pairs of places: about 790 pairs are hit when the throws are even.
        #expect(places.count > 700)
    }

    private static func admission(_ snapshot: Snapshot, _ memo: IdentityMemo, user: String) throws -> Admission? {
        let input = Sample.bytes(["POST /mcp/docs HTTP/1.1", "Host: gw", "x-api-key: \(Sample.everyonesKey)", "x-user-email: \(user)"])
        var head = RequestHead()
        var scan = HeadScan()
        #expect(try head.parse(input.span.raw, scan: &scan, limits: HeadLimits()))
        var detail = RouteDetail()
        guard case .relay(let admission) = try snapshot.admit(
            head, input.span.raw, wallClock: Sample.wallClock, recalling: memo, noting: &detail)
        else { return nil }
        return admission
    }
}
