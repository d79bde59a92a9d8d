// What becomes of a cached credential that its server rejected, and how the record of it is kept.

package import Gateway
internal import Kernel

/// What is left to do where a server answered 401 to a credential of ours.
package enum Reconsideration: Sendable {
    /// By now there is another value, whose answer is a hit: it may be tried.
    case another(CachedCredential)
    /// There is nothing else to try; why, for the log.
    case nothing(String)
}

/// That the store was asked again because a server rejected what was cached; remembered while it is not asked again for that.
struct Recheck {
    /// Why it could not be asked.
    var fault: Refusal?
    /// Whether the rejection was put on record.
    var isMarked = false

    /// How long.
    static let span = Duration.seconds(30)
    /// Where the store could not be asked.
    static let spanOfFault = Duration.seconds(2)
}

extension CredentialBroker {
    /// Upstream answered 401 to `sent`.
    ///
    /// Where that is still what is cached, the store is asked once more, however many were rejected with it; the value goes when the store has
    /// another or none, and a newer one stays. Until then, and where the store cannot be asked, it is what there is: the server may take it yet.
    /// A value that the store still has is put on record as rejected, and for half a minute it is not asked for again.
    ///
    /// - Parameters:
    ///   - key: `CacheKey(instance, user: user)`.
    ///   - instance: which `sent` was rendered for.
    /// - Throws: `store_unavailable` or `overloaded` where nobody can say whether there is another value.
    package func rejected(
        _ sent: RenderedCredential, for key: CacheKey, at instance: ServerInstance, user: UserEmail?
    ) async throws(Refusal) -> Reconsideration {
        let found: CachedCredential
        if present(sent, key, instance) != nil {
            // Of tokens their source knows whether another is to be had: it may have one already, and forces no refresh twice.
            let token = presentToken(key)
            if flights[key] == nil {
                let recheck = rechecks.peek(key, now: clock())
                if let fault = recheck?.fault { throw fault }
                if token == nil {
                    guard recheck == nil else { return .nothing(await mark(sent, key, instance, user)) }
                    remember(Recheck(), for: key, Recheck.span)
                }
            }
            found = try await recheck(try boarded(key, for: Held.Asker(instance: instance, user: user), dropping: token), key, instance)
        } else {
            found = try await credential(for: key, at: instance, user: user)
        }
        switch found.answer {
        case .hit(let stored) where stored.injectsSame(as: sent):
            return .nothing(await mark(sent, key, instance, user))
        case .hit:
            return .another(found)
        case .missing:
            return .nothing("the store has none any more")
        case .disconnected(let why):
            return .nothing("its connection is over: \(why)")
        case .invalid(let why):
            return .nothing("what the store has now may not be injected: \(why)")
        }
    }

    /// Upstream answered 403 to a bearer token because it does not reach far enough.
    ///
    /// - Returns: what it wants, in words for the log.
    package func needsMore(_ challenges: [String], at instance: ServerInstance, user: UserEmail?) async -> String {
        await tokens.needsMore(challenges, at: instance, user: user)
    }

    /// Upstream took `sent`, which is on record as rejected: the record is mended, if that is still the value.
    package func accepted(_ sent: RenderedCredential, for key: CacheKey, at instance: ServerInstance, user: UserEmail?) async throws {
        await begin(key)
        defer { end(key) }
        guard let stored = present(sent, key, instance) else { return }
        try await ledger.setRejected(Reference(instance, user: user, prefix: prefix), at: nil)
        stored.isRejected = false
    }

    private func recheck(_ passenger: Passenger, _ key: CacheKey, _ instance: ServerInstance) async throws(Refusal) -> CachedCredential {
        do throws(Refusal) {
            return try await arrival(of: passenger, key, at: instance)
        } catch {
            remember(Recheck(fault: error), for: key, Recheck.spanOfFault)
            throw error
        }
    }

    /// What is cached, if it is the same value; nil where it is another, or nothing is.
    private func present(_ sent: RenderedCredential, _ key: CacheKey, _ instance: ServerInstance) -> RenderedCredential? {
        let now = clock()
        guard let held = table.peek(key, now: now), case .hit(let stored) = held.answer(for: instance.server, now: now),
            stored.injectsSame(as: sent)
        else { return nil }
        return stored
    }

    /// Which token is cached; nil where what is cached is none.
    private func presentToken(_ key: CacheKey) -> Int? {
        guard case .stored(let credential)? = table.peek(key, now: clock())?.content else { return nil }
        return credential.token?.number
    }

    private func remember(_ recheck: Recheck, for key: CacheKey, _ span: Duration) {
        _ = rechecks.insert(recheck, for: key, until: clock().advanced(by: span))
    }

    /// Puts on record that the server rejects what the store has: once for a value, and once in half a minute where the server cannot decide.
    /// - Returns: why there is nothing to try, and what the record has to do with it.
    private func mark(_ sent: RenderedCredential, _ key: CacheKey, _ instance: ServerInstance, _ user: UserEmail?) async -> String {
        let words = "the store has the same value"
        guard let stored = present(sent, key, instance), !stored.isRejected else { return words }
        (stored.isRejected, sent.isRejected) = (true, true)
        guard rechecks.peek(key, now: clock())?.isMarked != true else { return words }
        if rechecks.peek(key, now: clock()) == nil { remember(Recheck(), for: key, Recheck.span) }
        rechecks.change(key) { $0.isMarked = true }
        // A deposit under way comes first: what it brings was not rejected.
        await begin(key)
        defer { end(key) }
        guard present(sent, key, instance) != nil else { return words }
        do {
            try await ledger.setRejected(Reference(instance, user: user, prefix: prefix), at: wallClock())
            return words
        } catch {
            (stored.isRejected, sent.isRejected) = (false, false)
            rechecks.change(key) { $0.isMarked = false }
            return "\(words); that it was rejected is not on record: \(error)"
        }
    }
}
