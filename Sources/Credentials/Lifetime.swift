// Until when what a fetch brought may be used, and from when on it is fetched again.

internal import Gateway
internal import Kernel

/// In order: `refreshFrom`, `freshUntil`, `usableUntil`. None is later than the credential's own expiry.
struct Lifetime: Equatable, Sendable {
    /// A use from here on has it fetched again, while it is still served.
    let refreshFrom: MonotonicTime
    /// Until here it is served without a question.
    let freshUntil: MonotonicTime
    /// From there to here it is served only where the store does not answer.
    let usableUntil: MonotonicTime

    /// Of a credential. The time is up to a tenth shorter than `ttl`, and the span before its end up to half shorter than `refresh_ahead`, and never
    /// longer than half the time: what was fetched together neither ends together nor is fetched again together.
    ///
    /// - Parameters:
    ///   - expiry: the credential's own.
    ///   - share: gives numbers from 0 to 1.
    init(of settings: CacheSettings, at now: MonotonicTime, expiry: MonotonicTime? = nil, share: () -> Double) {
        let expiry = expiry ?? .never
        let life = settings.ttl - settings.ttl / 10 * share()
        let ahead = settings.refreshAhead - settings.refreshAhead / 2 * share()
        let left = min(life, expiry.duration(since: now))
        freshUntil = now.advanced(by: left)
        refreshFrom = now.advanced(by: max(left - ahead, left / 2))
        usableUntil = min(now.advanced(by: life + settings.staleIfError), expiry)
    }

    /// Of a token. Its source has the next one ready in time, so it is asked again when that may be: while it is under way, every second.
    init(ofToken refresh: MonotonicTime, expiry: MonotonicTime?, _ settings: CacheSettings, at now: MonotonicTime, share: () -> Double) {
        let life = settings.ttl - settings.ttl / 10 * share()
        let usable = min(expiry ?? .never, now.advanced(by: life + settings.staleIfError))
        let isUnderWay = refresh <= now
        freshUntil = min(now.advanced(by: isUnderWay ? .seconds(1) : life), usable)
        refreshFrom = isUnderWay ? freshUntil : min(refresh, freshUntil)
        usableUntil = usable
    }

    /// Of what is no credential: neither fetched ahead nor kept beyond its time.
    init(ofNothing negativeTTL: Duration, at now: MonotonicTime, share: () -> Double) {
        freshUntil = now.advanced(by: negativeTTL - negativeTTL / 10 * share())
        refreshFrom = freshUntil
        usableUntil = freshUntil
    }
}
