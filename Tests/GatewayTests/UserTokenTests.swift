// A key whose users come in signed tokens: what is asked, what is remembered, and that the token decides.

import Gateway
import HTTP1
import Kernel
import TLS
import Testing

@Suite struct UserTokenTests {
    private static let moment = MonotonicTime(nanoseconds: 1_000)
    private static let token = "eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl"

    private static func vouched(_ address: String, until: UInt64 = 2_000) throws -> VouchedUser {
        VouchedUser(try #require(UserEmail(address)), until: MonotonicTime(nanoseconds: until))
    }

    /// Who is admitted, or the refusal's code; with a remembering worker's way of asking twice.
    private static func ask(
        _ lines: [String], _ snapshot: Snapshot? = nil, memo: IdentityMemo? = nil, at now: MonotonicTime = moment, vouched: VouchedUser? = nil,
        path: String = "/mcp/docs"
    ) throws -> String {
        let input = Sample.bytes(["POST \(path) HTTP/1.1", "Host: gw", "x-api-key: \(Sample.tokenKey)"] + lines)
        var head = RequestHead()
        var scan = HeadScan()
        #expect(try head.parse(input.span.raw, scan: &scan, limits: HeadLimits()))
        var detail = RouteDetail()
        let snapshot = try snapshot ?? Sample.snapshot()
        do {
            switch try snapshot.admit(head, input.span.raw, wallClock: Sample.wallClock, recalling: memo, at: now, vouched: vouched, noting: &detail) {
            case .relay(let admission): return admission.caller.user.text
            case .unproven(let rule, let range):
                #expect(rule === Sample.rule && detail.key != nil && detail.user == nil)
                return "verify \(String(decoding: input.span.raw[range].copied(), as: UTF8.self))"
            case .portal, .preflight: return "elsewhere"
            }
        } catch { return error.code.rawValue }
    }

    @Test func `one token is asked for, and no address`() throws {
        #expect(try Self.ask(["x-user-token: \(Self.token)"]) == "verify \(Self.token)")
        #expect(try Self.ask([]) == "unauthenticated")
        #expect(try Self.ask(["x-user-email: ana@acme.com"]) == "unauthenticated")
        #expect(try Self.ask(["x_user_token: \(Self.token)"]) == "unauthenticated")
        #expect(try Self.ask(["x-user-token: \(Self.token)", "X-User-Token: \(Self.token)"]) == "unauthenticated")
    }

    @Test func `a key without tokens goes by the address, whatever token comes along`() throws {
        let lines = ["x-api-key: \(Sample.key)", "x-user-email: ana@acme.com", "x-user-token: nonsense"]
        let input = Sample.bytes(["POST /mcp/docs HTTP/1.1", "Host: gw"] + lines)
        var head = RequestHead()
        var scan = HeadScan()
        #expect(try head.parse(input.span.raw, scan: &scan, limits: HeadLimits()))
        var detail = RouteDetail()
        guard case .relay(let admission) = try Sample.snapshot().admit(head, input.span.raw, wallClock: Sample.wallClock, noting: &detail) else {
            Issue.record("not admitted")
            return
        }
        #expect(admission.caller.user.text == "ana@acme.com")
    }

    @Test func `whom the token names is the user, within the navigator's users`() throws {
        let line = "x-user-token: \(Self.token)"
        #expect(try Self.ask([line], vouched: Self.vouched("ana@acme.com")) == "ana@acme.com")
        #expect(try Self.ask([line], vouched: Self.vouched("ana@evil.com")) == "user_not_allowed")
        #expect(try Self.ask([line], vouched: Self.vouched("ana@acme.com"), path: "/mcp/none") == "unknown_server")
    }

    @Test func `an address beside the token says the same, or the request is refused`() throws {
        let line = "x-user-token: \(Self.token)"
        let ana = try Self.vouched("ana@acme.com")
        for same in ["ana@acme.com", "ANA@Acme.com", " ana@acme.com "] { #expect(try Self.ask([line, "x-user-email: \(same)"], vouched: ana) == "ana@acme.com") }
        #expect(try Self.ask([line, "x-user-email: bob@acme.com"], vouched: ana) == "user_not_allowed")
        for none in ["ana", "", "ana@acme.com, bob@acme.com"] { #expect(try Self.ask([line, "x-user-email: \(none)"], vouched: ana) == "bad_email") }
        #expect(try Self.ask([line, "x-user-email: ana@acme.com", "x-user-email: ana@acme.com"], vouched: ana) == "bad_email")
    }

    @Test func `a token is remembered to its end, to the byte, by its rule and under its snapshot`() throws {
        let snapshot = try Sample.snapshot()
        let memo = IdentityMemo(tokens: 2)
        let text = Array(Self.token.utf8)
        memo.note(try Self.vouched("ana@acme.com"), provenBy: text.span.raw, Sample.rule, under: snapshot)
        let line = "x-user-token: \(Self.token)"
        #expect(try Self.ask([line], snapshot, memo: memo) == "ana@acme.com")
        #expect(try Self.ask([line], snapshot, memo: memo, at: MonotonicTime(nanoseconds: 1_999)) == "ana@acme.com")
        #expect(try Self.ask([line], snapshot, memo: memo, at: MonotonicTime(nanoseconds: 2_000)).hasPrefix("verify"))
        #expect(try Self.ask([line], snapshot, memo: memo, at: .never).hasPrefix("verify"))
        #expect(try Self.ask([line.replacing("c2ln", with: "c2lN")], snapshot, memo: memo).hasPrefix("verify"))
        #expect(try Self.ask([line], Sample.snapshot(), memo: memo).hasPrefix("verify"))
        let other = UserTokenRule(issuer: "https://login.example", audience: "claviger")
        let second = IdentityMemo()
        second.note(try Self.vouched("ana@acme.com"), provenBy: text.span.raw, other, under: snapshot)
        #expect(try Self.ask([line], snapshot, memo: second).hasPrefix("verify"))
        memo.sweep(now: MonotonicTime(nanoseconds: 2_000))
        #expect(try Self.ask([line], snapshot, memo: memo).hasPrefix("verify"))
    }

    @Test func `a rule's digest tells rules apart by what they say`() {
        func digest(_ keys: UserTokenRule.Keys = .discovered, _ audience: String = "a", _ claim: String = "email") -> [UInt64] {
            let words = UserTokenRule(issuer: "https://i", audience: audience, claim: claim, keys: keys).digest.words
            return [words.0, words.1, words.2, words.3]
        }
        #expect(digest() == digest())
        #expect(Set([digest(), digest(.url("/x")), digest(.file("/x")), digest(.discovered, "b"), digest(.discovered, "a", "upn")]).count == 5)
    }
}
