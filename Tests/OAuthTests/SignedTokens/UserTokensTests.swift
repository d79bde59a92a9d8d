// Keys that are kept for their time, and tokens that are verified once.

import EventLoop
import Foundation
import Gateway
import Kernel
@testable import OAuth
import Synchronization
import TLS
import Testing

/// An issuer whose keys change and who is down at times, and the clocks.
private final class Issuer: Sendable {
    struct State: Sendable {
        var keys: [UInt8] = []
        var isDown = false
        var life: Duration?
        var loads = 0
        var seconds = 0
        var reports: [String] = []
    }

    let state = Mutex(State())
    let keys: KeySets
    let users: UserTokens

    init(_ mints: Mint...) throws {
        let state = try Mint.document(mints)
        let loop = try EventLoop.started(name: "tokens")
        let box = Box()
        keys = KeySets(
            on: loop, load: { (_) async throws(NoKeys) in try await box.load() }, clock: { box.now }, report: { words in box.report(words) })
        users = UserTokens(on: loop, keys: keys, clock: { box.now }, wallClock: { Int64(Mint.now) + Int64(box.now.nanoseconds / 1_000_000_000) })
        box.owner.withLock { $0 = self }
        self.state.withLock { $0.keys = state }
    }

    private final class Box: Sendable {
        let owner = Mutex<Issuer?>(nil)

        var now: MonotonicTime { MonotonicTime(nanoseconds: UInt64(owner.withLock { $0 }?.state.withLock { $0.seconds } ?? 0) * 1_000_000_000) }

        func report(_ words: String) { owner.withLock { $0 }?.state.withLock { $0.reports.append(words) } }

        func load() async throws(NoKeys) -> (keys: KeySet, life: Duration?) {
            guard let issuer = owner.withLock({ $0 }) else { throw NoKeys("gone") }
            let (document, isDown, life) = issuer.state.withLock { state in
                state.loads += 1
                return (state.keys, state.isDown, state.life)
            }
            await Task.yield()
            guard !isDown else { throw NoKeys("down") }
            do { return (try await KeySet(document), life) } catch { throw NoKeys("\(error)") }
        }
    }

    var loads: Int { state.withLock { $0.loads } }

    func pass(_ seconds: Int) { state.withLock { $0.seconds += seconds } }

    func publish(_ mints: Mint...) throws {
        let document = try Mint.document(mints)
        state.withLock { $0.keys = document }
    }

    func goDown(_ isDown: Bool = true) { state.withLock { $0.isDown = isDown } }

    /// Whom it names, or why nobody.
    func ask(_ token: String, _ rule: UserTokenRule = Issuer.rule) async -> String {
        do throws(SignedTokenFault) {
            return try await users.user(of: Secret(copying: Array(token.utf8).span.raw), by: rule).user.text
        } catch {
            return switch error {
            case .invalid(let words): "invalid: \(words)"
            case .untimely(let words): "untimely: \(words)"
            case .nobody(let words): "nobody: \(words)"
            case .unavailable: "unavailable"
            case .crowded: "crowded"
            }
        }
    }

    static let rule = UserTokenRule(issuer: Mint.issuer, audience: Mint.audience)
}

@Suite struct UserTokensTests {
    @Test func `a good token names its user, in the one form of an address`() async throws {
        let mint = try await Mint.es256()
        let issuer = try Issuer(mint)
        #expect(await issuer.ask(try mint.token()) == "ana@acme.com")
        #expect(await issuer.ask(try mint.token(["email": "bob@acme.com", "email_verified": NSNull()])) == "bob@acme.com")
        let rule = UserTokenRule(issuer: Mint.issuer, audience: Mint.audience, claim: "upn")
        #expect(await issuer.ask(try mint.token(["upn": "carl@acme.com", "email_verified": false]), rule) == "carl@acme.com")
        #expect(issuer.loads == 1)
    }

    @Test func `everything that is wrong with a token is told apart for the log, and nothing of it counts`() async throws {
        let mint = try await Mint.es256()
        let issuer = try Issuer(mint)
        let rows: [([String: Any], String)] = [
            (["iss": "https://evil.example"], "iss"), (["aud": "other"], "aud"), (["exp": Mint.now - 61], "expired"), (["exp": NSNull()], "never end"),
            (["nbf": Mint.now + 120], "nbf"), (["iat": Mint.now + 120], "iat"), (["email_verified": false], "email_verified"),
            (["email": NSNull()], "nobody"), (["email": 7], "nobody"), (["email": "ana@acme.com, bob@acme.com"], "nobody"), (["email": ["ana@acme.com"]], "nobody"),
            (["email": "änä@acme.com"], "nobody"),
        ]
        for (claims, word) in rows {
            let answer = await issuer.ask(try mint.token(claims))
            #expect(answer.contains(word) && answer.contains(":"), "\(claims): \(answer)")
        }
    }

    @Test func `what was found holds to the token's end, and for five minutes at most; another rule finds for itself`() async throws {
        let mint = try await Mint.es256()
        let issuer = try Issuer(mint)
        func until(_ claims: [String: Any], _ rule: UserTokenRule = Issuer.rule) async throws -> UInt64 {
            try await issuer.users.user(of: Secret(copying: Array(mint.token(claims).utf8).span.raw), by: rule).until.nanoseconds / 1_000_000_000
        }
        #expect(try await until([:]) == 300)
        #expect(try await until(["exp": Mint.now + 100]) == 160)
        #expect(try await until(["exp": 1e300]) == 300)
        let brief = try mint.token(["exp": Mint.now + 100])
        #expect(await issuer.ask(brief) == "ana@acme.com")
        issuer.pass(159)
        #expect(await issuer.ask(brief) == "ana@acme.com")
        issuer.pass(1)
        #expect(await issuer.ask(brief).contains("expired"))
        let other = UserTokenRule(issuer: Mint.issuer, audience: "another")
        let token = try mint.token()
        #expect(await issuer.ask(token) == "ana@acme.com")
        #expect(await issuer.ask(token, other).contains("aud"))
    }

    @Test func `a new key is found at once, and not asked for more than once a minute`() async throws {
        let (old, new, third) = (try await Mint.es256("old"), try await Mint.es256("new"), try await Mint.es256("third"))
        let issuer = try Issuer(old)
        #expect(await issuer.ask(try old.token()) == "ana@acme.com")
        try issuer.publish(old, new)
        #expect(await issuer.ask(try new.token()) == "ana@acme.com")
        #expect(issuer.loads == 2)
        try issuer.publish(third)
        for _ in 0..<20 { #expect(await issuer.ask(try third.token()).contains("does not publish")) }
        #expect(issuer.loads == 2)
        issuer.pass(60)
        #expect(await issuer.ask(try third.token()) == "ana@acme.com")
        #expect(issuer.loads == 3)
    }

    @Test func `a key that was taken back is missed when its set and what was found are over`() async throws {
        let (old, new) = (try await Mint.es256("old"), try await Mint.es256("new"))
        let issuer = try Issuer(old)
        let token = try old.token()
        #expect(await issuer.ask(token) == "ana@acme.com")
        try issuer.publish(new)
        issuer.pass(299)
        #expect(await issuer.ask(token) == "ana@acme.com")
        issuer.pass(1)
        #expect(await issuer.ask(token).contains("does not publish"))
    }

    @Test func `keys live as long as they say, a minute at least and an hour at most`() async throws {
        let mint = try await Mint.es256()
        for (life, before, after) in [(Duration.seconds(0), 59, 60), (.seconds(900), 899, 900), (.seconds(86_400), 3599, 3600), (nil, 299, 300)] as [(Duration?, Int, Int)] {
            let issuer = try Issuer(mint)
            issuer.state.withLock { $0.life = life }
            #expect(await issuer.ask(try mint.token(["exp": Mint.now + 9000])) == "ana@acme.com")
            issuer.pass(before)
            #expect(await issuer.ask(try mint.token(["exp": Mint.now + 9000, "jti": "1"])) == "ana@acme.com")
            #expect(issuer.loads == 1)
            issuer.pass(after - before)
            #expect(await issuer.ask(try mint.token(["exp": Mint.now + 9000, "jti": "2"])) == "ana@acme.com")
            #expect(issuer.loads == 2)
        }
    }

    @Test func `an issuer that is down keeps its keys for a day, and one that never answered has none`() async throws {
        let (mint, stranger) = (try await Mint.es256(), try await Mint.es256("stranger"))
        let issuer = try Issuer(mint)
        let life: [String: Any] = ["exp": Mint.now + 200_000]
        issuer.goDown()
        #expect(await issuer.ask(try mint.token(life)) == "unavailable")
        for _ in 0..<20 { #expect(await issuer.ask(try mint.token(life)) == "unavailable") }
        #expect(issuer.loads == 1)
        issuer.pass(5)
        issuer.goDown(false)
        #expect(await issuer.ask(try mint.token(life)) == "ana@acme.com")
        issuer.goDown()
        issuer.pass(86_399)
        #expect(await issuer.ask(try mint.token(life)) == "ana@acme.com")
        #expect(await issuer.ask(try stranger.token(life)) == "unavailable")
        issuer.pass(301)
        #expect(await issuer.ask(try mint.token(life)) == "unavailable")
        #expect(issuer.state.withLock { $0.reports }.contains { $0.contains("https://login.example") && $0.contains("down") })
    }

    @Test func `many who bring one token have it verified once`() async throws {
        let mint = try await Mint.es256()
        let issuer = try Issuer(mint)
        let token = try mint.token()
        let answers = await withTaskGroup(of: String.self) { group in
            for _ in 0..<50 { group.addTask { await issuer.ask(token) } }
            return await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(answers == ["ana@acme.com"])
        #expect(issuer.loads == 1)
    }
}
