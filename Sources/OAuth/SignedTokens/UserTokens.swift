// Whom a user token names: verified once, then known for its time.

package import EventLoop
package import Gateway
package import Kernel
internal import TLS

/// Runs on a loop of its own, never on a worker. A token that several ask for at once is verified once; what was found is known by the token's SHA-256.
package actor UserTokens {
    private nonisolated let loop: EventLoop
    private let keys: KeySets
    private let clock: @Sendable () -> MonotonicTime
    private let wallClock: @Sendable () -> Int64

    private struct Identity: Hashable {
        let token: Digest256
        let rule: Digest256
    }

    private var known: [Identity: VouchedUser] = [:]
    private var verifying: [Identity: Task<Result<VouchedUser, SignedTokenFault>, Never>] = [:]
    private var waiting = 0

    /// For how long at most a token is not verified again: so soon a key that its issuer takes back is missed, when the set has been had anew.
    ///
    /// In seconds.
    static let longestTrust: Double = 300
    private static let capacity = 100_000
    private static let waitersLimit = 10_000

    /// - Parameters:
    ///   - loop: its own; the keys' may be the same.
    ///   - wallClock: seconds since 1970.
    package init(
        on loop: EventLoop, keys: KeySets, clock: @escaping @Sendable () -> MonotonicTime, wallClock: @escaping @Sendable () -> Int64
    ) {
        self.loop = loop
        self.keys = keys
        self.clock = clock
        self.wallClock = wallClock
    }

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.serial }

    /// Whom the token names, by the rule of the navigator whose key it came with.
    package func user(of token: Secret, by rule: UserTokenRule) async throws(SignedTokenFault) -> VouchedUser {
        let identity = Identity(token: Digest256(hashing: token.bytes), rule: rule.digest)
        if let vouched = known[identity], clock() < vouched.until { return vouched }
        guard waiting < UserTokens.waitersLimit else { throw .crowded }
        waiting += 1
        defer { waiting -= 1 }
        let task: Task<Result<VouchedUser, SignedTokenFault>, Never>
        if let under = verifying[identity] {
            task = under
        } else {
            // A task of its own: whoever asked first may leave before it is done.
            task = Task { await self.verify(token, rule, identity) }
            verifying[identity] = task
        }
        return try await task.value.get()
    }

    private func verify(_ token: Secret, _ rule: UserTokenRule, _ identity: Identity) async -> Result<VouchedUser, SignedTokenFault> {
        defer { verifying[identity] = nil }
        do throws(SignedTokenFault) {
            let vouched = try await vouch(token, rule)
            note(vouched, identity)
            return .success(vouched)
        } catch {
            known[identity] = nil
            return .failure(error)
        }
    }

    private func vouch(_ token: Secret, _ rule: UserTokenRule) async throws(SignedTokenFault) -> VouchedUser {
        let signed = try SignedToken(token.bytes)
        try await keys.check(signed, at: KeyPlace(rule))
        let claims = try TokenClaims(signed.payload, address: rule.claim)
        let (now, wallClock) = (clock(), wallClock())
        try claims.check(issuer: rule.issuer, audience: rule.audience, now: wallClock)
        guard rule.claim != "email" || claims.isAddressVerified != false else { throw .invalid("the token says that its address is not verified (email_verified)") }
        guard let address = claims.address else { throw .nobody("the token has no text under the claim `\(rule.claim)`") }
        guard let user = UserEmail(address) else { throw .nobody("the token's claim `\(rule.claim)` is not one address") }
        // `check` has seen to it that there is an end, and that it is ahead.
        let left = (claims.expires ?? 0) + TokenClaims.skew - Double(wallClock)
        return VouchedUser(user, until: now.advanced(by: .seconds(min(left, UserTokens.longestTrust))))
    }

    private func note(_ vouched: VouchedUser, _ identity: Identity) {
        if known.count >= UserTokens.capacity, known[identity] == nil {
            let now = clock()
            known = known.filter { now < $0.value.until }
            // All of them good: any makes way, for it can be verified again.
            if known.count >= UserTokens.capacity { known.removeAll(keepingCapacity: true) }
        }
        known[identity] = vouched
    }
}
