// The issuers' keys, kept for their time: who is asked for them, how often, and what counts while he does not answer.

package import EventLoop
package import Kernel

/// Runs on a loop of its own, never on a worker. A place is asked when a token needs its keys, once however many need them.
///
/// | keys | |
/// |---|---|
/// | good | as long as the answer says (`Cache-Control`), a minute at least and an hour at most; five minutes where it says nothing |
/// | asked for anew before that | for a token whose key is not among them: once a minute |
/// | used though they cannot be had anew | for a day |
/// | not to be had | remembered for five seconds |
package actor KeySets {
    private nonisolated let loop: EventLoop
    private let load: Load
    private let clock: @Sendable () -> MonotonicTime
    private let report: @Sendable (String) -> Void

    package typealias Load = @Sendable (KeyPlace) async throws(NoKeys) -> (keys: KeySet, life: Duration?)

    private struct Entry {
        var keys: KeySet?
        var freshUntil = MonotonicTime(nanoseconds: 0)
        var usableUntil = MonotonicTime(nanoseconds: 0)
        /// Not before then for a key that is not among them.
        var forcedFrom = MonotonicTime(nanoseconds: 0)
        /// Not before then where it failed.
        var askedFrom = MonotonicTime(nanoseconds: 0)
        /// Of the last time that it was asked for.
        var fault: NoKeys?
        var loading: Task<Void, Never>?
        var used: MonotonicTime
    }

    private var entries: [KeyPlace: Entry] = [:]

    static let usualLife = Duration.seconds(300)
    static let shortestLife = Duration.seconds(60)
    static let longestLife = Duration.seconds(3600)
    static let usableLife = Duration.seconds(86_400)
    static let forcedSpan = Duration.seconds(60)
    static let failureSpan = Duration.seconds(5)
    /// Places that no configuration names any more are forgotten by and by.
    private static let idleLife = Duration.seconds(7200)

    /// - Parameters:
    ///   - load: has the keys of a place, as `KeyFetcher` does.
    ///   - report: writes a warning into the log.
    package init(
        on loop: EventLoop, load: @escaping Load, clock: @escaping @Sendable () -> MonotonicTime, report: @escaping @Sendable (String) -> Void
    ) {
        self.loop = loop
        self.load = load
        self.clock = clock
        self.report = report
    }

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.serial }

    /// That one of the place's keys signed the token.
    func check(_ token: SignedToken, at place: KeyPlace) async throws(SignedTokenFault) {
        var verdict = try await current(place).verdict(on: token)
        if case .unknownKey = verdict, let newer = try await forced(place) { verdict = newer.verdict(on: token) }
        switch verdict {
        case .signed: return
        case .forged: throw .invalid("the token's signature is wrong")
        case .unknownKey:
            // The key may be newer than what could be had.
            if entries[place]?.fault != nil { throw .unavailable("the issuer's keys cannot be had anew") }
            throw .invalid("the token is signed with a key that its issuer does not publish")
        }
    }

    /// What is to be verified with now.
    private func current(_ place: KeyPlace) async throws(SignedTokenFault) -> KeySet {
        let now = clock()
        entries[place, default: Entry(used: now)].used = now
        if let entry = entries[place], entry.keys == nil || now >= entry.freshUntil, entry.loading != nil || now >= entry.askedFrom { await refresh(place) }
        guard let entry = entries[place], let keys = entry.keys, clock() < entry.usableUntil else {
            throw .unavailable("the keys of \(place.issuer) cannot be had: \(entries[place]?.fault?.description ?? "nobody answered")")
        }
        return keys
    }

    /// The keys as they are now, for a token whose key is not among those that were had before; nil where it is too early to ask again.
    private func forced(_ place: KeyPlace) async throws(SignedTokenFault) -> KeySet? {
        guard let entry = entries[place] else { return nil }
        if entry.loading == nil {
            guard clock() >= entry.forcedFrom else { return nil }
            entries[place]?.forcedFrom = clock().advanced(by: KeySets.forcedSpan)
        }
        await refresh(place)
        return entries[place]?.keys
    }

    /// Asks, or waits for who asks already.
    private func refresh(_ place: KeyPlace) async {
        if let loading = entries[place]?.loading { return await loading.value }
        // A task of its own: whoever asked first may leave before the answer is there.
        let task = Task { await self.ask(place) }
        entries[place]?.loading = task
        await task.value
    }

    private func ask(_ place: KeyPlace) async {
        do throws(NoKeys) {
            let (keys, life) = try await load(place)
            let now = clock()
            let span = min(max(life ?? KeySets.usualLife, KeySets.shortestLife), KeySets.longestLife)
            entries[place]?.keys = keys
            entries[place]?.freshUntil = now.advanced(by: span)
            entries[place]?.usableUntil = now.advanced(by: KeySets.usableLife)
            entries[place]?.fault = nil
        } catch {
            report("user tokens: the keys of \(place.issuer) cannot be had: \(error)\(entries[place]?.keys == nil ? "" : "; those that were had before are used on, for a day")")
            entries[place]?.fault = error
            entries[place]?.askedFrom = clock().advanced(by: KeySets.failureSpan)
        }
        entries[place]?.loading = nil
        let now = clock()
        entries = entries.filter { $0.value.loading != nil || now < $0.value.used.advanced(by: KeySets.idleLife) }
    }
}
