// Proving an address by a code that was sent to it: who was sent which, and how often he may try.

internal import Gateway
internal import Kernel
internal import Synchronization
internal import TLS

/// Codes are eight digits, good for ten minutes, five tries and one browser. In memory: a restart makes people ask for another.
///
/// Whether an address may use what the code is for shows in nothing that this answers before the code is brought.
final class SignInDesk: Sendable {
    /// Why no code can be had now.
    enum Refusal: Error, Equatable {
        /// As often as the address may; it says nothing of whether the address is anybody's.
        case address
        case source
        /// Too many people at once.
        case crowded
    }

    enum Answer: Equatable {
        case proved(UserEmail)
        case wrong(left: Int)
        /// No code waits for this browser: expired, tried too often, or never asked for.
        case none
    }

    static let life: Int64 = 600
    static let tries = 5
    private static let mostPending = 20_000

    private struct Pending {
        let place: String
        let email: UserEmail
        /// Nil where no code was sent, so that none fits.
        let code: Digest256?
        let expires: Int64
        var tries = 0
    }

    private struct State {
        /// By the digest of the browser's cookie.
        var pending: [Digest256: Pending] = [:]
        var perAddress = AttemptLimits(limits: [AttemptLimits.Limit(count: 5, seconds: 3600), AttemptLimits.Limit(count: 20, seconds: 86_400)])
        var perSource = AttemptLimits(limits: [AttemptLimits.Limit(count: 20, seconds: 3600)])
        var leaving = AttemptLimits(limits: [AttemptLimits.Limit(count: 120, seconds: 600)])
    }

    private let state = Mutex(State())
    private let random: @Sendable () -> UInt64

    /// - Parameter random: evenly distributed, nobody's to guess.
    init(random: @escaping @Sendable () -> UInt64) {
        self.random = random
    }

    /// - Parameters:
    ///   - visit: the browser's cookie, by digest.
    ///   - place: what the code is for; it is good for nothing else.
    ///   - isAdmitted: whether a code is sent at all.
    ///   - source: the client's address.
    ///   - now: in seconds since 1970.
    /// - Returns: the code to send; nil where none is.
    func begin(_ email: UserEmail, at place: String, visit: Digest256, isAdmitted: Bool, source: String, now: Int64) throws(Refusal) -> String? {
        let code = self.code()
        return try state.withLock { state throws(Refusal) in
            guard state.perSource.allows(Digest256(hashing: source.utf8Span.span.raw), now) else { throw .source }
            guard state.perAddress.allows(email.digest, now) else { throw .address }
            if state.pending.count >= SignInDesk.mostPending { state.pending = state.pending.filter { $0.value.expires > now } }
            guard state.pending.count < SignInDesk.mostPending else { throw .crowded }
            state.perSource.note(Digest256(hashing: source.utf8Span.span.raw), now)
            state.perAddress.note(email.digest, now)
            state.pending[visit] = Pending(
                place: place, email: email, code: isAdmitted ? SignInDesk.digest(code, visit) : nil, expires: now + SignInDesk.life)
            return isAdmitted ? code : nil
        }
    }

    /// Whether somebody from there may be sent to the identity provider: each is remembered until he is back.
    func mayLeave(_ source: String, now: Int64) -> Bool {
        let who = Digest256(hashing: source.utf8Span.span.raw)
        return state.withLock { state in
            guard state.leaving.allows(who, now) else { return false }
            state.leaving.note(who, now)
            return true
        }
    }

    /// Whose code this browser is asked for.
    func awaited(at place: String, visit: Digest256, now: Int64) -> UserEmail? {
        state.withLock { state in
            guard let pending = state.pending[visit], pending.place == place, pending.expires > now else { return nil }
            return pending.email
        }
    }

    /// - Parameter code: as it was typed; blanks and hyphens in it do not count.
    func redeem(_ code: String, at place: String, visit: Digest256, now: Int64) -> Answer {
        let digits = code.filter { $0 != " " && $0 != "-" && $0 != "\u{a0}" }
        return state.withLock { state in
            guard var pending = state.pending[visit], pending.place == place, pending.expires > now else {
                return .none
            }
            if let right = pending.code, right.matches(SignInDesk.digest(digits, visit)) {
                state.pending[visit] = nil
                return .proved(pending.email)
            }
            pending.tries += 1
            state.pending[visit] = pending.tries < SignInDesk.tries ? pending : nil
            return pending.tries < SignInDesk.tries ? .wrong(left: SignInDesk.tries - pending.tries) : .none
        }
    }

    func forget(visit: Digest256) {
        state.withLock { $0.pending[visit] = nil }
    }

    /// Eight digits, each as likely as any other: words above the last whole multiple are drawn again.
    private func code() -> String {
        let count: UInt64 = 100_000_000
        var word = random()
        while word >= UInt64.max - UInt64.max % count { word = random() }
        let digits = String(word % count)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// With the browser's own secret, so that what memory holds is no code.
    private static func digest(_ code: String, _ visit: Digest256) -> Digest256 {
        Digest256(hashing: (visit.bytes + Array(code.utf8)).span.raw)
    }
}
