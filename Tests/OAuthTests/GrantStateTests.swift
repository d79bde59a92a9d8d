// The life of a grant, step by step, with a clock of its own.

import Gateway
import Kernel
@testable import OAuth
import Testing

@Suite struct GrantStateTests {
    /// A grant that was loaded, seen from outside: what is wanted, and what is to be done.
    private struct Stage {
        var state = GrantState()
        var now = MonotonicTime(nanoseconds: 1_000_000_000_000)

        init(refresh: String? = "r1", generation: Int = 1) {
            _ = state.want(now: now, share: 0)
            state.loaded(Stage.record(refresh, generation), now: now, wallNow: 1000)
        }

        static func secret(_ text: String) -> Secret { Secret(copying: Array(text.utf8).span.raw) }

        static func record(_ refresh: String?, _ generation: Int) -> GrantRecord {
            GrantRecord(key: refresh.map { .refreshToken(secret($0)) } ?? .accessToken(secret("eternal"), expires: nil), issuer: "https://i", client: "c", scopes: [], generation: generation, origin: nil, resource: nil)
        }

        static func tokens(_ access: String, refresh: String? = nil, life: Duration? = .seconds(3600)) -> TokenAnswer {
            .tokens(.init(access: secret(access), refresh: refresh.map(secret), life: life, scopes: nil, identity: nil))
        }

        static func refused(_ kind: TokenAnswer.Refused.Kind) -> TokenAnswer { .refused(.init(kind: kind, words: "no")) }

        mutating func wait(_ duration: Duration) { now = now.advanced(by: duration) }

        /// What one who wants a token is told, and what is to be done about it.
        mutating func want(storeIsOpen: Bool = false) -> (told: String, step: String) {
            let (verdict, step) = state.want(now: now, storeIsOpen: storeIsOpen, share: 0)
            let told =
                switch verdict {
                case .token(let token): Stage.text(token.value)
                case .wait: "wait"
                case .missing: "missing"
                case .disconnected: "disconnected"
                case .unavailable: "unavailable"
                }
            return (told, Stage.name(step))
        }

        mutating func answer(_ answer: TokenAnswer) -> String { Stage.name(state.answered(answer, now: now, share: 0)) }

        /// Has a token of that life, by one refresh.
        mutating func has(_ access: String, life: Duration? = .seconds(3600)) {
            _ = want()
            _ = answer(Stage.tokens(access, life: life))
        }

        static func text(_ secret: Secret) -> String { String(decoding: secret.bytes.copied(), as: UTF8.self) }

        static func name(_ step: GrantState.Step?) -> String {
            switch step {
            case nil: "nothing"
            case .load: "load"
            case .refresh(let record): "refresh \(key(record))"
            case .save(let record): "save \(key(record)) as \(record.generation)"
            }
        }

        private static func key(_ record: GrantRecord) -> String {
            switch record.key {
            case .refreshToken(let token), .accessToken(let token, _): text(token)
            case .asking: "asking"
            }
        }
    }

    @Test func `the first who wants a token has the record read, and the token asked for, once`() {
        var state = GrantState()
        let now = MonotonicTime(nanoseconds: 5)
        #expect(Stage.name(state.want(now: now, share: 0).1) == "load")
        #expect(Stage.name(state.want(now: now, share: 0).1) == "nothing")
        state.loaded(Stage.record("r1", 1), now: now, wallNow: 1000)
        #expect(Stage.name(state.want(now: now, share: 0).1) == "refresh r1")
        for _ in 0..<50 { #expect(Stage.name(state.want(now: now, share: 0).1) == "nothing") }
    }

    @Test func `without a record it is missing, and a second later the store is asked again`() {
        var stage = Stage()
        stage.state.removed(now: stage.now)
        #expect(stage.want() == ("missing", "nothing"))
        stage.wait(.seconds(1))
        #expect(stage.want() == ("wait", "load"))
        stage.state.loaded(nil, now: stage.now, wallNow: 1000)
        #expect(stage.want() == ("missing", "nothing"))
        stage.wait(.seconds(1))
        _ = stage.want()
        stage.state.loaded(Stage.record("r3", 3), now: stage.now, wallNow: 1000)
        #expect(stage.want() == ("wait", "refresh r3"))
    }

    @Test func `what has ended stays so until the store has a later generation`() {
        var stage = Stage()
        _ = stage.want()
        _ = stage.answer(Stage.refused(.invalidGrant))
        stage.state.loaded(Stage.record("r1", 1), now: stage.now, wallNow: 1000)
        for _ in 0..<3 {
            stage.wait(.seconds(1))
            #expect(stage.want() == ("wait", "load"))
            stage.state.loaded(Stage.record("r1", 1), now: stage.now, wallNow: 1000)
            #expect(stage.want() == ("disconnected", "nothing"))
        }
        stage.wait(.seconds(1))
        _ = stage.want()
        stage.state.loadFailed("down", now: stage.now)
        #expect(stage.want() == ("disconnected", "nothing"))
        stage.wait(.seconds(1))
        _ = stage.want()
        stage.state.loaded(Stage.record("r2", 2), now: stage.now, wallNow: 1000)
        #expect(stage.want() == ("wait", "refresh r2"))
    }

    @Test func `a kept access token is not served beyond its end`() {
        var state = GrantState()
        let now = MonotonicTime(nanoseconds: 5)
        _ = state.want(now: now, share: 0)
        let record = GrantRecord(
            key: .accessToken(Stage.secret("t"), expires: 1060), issuer: "https://i", client: "c", scopes: [], generation: 1, origin: nil, resource: nil)
        state.loaded(record, now: now, wallNow: 1000)
        guard case .token = state.want(now: now.advanced(by: .seconds(54)), share: 0).0 else {
            Issue.record("it is good for a moment more")
            return
        }
        guard case .disconnected = state.want(now: now.advanced(by: .seconds(55)), share: 0).0 else {
            Issue.record("it has ended")
            return
        }
    }

    @Test func `what is had by asking alone is never over, whatever the provider says`() {
        var state = GrantState()
        var now = MonotonicTime(nanoseconds: 5)
        _ = state.want(now: now, share: 0)
        state.loaded(.asking, now: now, wallNow: 1000)
        #expect(Stage.name(state.want(now: now, share: 0).1) == "refresh asking")
        #expect(Stage.name(state.answered(Stage.refused(.invalidGrant), now: now, share: 0)) == "nothing")
        guard case .unavailable = state.want(now: now, share: 0).0 else {
            Issue.record("not now")
            return
        }
        now = now.advanced(by: .seconds(60))
        #expect(Stage.name(state.want(now: now, share: 0).1) == "refresh asking")
    }

    @Test func `an unchanged refresh token is not written`() {
        var stage = Stage()
        #expect(stage.want() == ("wait", "refresh r1"))
        #expect(stage.answer(Stage.tokens("a1")) == "nothing")
        #expect(stage.want() == ("a1", "nothing"))
        stage.wait(.seconds(3601))
        #expect(stage.want() == ("wait", "refresh r1"))
        #expect(stage.answer(Stage.tokens("a2", refresh: "r1")) == "nothing")
        #expect(stage.want() == ("a2", "nothing"))
    }

    @Test func `a new refresh token is written before its access token is used`() {
        var stage = Stage()
        _ = stage.want()
        #expect(stage.answer(Stage.tokens("a1", refresh: "r2")) == "save r2 as 2")
        #expect(stage.want() == ("wait", "nothing"))
        stage.state.saved(2)
        #expect(stage.want() == ("a1", "nothing"))
        stage.wait(.seconds(3600))
        #expect(stage.want() == ("wait", "refresh r2"))
    }

    @Test func `a store that does not confirm holds it up for two seconds, and is written to until it does`() {
        var stage = Stage()
        _ = stage.want()
        _ = stage.answer(Stage.tokens("a1", refresh: "r2"))
        stage.wait(.milliseconds(1999))
        #expect(stage.want().told == "wait")
        stage.wait(.milliseconds(1))
        #expect(stage.want().told == "a1")
        stage.state.unsaved(2, now: stage.now)
        #expect(stage.state.unsaved?.generation == 2)
        #expect(Stage.name(stage.state.saveAgain(now: stage.now)) == "nothing")
        stage.wait(.seconds(30))
        #expect(Stage.name(stage.state.saveAgain(now: stage.now)) == "save r2 as 2")
        stage.state.saved(2)
        #expect(stage.state.unsaved == nil)
    }

    @Test func `a store that does not confirm is known to be behind after two seconds, also while the old token lives`() {
        var stage = Stage()
        _ = stage.want()
        _ = stage.answer(Stage.tokens("a1", refresh: "r2"))
        stage.state.saved(2)
        stage.wait(.seconds(3500))
        #expect(stage.want() == ("a1", "refresh r2"))
        _ = stage.answer(Stage.tokens("a2", refresh: "r3"))
        #expect(stage.want().told == "a1" && stage.state.unsaved == nil)
        stage.wait(.seconds(2))
        #expect(stage.want().told == "a2" && stage.state.unsaved?.generation == 3)
    }

    @Test func `what was not saved is what is shown next, never what was before it`() {
        var stage = Stage()
        _ = stage.want()
        _ = stage.answer(Stage.tokens("a1", refresh: "r2"))
        stage.state.unsaved(2, now: stage.now)
        stage.wait(.seconds(3600))
        #expect(stage.want() == ("wait", "refresh r2"))
        #expect(stage.answer(Stage.tokens("a2", refresh: "r3")) == "save r3 as 3")
        stage.state.saved(2)
        #expect(stage.want().told == "wait")
        stage.state.saved(3)
        #expect(stage.want().told == "a2")
    }

    @Test func `a token is renewed a tenth of its life ahead, and served meanwhile`() {
        var stage = Stage()
        stage.has("a1")
        stage.wait(.seconds(3239))
        #expect(stage.want() == ("a1", "nothing"))
        stage.wait(.seconds(2))
        #expect(stage.want() == ("a1", "refresh r1"))
        #expect(stage.want() == ("a1", "nothing"))
        _ = stage.answer(Stage.tokens("a2"))
        #expect(stage.want().told == "a2")
    }

    @Test(arguments: [(3600, 3240), (100, 70), (40, 20), (1, 0)]) func `ahead is a tenth, thirty seconds at least, half at most`(_ life: Int, _ from: Int) {
        let token = AccessToken(number: 1, value: Stage.secret("a"), obtained: MonotonicTime(nanoseconds: 0), life: .seconds(life), share: 0)
        #expect(token.refreshFrom.nanoseconds / 1_000_000_000 == from)
    }

    @Test func `the life of a token counts from when it was asked for`() {
        var stage = Stage()
        _ = stage.want()
        stage.wait(.seconds(5))
        _ = stage.answer(Stage.tokens("a1", life: .seconds(7)))
        #expect(stage.want().told == "a1")
        stage.wait(.seconds(1))
        #expect(stage.want().told == "wait")
    }

    @Test func `a token without a life is used until it is refused`() {
        var stage = Stage()
        stage.has("a1", life: nil)
        stage.wait(.seconds(10_000_000))
        #expect(stage.want() == ("a1", "nothing"))
    }

    @Test func `no refresh is begun while the store does not answer and the token lives`() {
        var stage = Stage()
        stage.has("a1")
        stage.wait(.seconds(3300))
        #expect(stage.want(storeIsOpen: true) == ("a1", "nothing"))
        stage.wait(.seconds(300))
        #expect(stage.want(storeIsOpen: true) == ("wait", "refresh r1"))
    }

    @Test func `a failure that passes serves the token while it lives, and marks nothing`() {
        var stage = Stage()
        stage.has("a1")
        stage.wait(.seconds(3300))
        _ = stage.want()
        #expect(stage.answer(Stage.refused(.passing)) == "nothing")
        #expect(stage.want() == ("a1", "nothing"))
        stage.wait(.seconds(31))
        #expect(stage.want() == ("a1", "refresh r1"))
        _ = stage.answer(Stage.refused(.unintelligible))
        stage.wait(.seconds(269))
        #expect(stage.want() == ("wait", "refresh r1"))
        _ = stage.answer(Stage.refused(.passing))
        #expect(stage.want() == ("unavailable", "nothing"))
    }

    @Test func `a lost answer is asked for again with the same token, three times in all`() {
        var stage = Stage()
        _ = stage.want()
        #expect(Stage.name(stage.state.unanswered("reset", mayRepeat: true, now: stage.now)) == "refresh r1")
        #expect(Stage.name(stage.state.unanswered("reset", mayRepeat: true, now: stage.now)) == "refresh r1")
        #expect(Stage.name(stage.state.unanswered("reset", mayRepeat: true, now: stage.now)) == "nothing")
        #expect(stage.want().told == "unavailable")
    }

    @Test func `invalid_grant is believed of the generation that was shown, once the store has no later one`() {
        var stage = Stage()
        stage.has("a1", life: .seconds(60))
        stage.wait(.seconds(61))
        _ = stage.want()
        #expect(stage.answer(Stage.refused(.invalidGrant)) == "load")
        #expect(stage.want().told == "wait")
        stage.state.loaded(Stage.record("r1", 1), now: stage.now, wallNow: 1000)
        #expect(stage.want() == ("disconnected", "nothing"))
    }

    @Test func `where another has refreshed meanwhile, his generation is the grant`() {
        var stage = Stage()
        _ = stage.want()
        _ = stage.answer(Stage.refused(.invalidGrant))
        stage.state.loaded(Stage.record("r7", 7), now: stage.now, wallNow: 1000)
        #expect(stage.want() == ("wait", "refresh r7"))
    }

    @Test func `a store that cannot be asked leaves the question open`() {
        var stage = Stage()
        _ = stage.want()
        _ = stage.answer(Stage.refused(.invalidGrant))
        stage.state.loadFailed("down", now: stage.now)
        #expect(stage.want().told == "unavailable")
        stage.wait(.seconds(60))
        #expect(stage.want() == ("wait", "refresh r1"))
    }

    @Test func `a 401 drops the token that was sent, and forces one refresh in thirty seconds`() throws {
        var stage = Stage()
        stage.has("a1")
        let first = try #require(stage.state.token)
        #expect(stage.state.reject(first.number, now: stage.now) == true)
        #expect(stage.want() == ("wait", "refresh r1"))
        _ = stage.answer(Stage.tokens("a2"))
        // One that was sent before says nothing of the present one.
        #expect(stage.state.reject(first.number, now: stage.now) == true)
        #expect(stage.want().told == "a2")
        let second = try #require(stage.state.token)
        #expect(stage.state.reject(second.number, now: stage.now) == false)
        #expect(stage.want().told == "a2")
        stage.wait(.seconds(30))
        #expect(stage.state.reject(second.number, now: stage.now) == true)
        #expect(stage.want().step == "refresh r1")
    }

    @Test func `a 401 to a token whose successor is on its way forces nothing, and counts as nothing`() throws {
        var stage = Stage()
        stage.has("a1", life: .seconds(60))
        stage.wait(.seconds(31))
        #expect(stage.want() == ("a1", "refresh r1"))
        let first = try #require(stage.state.token)
        #expect(stage.state.reject(first.number, now: stage.now) == true)
        #expect(stage.want() == ("wait", "nothing"))
        _ = stage.answer(Stage.tokens("a2", life: .seconds(60)))
        #expect(stage.want() == ("a2", "nothing"))
        let second = try #require(stage.state.token)
        #expect(stage.state.reject(second.number, now: stage.now) == true)
        #expect(stage.want() == ("wait", "refresh r1"))
    }

    @Test func `an access token that is the grant itself ends with a 401`() throws {
        var stage = Stage(refresh: nil)
        #expect(stage.want() == ("eternal", "nothing"))
        let token = try #require(stage.state.token)
        #expect(stage.state.reject(token.number, now: stage.now) == false)
        #expect(stage.want().told == "disconnected")
    }

    @Test func `connecting anew replaces everything, and no number comes twice`() throws {
        var stage = Stage()
        stage.has("a1")
        let old = try #require(stage.state.token).number
        stage.state.replaced(by: Stage.record("r9", 9), access: Stage.secret("a9"), life: .seconds(60), now: stage.now, share: 0)
        #expect(stage.want() == ("a9", "nothing"))
        #expect(stage.state.token?.number != old)
        #expect(stage.state.reject(old, now: stage.now) == true)
        #expect(stage.want().told == "a9")
        // What was under way when it was replaced is nobody's.
        #expect(stage.answer(Stage.tokens("late", refresh: "late")) == "nothing")
        #expect(stage.want().told == "a9")
    }

    @Test func `what begins anew asks the store again, and no number comes twice`() throws {
        var stage = Stage()
        stage.has("a1")
        let old = try #require(stage.state.token).number
        stage.state.restart()
        #expect(stage.want() == ("wait", "load"))
        stage.state.loaded(Stage.record("r1", 1), now: stage.now, wallNow: 1000)
        stage.has("a2")
        #expect(stage.state.token.map { $0.number > old } == true)
    }

    @Test func `a record comes back from its fields as it went in`() throws {
        let record = GrantRecord(key: .refreshToken(Stage.secret("r")), issuer: "https://i/", client: "me", scopes: ["a", "b"], generation: 4,
            origin: "https://mcp.example", resource: "https://mcp.example/mcp")
        let again = try GrantRecord(fields: record.fields)
        #expect((again.issuer, again.client, again.generation) == ("https://i/", "me", 4))
        #expect(again.scopes == ["a", "b"])
        #expect((again.origin, again.resource) == ("https://mcp.example", "https://mcp.example/mcp"))
        for missing in ["issuer", "client_id", "generation", "refresh_token"] {
            var fields = record.fields
            fields[missing] = nil
            #expect(throws: NotUsable.self) { try GrantRecord(fields: fields) }
        }
    }
}
