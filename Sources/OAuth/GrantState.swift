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
        /// Only the person can help; why.
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
        case disconnected(generation: Int, String)
    }

    private var phase = Phase.unknown
    private(set) var token: AccessToken?
    /// A newer record than the store has confirmed.
    private(set) var unsaved: GrantRecord?
    private var nextSave = MonotonicTime(nanoseconds: 0)
    private var saveFailures = 0
    private var lastForced: MonotonicTime?
    private var failure: (words: String, until: MonotonicTime, count: Int)?
    private var tokens = 0

    /// How long the store may take to confirm before the token is used.
    static let savePatience = Duration.seconds(2)
    /// Between two refreshes that upstream's 401 forced.
    static let forcedSpan = Duration.seconds(30)
    /// How often a refresh is sent whose answer is lost.
    static let attemptsLimit = 3

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
            if let old = living(now) { return (.token(old), nil) }
            guard now >= patience else { return (.wait, nil) }
            self.token = token
            unsaved = record
            phase = .idle(record)
            return (.token(token), nil)
        case .disconnected(_, let why):
            return (.disconnected(why), nil)
        }
    }

    private mutating func wantIdle(_ record: GrantRecord, now: MonotonicTime, storeIsOpen: Bool) -> (Verdict, Step?) {
        let living = living(now)
        if let living, now < living.refreshFrom || storeIsOpen { return (.token(living), nil) }
        if case .accessToken(let value) = record.key {
            guard token == nil else { return (.disconnected("the provider's token has ended, and it gave no refresh token"), nil) }
            tokens += 1
            let token = AccessToken(number: tokens, value: value, obtained: now, life: nil, share: 0)
            self.token = token
            return (.token(token), nil)
        }
        if let failure, now < failure.until {
            return (living.map(Verdict.token) ?? .unavailable(failure.words, until: failure.until), nil)
        }
        phase = .refreshing(record, since: now, attempts: 0)
        return (living.map(Verdict.token) ?? .wait, .refresh(record))
    }

    private func living(_ now: MonotonicTime) -> AccessToken? {
        token.flatMap { $0.isAlive(at: now) ? $0 : nil }
    }

    /// Upstream said 401 to this token. Another than the present one says nothing; the present one is dropped, if none was forced just now.
    ///
    /// - Returns: whether another token may be had.
    mutating func reject(_ number: Int, now: MonotonicTime) -> Bool {
        guard let token, token.number == number else { return true }
        if let lastForced, now.duration(since: lastForced) < GrantState.forcedSpan { return false }
        lastForced = now
        self.token = nil
        if case .idle(let record) = phase, case .accessToken = record.key {
            phase = .disconnected(generation: record.generation, "the server takes the provider's token no more, and there is no refresh token")
            return false
        }
        return true
    }

    // MARK: The store

    /// - Parameter record: nil where the store has none.
    mutating func loaded(_ record: GrantRecord?) -> Step? {
        switch phase {
        case .doubting(let failed, let words):
            // Another gateway may have refreshed meanwhile: its generation is the grant now.
            if let record, record.generation > failed.generation {
                phase = .idle(record)
            } else {
                phase = .disconnected(generation: failed.generation, words)
                token = nil
            }
        case .loading:
            if let record { phase = .idle(record) } else { phase = .disconnected(generation: 0, "it is not connected") }
        case .unknown, .idle, .refreshing, .saving, .disconnected: break
        }
        return nil
    }

    mutating func loadFailed(_ words: String, now: MonotonicTime) {
        note(words, now: now)
        switch phase {
        case .loading: phase = .unknown
        // Nothing is known against it but the provider's word, which is repeated at the next attempt.
        case .doubting(let record, _): phase = .idle(record)
        case .unknown, .idle, .refreshing, .saving, .disconnected: break
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
            let fresh = AccessToken(number: self.tokens, value: tokens.access, obtained: since, life: tokens.life, share: share)
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
            case .invalidGrant:
                phase = .doubting(record, "the provider ended it (\(refused.words))")
                return .load
            case .invalidClient, .invalidScope, .invalidRequest, .passing, .unintelligible:
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

    // MARK: The person

    /// Connected anew, durably: the next generation, whatever was before.
    mutating func replaced(by record: GrantRecord, access: Secret?, life: Duration?, now: MonotonicTime, share: Double) {
        forget()
        phase = .idle(record)
        guard let access else { return }
        tokens += 1
        token = AccessToken(number: tokens, value: access, obtained: now, life: life, share: share)
    }

    mutating func removed() {
        forget()
        phase = .disconnected(generation: 0, "it is not connected")
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
