// What becomes of one grant: a state machine, event in, step out. It asks nobody and knows no clock but the one it is told.

internal import Gateway
internal import Kernel

/// One refresh at a time; a new refresh token is written before its access token is used, for two seconds at most; what the provider says of
/// one generation says nothing of a later one.
///
/// The documentation's «Life of a grant» draws it.
struct GrantState {
    /// What the owner does next, and then tells the machine of.
    enum Step {
        /// Read the record; then `loaded` or `loadFailed`.
        case load
        /// Ask the token endpoint with this record; then `answered` or `unanswered`.
        case refresh(GrantRecord)
        /// Write this record; then `saved` or `unsaved`.
        case save(GrantRecord)
    }

    /// What one who wants a token is told now.
    enum Verdict {
        case token(AccessToken)
        /// Something is under way that will tell.
        case wait
        /// There is no grant.
        case missing
        /// There was one, and only the person can help; why.
        case disconnected(String)
        /// Nobody can tell now; when to ask again.
        case unavailable(String, until: MonotonicTime)
    }

    private enum Phase {
        case unknown
        case loading
        case idle(GrantRecord)
        /// `attempts` were made with this record without any answer.
        case refreshing(GrantRecord, since: MonotonicTime, attempts: Int)
        /// The provider said `invalid_grant` of this record: has the store another by now?
        case doubting(GrantRecord, String)
        /// What the provider gave is being written; used from `patience` on even so.
        case saving(GrantRecord, AccessToken, patience: MonotonicTime)
        /// This generation is over, or there never was any (0). The store is asked again from `checkFrom` on: somebody may have put another there.
        case ended(generation: Int, End, checkFrom: MonotonicTime)
        case checking(generation: Int, End)
    }

    private enum End {
        case missing
        case disconnected(String)

        var verdict: Verdict {
            switch self {
            case .missing: .missing
            case .disconnected(let why): .disconnected(why)
            }
        }
    }

    private var phase = Phase.unknown
    private(set) var token: AccessToken?
    /// A newer record than the store has confirmed.
    private(set) var unsaved: GrantRecord?
    private var nextSave = MonotonicTime(nanoseconds: 0)
    private var saveFailures = 0
    private var lastForced: MonotonicTime?
    /// Why the last attempt failed; nil after one that did not.
    private(set) var failure: (words: String, until: MonotonicTime, count: Int)?
    private var tokens = 0

    /// How long the store may take to confirm before the token is used.
    static let savePatience = Duration.seconds(2)
    /// Between two refreshes that upstream's 401 forced.
    static let forcedSpan = Duration.seconds(30)
    /// How often a refresh is sent whose answer is lost.
    static let attemptsLimit = 3
    /// How long it is believed that there is no grant, or that it is over.
    static let endSpan = Duration.seconds(1)

    // MARK: Asking

    /// - Returns: also the step to take, where one is due.
    mutating func want(now: MonotonicTime, storeIsOpen: Bool = false, share: Double) -> (Verdict, Step?) {
        switch phase {
        case .unknown:
            if let failure, now < failure.until { return (.unavailable(failure.words, until: failure.until), nil) }
            phase = .loading
            return (.wait, .load)
        case .loading, .doubting:
            return (living(now).map(Verdict.token) ?? .wait, nil)
        case .idle(let record):
            return wantIdle(record, now: now, storeIsOpen: storeIsOpen)
        case .refreshing:
            return (living(now).map(Verdict.token) ?? .wait, nil)
        case .saving(let record, let token, let patience):
            guard now >= patience else { return (living(now).map(Verdict.token) ?? .wait, nil) }
            self.token = token
            unsaved = record
            phase = .idle(record)
            return (.token(token), nil)
        case .ended(let generation, let end, let checkFrom):
            guard now >= checkFrom else { return (end.verdict, nil) }
            phase = .checking(generation: generation, end)
            return (.wait, .load)
        case .checking:
            return (.wait, nil)
        }
    }

    private mutating func wantIdle(_ record: GrantRecord, now: MonotonicTime, storeIsOpen: Bool) -> (Verdict, Step?) {
        let living = living(now)
        if let living, now < living.refreshFrom || storeIsOpen { return (.token(living), nil) }
        if case .accessToken = record.key {
            if let living { return (.token(living), nil) }
            let why = "the token has ended, and the provider gave no refresh token"
            end(record.generation, .disconnected(why), now: now)
            return (.disconnected(why), nil)
        }
        if let failure, now < failure.until {
            return (living.map(Verdict.token) ?? .unavailable(failure.words, until: failure.until), nil)
        }
        phase = .refreshing(record, since: now, attempts: 0)
        return (living.map(Verdict.token) ?? .wait, .refresh(record))
    }

    /// The present token, where it is good.
    func living(_ now: MonotonicTime) -> AccessToken? {
        token.flatMap { $0.isAlive(at: now) ? $0 : nil }
    }

    /// Upstream said 401 to this token. Another than the present one says nothing; the present one is dropped, if none was forced just now.
    ///
    /// - Returns: whether another token may be had.
    mutating func reject(_ number: Int, now: MonotonicTime) -> Bool {
        guard let token, token.number == number else { return true }
        switch phase {
        case .refreshing, .saving:
            // Some providers end the old token when they give the next one, which is on its way.
            self.token = nil
            return true
        case .unknown, .loading, .idle, .doubting, .ended, .checking: break
        }
        if let lastForced, now.duration(since: lastForced) < GrantState.forcedSpan { return false }
        lastForced = now
        self.token = nil
        if case .idle(let record) = phase, case .accessToken = record.key {
            end(record.generation, .disconnected("the server takes the token no more, and the provider gave no refresh token"), now: now)
            return false
        }
        return true
    }

    // MARK: The store

    /// - Parameter record: nil where the store has none.
    ///
    /// - Parameter wallNow: seconds since 1970, for a token that is kept with the time of its end.
    mutating func loaded(_ record: GrantRecord?, now: MonotonicTime, wallNow: Int64) {
        defer { if case .idle(let record) = phase { hold(record, now: now, wallNow: wallNow) } }
        switch phase {
        case .doubting(let failed, let words):
            // Another gateway may have refreshed meanwhile: its generation is the grant now.
            if let record, record.generation > failed.generation {
                phase = .idle(record)
            } else {
                token = nil
                end(failed.generation, .disconnected(words), now: now)
            }
        case .loading:
            if let record { phase = .idle(record) } else { end(0, .missing, now: now) }
        case .checking(let generation, let known):
            if let record, record.generation > generation {
                phase = .idle(record)
            } else {
                end(record == nil ? 0 : generation, record == nil ? .missing : known, now: now)
            }
        case .unknown, .idle, .refreshing, .saving, .ended: break
        }
    }

    /// A token that is the grant itself is at hand with the record.
    private mutating func hold(_ record: GrantRecord, now: MonotonicTime, wallNow: Int64) {
        guard case .accessToken(let value, let expires) = record.key else { return }
        let life = expires.map { Duration.seconds(max(0, $0 - wallNow)) }
        tokens += 1
        token = AccessToken(number: tokens, value: value, obtained: now, life: life, share: 0)
    }

    private mutating func end(_ generation: Int, _ end: End, now: MonotonicTime) {
        phase = .ended(generation: generation, end, checkFrom: now.advanced(by: GrantState.endSpan))
    }

    mutating func loadFailed(_ words: String, now: MonotonicTime) {
        switch phase {
        case .loading:
            note(words, now: now)
            phase = .unknown
        // Nothing is known against it but the provider's word, which is repeated at the next attempt.
        case .doubting(let record, _):
            note(words, now: now)
            phase = .idle(record)
        case .checking(let generation, let known): end(generation, known, now: now)
        case .unknown, .idle, .refreshing, .saving, .ended: break
        }
    }

    /// The store has confirmed this generation.
    mutating func saved(_ generation: Int) {
        saveFailures = 0
        if let unsaved, unsaved.generation <= generation { self.unsaved = nil }
        if case .saving(let record, let token, _) = phase, record.generation == generation {
            self.token = token
            phase = .idle(record)
        }
    }

    /// It has not; whether it was written nevertheless is not known, and does no harm.
    mutating func unsaved(_ generation: Int, now: MonotonicTime) {
        if case .saving(let record, let token, _) = phase, record.generation == generation {
            self.token = token
            unsaved = record
            phase = .idle(record)
        }
        saveFailures += 1
        nextSave = now.advanced(by: min(.seconds(1 << min(saveFailures, 5)), .seconds(30)))
    }

    /// The write that is due again; to be asked every second.
    mutating func saveAgain(now: MonotonicTime) -> Step? {
        guard let unsaved, now >= nextSave else { return nil }
        nextSave = now.advanced(by: .seconds(30))
        return .save(unsaved)
    }

    // MARK: The provider

    /// The token endpoint has answered.
    mutating func answered(_ answer: TokenAnswer, now: MonotonicTime, share: Double) -> Step? {
        guard case .refreshing(let record, let since, _) = phase else { return nil }
        switch answer {
        case .tokens(let tokens):
            failure = nil
            self.tokens += 1
            let fresh = AccessToken(number: self.tokens, value: tokens.access, identity: tokens.identity, obtained: since, life: tokens.life, share: share)
            let next = record.after(tokens)
            guard next.generation != record.generation else {
                token = fresh
                phase = .idle(record)
                return nil
            }
            phase = .saving(next, fresh, patience: now.advanced(by: GrantState.savePatience))
            return .save(next)
        case .refused(let refused):
            switch refused.kind {
            case .invalidGrant where record.isKept:
                phase = .doubting(record, "the provider ended it (\(refused.words))")
                return .load
            case .invalidGrant, .invalidClient, .invalidScope, .invalidRequest, .passing, .unintelligible:
                note("the token endpoint: \(refused.words)", now: now)
                phase = .idle(record)
                return nil
            }
        }
    }

    /// No answer came. It may have been carried out: the same token is shown again, a few times, and never an older one.
    mutating func unanswered(_ words: String, mayRepeat: Bool, now: MonotonicTime) -> Step? {
        guard case .refreshing(let record, let since, let attempts) = phase else { return nil }
        if mayRepeat, attempts + 1 < GrantState.attemptsLimit {
            phase = .refreshing(record, since: since, attempts: attempts + 1)
            return .refresh(record)
        }
        note("the token endpoint: \(words)", now: now)
        phase = .idle(record)
        return nil
    }

    /// The grant whose tokens are exchanged is not there, or over; nothing was asked.
    mutating func subjectEnded(_ why: String?, now: MonotonicTime) {
        guard case .refreshing = phase else { return }
        token = nil
        end(0, why.map(End.disconnected) ?? .missing, now: now)
    }

    // MARK: The person

    /// Connected anew, durably: the next generation, whatever was before.
    mutating func replaced(by record: GrantRecord, access: Secret?, life: Duration?, now: MonotonicTime, share: Double) {
        forget()
        phase = .idle(record)
        guard let access else { return }
        tokens += 1
        token = AccessToken(number: tokens, value: access, obtained: now, life: life, share: share)
    }

    /// As if nothing were known; the store will tell.
    mutating func restart() {
        forget()
    }

    mutating func removed(now: MonotonicTime) {
        forget()
        end(0, .missing, now: now)
    }

    /// The newest record that is known here, confirmed or not.
    var newest: GrantRecord? {
        if let unsaved { return unsaved }
        switch phase {
        case .idle(let record), .refreshing(let record, _, _), .doubting(let record, _), .saving(let record, _, _): return record
        case .unknown, .loading, .ended, .checking: return nil
        }
    }

    /// Which generation the provider said is over, while the store is asked whether it has another.
    var generationInDoubt: Int? {
        if case .doubting(let record, _) = phase { record.generation } else { nil }
    }

    /// That and why there is no grant.
    var end: Verdict? {
        if case .ended(_, let end, _) = phase { end.verdict } else { nil }
    }

    /// Whether nothing is lost by forgetting all of it but what the store has.
    func isIdle(at now: MonotonicTime) -> Bool {
        guard unsaved == nil, living(now) == nil else { return false }
        switch phase {
        case .unknown, .idle, .ended: return true
        case .loading, .refreshing, .doubting, .saving, .checking: return false
        }
    }

    /// All but how many tokens there were: a number names one for ever.
    private mutating func forget() {
        let tokens = tokens
        self = GrantState()
        self.tokens = tokens
    }

    private mutating func note(_ words: String, now: MonotonicTime) {
        let count = (failure?.count ?? 0) + 1
        failure = (words, now.advanced(by: min(.seconds(1 << min(count, 5)), .seconds(30))), count)
    }
}
