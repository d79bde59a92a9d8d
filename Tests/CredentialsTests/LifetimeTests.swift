// Lifetime and Held: when what was fetched is fetched again, when it ends, and when the next attempt is made.

@testable import Credentials
@testable import Gateway
import Kernel
import Testing

@Suite struct LifetimeTests {
    private let now = MonotonicTime(nanoseconds: 1_000_000_000_000)
    private let settings = CacheSettings()

    /// How long after now.
    private func after(_ time: MonotonicTime) -> Duration { time.duration(since: now) }

    @Test func `without jitter the times are the settings'`() {
        let lifetime = Lifetime(of: settings, at: now) { 0 }
        #expect(after(lifetime.refreshFrom) == .seconds(270))
        #expect(after(lifetime.freshUntil) == .seconds(300))
        #expect(after(lifetime.usableUntil) == .seconds(1200))
    }

    @Test(arguments: [0, 0.25, 0.5, 0.999]) func `jitter shortens the time by a tenth at most, and the span ahead by half at most`(share: Double) {
        let lifetime = Lifetime(of: settings, at: now) { share }
        #expect(after(lifetime.freshUntil) >= .seconds(270) && after(lifetime.freshUntil) <= .seconds(300))
        let ahead = lifetime.freshUntil.duration(since: lifetime.refreshFrom)
        #expect(ahead >= .seconds(15) && ahead <= .seconds(30))
        #expect(lifetime.usableUntil.duration(since: lifetime.freshUntil) == .seconds(900))
    }

    @Test(arguments: [0, 0.999]) func `nothing is read again in the first half of its time`(share: Double) {
        var settings = settings
        settings.refreshAhead = settings.ttl / 2
        let lifetime = Lifetime(of: settings, at: now) { share }
        #expect(after(lifetime.refreshFrom) >= after(lifetime.freshUntil) / 2)
        #expect(lifetime.refreshFrom < lifetime.freshUntil)
    }

    @Test func `without a span ahead and without one after, there is one end`() {
        var settings = settings
        settings.refreshAhead = .zero
        settings.staleIfError = .zero
        let lifetime = Lifetime(of: settings, at: now) { 0.5 }
        #expect(lifetime.refreshFrom == lifetime.freshUntil)
        #expect(lifetime.usableUntil == lifetime.freshUntil)
    }

    @Test(arguments: [-1, 0, 1, 20, 60, 299]) func `nothing outlives the credential's own expiry`(seconds: Int) {
        let expiry = MonotonicTime(nanoseconds: UInt64(Int(now.nanoseconds) + seconds * 1_000_000_000))
        let lifetime = Lifetime(of: settings, at: now, expiry: expiry) { 0 }
        #expect(lifetime.usableUntil == expiry)
        #expect(after(lifetime.freshUntil) == .seconds(max(seconds, 0)))
        #expect(after(lifetime.refreshFrom) == max(.seconds(max(seconds, 0) - 30), .seconds(max(seconds, 0)) / 2))
    }

    @Test func `an expiry between the time and the time of need bounds the latter`() {
        let expiry = now.advanced(by: .seconds(500))
        let lifetime = Lifetime(of: settings, at: now, expiry: expiry) { 0 }
        #expect(after(lifetime.freshUntil) == .seconds(300))
        #expect(lifetime.usableUntil == expiry)
    }

    @Test func `what is nothing has a short time, and none after it`() {
        let lifetime = Lifetime(ofNothing: .seconds(5), at: now) { 0.999 }
        #expect(after(lifetime.freshUntil) > .seconds(4.5) && after(lifetime.freshUntil) < .seconds(4.51))
        #expect(lifetime.usableUntil == lifetime.freshUntil)
    }

    // MARK: Attempts

    private func held(_ credential: Credential) throws -> Held {
        let asker = Held.Asker(instance: try instance(of: try server()), user: nil)
        return Held(number: 1, content: .stored(credential), for: asker, at: now, Lifetime(of: settings, at: now, expiry: credential.expiry) { 0 })
    }

    @Test func `attempts come each twice as long after the last failure, up to half a minute, and forget with a success`() throws {
        var held = try held(Credential(fields: try fields("t"), origin: try server().origin))
        let spans = (0..<8).map { _ in
            held.recordFailure(at: now, share: 1)
            return after(held.retryAt)
        }
        #expect(spans == [1, 2, 4, 8, 16, 30, 30, 30].map(Duration.seconds))
        held.confirm(at: now, held.lifetime)
        #expect(held.failures == 0 && held.retryAt < now)
        held.recordFailure(at: now, share: 0)
        #expect(after(held.retryAt) == .milliseconds(500), "half of it is left to chance")
    }

    @Test func `an expired credential is no answer, even where it was rendered before`() throws {
        let expiry = now.advanced(by: .seconds(60))
        let server = try server()
        var held = try held(Credential(fields: try fields("t"), origin: server.origin, expiry: expiry))
        let answer = held.answer(for: server, now: now)
        #expect(answer.lines == "X-token: t\r\n")
        held.rendering = (server, answer)
        #expect(held.answer(for: server, now: MonotonicTime(nanoseconds: expiry.nanoseconds - 1)).isHit)
        #expect(held.answer(for: server, now: expiry).invalidity != nil)
    }

    @Test func `the same is the same value, origin and expiry`() throws {
        let (here, there) = (try server().origin, try server(host: "other.example.com").origin)
        let token = Held.Content.stored(Credential(fields: try fields("t"), origin: here))
        #expect(token.isSame(as: .stored(Credential(fields: try fields("t"), origin: here))))
        #expect(!token.isSame(as: .stored(Credential(fields: try fields("u"), origin: here))))
        #expect(!token.isSame(as: .stored(Credential(fields: try fields("tt"), origin: here))))
        #expect(!token.isSame(as: .stored(Credential(fields: try fields("t"), origin: there))))
        #expect(!token.isSame(as: .stored(Credential(fields: try fields("t"), origin: here, expiry: now))))
        let other = Credential(fields: [try #require(FieldName("other")): Secret("t")], origin: here)
        #expect(!token.isSame(as: .stored(other)))
        #expect(!token.isSame(as: .missing) && !token.isSame(as: .unusable("x")))
    }
}
