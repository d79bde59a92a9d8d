// The one who refreshes: every grant's state in one place, so that no two ask for the same token, and nobody shows an old one.

package import EventLoop
package import Gateway
package import Kernel
package import Outbound

/// Why there is no token.
package enum GrantFault: Error, Equatable, Sendable {
    /// Nobody has connected it, or it is connected for another origin.
    case missing
    /// The person must connect again.
    case disconnected(String)
    /// Neither the provider nor the store can tell now.
    case unavailable(String, retryAfter: Duration)
}

/// Runs on a loop of its own. What it does for a grant is said by `GrantState`; here is who waits, and who is asked.
///
/// For one reference there is one errand at a time, and while somebody changes it there is none: what is written last is the newest.
package actor GrantKeeper {
    private nonisolated let loop: EventLoop
    let store: any GrantStore
    let client: any HTTPClient
    let terms: any TermsSource
    let observer: any GrantObserver
    let clock: @Sendable () -> MonotonicTime
    private let wallClock: @Sendable () -> Int64
    private let random: @Sendable () -> UInt64

    private var grants: [Reference: Grant] = [:]
    /// Those of them in which somebody waits or memory is ahead of the store.
    private var restless: Set<Reference> = []
    private var nextSweep: MonotonicTime
    /// From `finish` on no provider is asked again: what it would give might be lost with the process.
    private var isEnding = false

    private struct Grant {
        var state = GrantState()
        var plan: TokenPlan
        var lastUse: MonotonicTime
        var waiting: [CheckedContinuation<Void, Never>] = []
        var steps: [GrantState.Step] = []
        var errand: Task<Void, Never>?
        /// Somebody connects or removes it: no errand begins, and who wants a token waits.
        var isChanging = false
        /// Said to the operator, and not yet said to be over.
        var isInTrouble = false
        /// That memory is ahead of the store was said, and not yet that it is over.
        var isAhead = false
    }

    /// How long one waits for a token.
    private static let patience = Duration.seconds(10)
    /// After how long without use a grant's state is forgotten.
    private static let idleSpan = Duration.seconds(600)

    /// - Parameter loop: shared with no worker.
    package init(
        on loop: EventLoop, store: any GrantStore, client: any HTTPClient, terms: any TermsSource, observer: any GrantObserver,
        clock: @escaping @Sendable () -> MonotonicTime, wallClock: @escaping @Sendable () -> Int64, random: @escaping @Sendable () -> UInt64
    ) {
        self.loop = loop
        self.store = store
        self.client = client
        self.terms = terms
        self.observer = observer
        self.clock = clock
        self.wallClock = wallClock
        self.random = random
        nextSweep = clock()
    }

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.serial }

    // MARK: Tokens

    /// A token that is good now.
    ///
    /// - Parameter reference: where the grant lies; what has none in the store is known by where it would lie.
    package func token(of reference: Reference, by plan: TokenPlan) async throws(GrantFault) -> AccessToken {
        let deadline = clock().advanced(by: GrantKeeper.patience)
        let isOpen = await store.isOpen
        grants[reference, default: Grant(plan: plan, lastUse: clock())].plan = plan
        while true {
            let now = clock()
            var verdict = GrantState.Verdict.wait
            if isEnding, grants[reference]?.errand == nil {
                guard let token = grants[reference]?.state.living(now) else { throw .unavailable("the gateway is ending", retryAfter: .seconds(1)) }
                verdict = .token(token)
            } else if !isEnding, grants[reference]?.isChanging != true {
                grants[reference, default: Grant(plan: plan, lastUse: clock())].lastUse = now
                let (told, step) = grants[reference, default: Grant(plan: plan, lastUse: clock())].state.want(now: now, storeIsOpen: isOpen, share: share())
                verdict = told
                if let step { take(step, for: reference) }
                tellUnsaved(reference, "it has not confirmed it within two seconds")
            }
            switch verdict {
            case .token(let token): return token
            case .missing: throw .missing
            case .disconnected(let why): throw .disconnected(why)
            case .unavailable(let why, let until): throw .unavailable(why, retryAfter: until.duration(since: now))
            case .wait:
                guard now < deadline, !Task.isCancelled else { throw .unavailable("the token endpoint takes too long", retryAfter: .seconds(5)) }
                restless.insert(reference)
                await withCheckedContinuation { grants[reference, default: Grant(plan: plan, lastUse: clock())].waiting.append($0) }
            }
        }
    }

    /// Upstream answered 401 to a token. That one is dropped, where none was of late.
    package func rejected(_ number: Int, of reference: Reference) {
        _ = grants[reference]?.state.reject(number, now: clock())
        wake(reference)
    }

    // MARK: The person

    /// Keeps a grant that a person has just made, durably; whatever was before is over.
    ///
    /// - Parameter record: of any generation: it gets the next.
    package func connect(
        _ record: GrantRecord, access: Secret?, life: Duration?, obtained: MonotonicTime, as reference: Reference, by plan: TokenPlan
    ) async throws(GrantStoreFault) {
        await beginChange(of: reference, plan)
        defer { endChange(of: reference) }
        let known = max(try await storedGeneration(reference), grants[reference]?.state.newest?.generation ?? 0)
        let record = record.generation(known + 1)
        try await store.write(record, to: reference)
        grants[reference]?.plan = plan
        grants[reference]?.state.replaced(by: record, access: access, life: life, now: obtained, share: share())
        grants[reference]?.isInTrouble = false
        await observer.saved(record, as: reference)
    }

    /// 0 where there is none, or none that can be read.
    private func storedGeneration(_ reference: Reference) async throws(GrantStoreFault) -> Int {
        do throws(GrantStoreFault) { return try await store.read(reference)?.generation ?? 0 } catch {
            guard error.isUnreadable else { throw error }
            return 0
        }
    }

    /// Ends what is done for a grant while `body` removes it from the store. Where that fails, it goes on as it was: the store may have an older
    /// generation than memory, which must not be shown.
    ///
    /// - Returns: the newest record, for its revocation, nil where there was none that can be read; and what `body` returned.
    package func remove<R: Sendable, F: Error>(
        _ reference: Reference, by plan: TokenPlan, _ body: @Sendable () async -> Result<R, F>
    ) async -> (newest: GrantRecord?, outcome: Result<R, F>) {
        await beginChange(of: reference, plan)
        defer { endChange(of: reference) }
        var newest = grants[reference]?.state.newest
        if newest == nil { newest = (try? await store.read(reference)) ?? nil }
        let outcome = await body()
        if case .success = outcome { grants[reference]?.state.removed(now: clock()) }
        return (newest.flatMap { $0.isKept ? $0 : nil }, outcome)
    }

    /// What a provider takes that exchanges the refresh token itself: the grant's own, the newest that is known here, else the store's.
    func refreshToken(of reference: Reference, by plan: TokenPlan) async throws(GrantFault) -> Secret {
        while let errand = grants[reference]?.errand { await errand.value }
        var record = grants[reference]?.state.newest
        if record == nil {
            do throws(GrantStoreFault) { record = try await store.read(reference) } catch { throw .unavailable(error.description, retryAfter: .seconds(5)) }
        }
        guard let record, record.fits(plan) else { throw .missing }
        guard case .refreshToken(let token) = record.key else { throw .disconnected("the provider gave no refresh token, and it is that which is exchanged") }
        return token
    }

    /// Forgets the token that is in memory for what is had by another grant: it is asked for anew.
    package func forget(_ reference: Reference) async {
        while let errand = grants[reference]?.errand { await errand.value }
        guard let grant = grants[reference], !grant.isChanging, grant.state.unsaved == nil else { return }
        wake(reference)
        grants[reference] = nil
    }

    private func beginChange(of reference: Reference, _ plan: TokenPlan) async {
        while true {
            if grants[reference, default: Grant(plan: plan, lastUse: clock())].isChanging {
                restless.insert(reference)
                await withCheckedContinuation { grants[reference, default: Grant(plan: plan, lastUse: clock())].waiting.append($0) }
            } else if let errand = grants[reference]?.errand {
                await errand.value
            } else {
                break
            }
        }
        grants[reference, default: Grant(plan: plan, lastUse: clock())].isChanging = true
    }

    private func endChange(of reference: Reference) {
        grants[reference]?.isChanging = false
        wake(reference)
    }

    // MARK: Time

    /// Lets go of who waited too long, and writes what the store did not take. Four times a second, by `keepTime`.
    package func tick() {
        let now = clock()
        for reference in restless {
            if grants[reference]?.isChanging == false, let step = grants[reference]?.state.saveAgain(now: now) { take(step, for: reference) }
            wake(reference)
            if grants[reference]?.state.unsaved == nil { restless.remove(reference) }
        }
        if now >= nextSweep {
            nextSweep = now.advanced(by: .seconds(60))
            grants = grants.filter { !isForgettable($0.value, now: now) }
        }
        observer.unsaved(unsavedCount)
    }

    private func isForgettable(_ grant: Grant, now: MonotonicTime) -> Bool {
        grant.errand == nil && !grant.isChanging && grant.waiting.isEmpty && grant.state.isIdle(at: now)
            && now > grant.lastUse.advanced(by: GrantKeeper.idleSpan)
    }

    package func keepTime() async {
        while !Task.isCancelled {
            tick()
            try? await Task.sleep(for: .milliseconds(250))
        }
    }

    /// Waits for what is under way, so that no answer of a provider is lost, and writes once more what the store has not confirmed. Each grant by
    /// itself: a provider that does not answer holds up nobody else's.
    ///
    /// To be bounded by the caller: what is not done by then is lost with the process.
    package func finish() async {
        isEnding = true
        await withTaskGroup(of: Void.self) { group in
            for (reference, grant) in grants where grant.errand != nil || grant.isChanging || grant.state.unsaved != nil {
                group.addTask { await self.finish(reference, grant.plan) }
            }
        }
        restless = []
    }

    /// Nothing else is done for it meanwhile, so that no older generation is written over a newer.
    private func finish(_ reference: Reference, _ plan: TokenPlan) async {
        await beginChange(of: reference, plan)
        defer { endChange(of: reference) }
        if let unsaved = grants[reference]?.state.unsaved { _ = await save(unsaved, to: reference) }
    }

    /// Grants whose last generation the store has not confirmed.
    package var unsavedCount: Int { restless.count { grants[$0]?.state.unsaved != nil } }

    /// How many grants are known in memory, with what is had without one.
    package var count: Int { grants.count }

    // MARK: Errands

    private func take(_ step: GrantState.Step, for reference: Reference) {
        grants[reference]?.steps.append(step)
        guard grants[reference]?.errand == nil else { return }
        grants[reference]?.errand = Task { await self.run(reference) }
    }

    private func run(_ reference: Reference) async {
        while grants[reference]?.steps.isEmpty == false, let step = grants[reference]?.steps.removeFirst() {
            let next: GrantState.Step?
            switch step {
            case .load:
                await load(reference)
                next = nil
            case .refresh(let record): next = await refresh(record, of: reference)
            case .save(let record): next = await save(record, to: reference)
            }
            if let next { grants[reference]?.steps.insert(next, at: 0) }
            wake(reference)
        }
        grants[reference]?.errand = nil
        wake(reference)
    }

    private func load(_ reference: Reference) async {
        guard let plan = grants[reference]?.plan else { return }
        do throws(GrantStoreFault) {
            var record: GrantRecord? = .asking
            if case .grant = plan.way { record = try await store.read(reference).flatMap { $0.fits(plan) ? $0 : nil } }
            let before = grants[reference]?.state.generationInDoubt
            grants[reference]?.state.loaded(record, now: clock(), wallNow: wallClock())
            if before != nil, case .disconnected(let why)? = grants[reference]?.state.end {
                observer.report(isTrouble: true, "\(reference): the connection is over, its person must connect again: \(why)")
                await observer.disconnected(reference, why)
            }
        } catch {
            grants[reference]?.state.loadFailed(error.description, now: clock())
        }
    }

    private func refresh(_ record: GrantRecord, of reference: Reference) async -> GrantState.Step? {
        guard let plan = grants[reference]?.plan else { return nil }
        let begun = clock()
        let before = grants[reference]?.state.token
        let outcome = await TokenErrand(record, plan, keeper: self).run()
        let now = clock()
        let step: GrantState.Step?
        switch outcome {
        case .answered(let answer):
            observer.refreshed(answer.outcome, took: now.duration(since: begun))
            step = grants[reference]?.state.answered(answer, now: now, share: share())
            if step == nil { tellRenewal(reference, before) }
        case .unanswered(let words, let mayRepeat):
            observer.refreshed(.unanswered, took: now.duration(since: begun))
            step = grants[reference]?.state.unanswered(words, mayRepeat: mayRepeat && !isEnding, now: now)
        case .subjectEnded(let why):
            grants[reference]?.state.subjectEnded(why, now: now)
            step = nil
        }
        tellTrouble(reference)
        return step
    }

    private func save(_ record: GrantRecord, to reference: Reference) async -> GrantState.Step? {
        // One that was to be written again has been overtaken.
        if let newest = grants[reference]?.state.newest, newest.generation > record.generation { return nil }
        let before = grants[reference]?.state.token
        defer { tellRenewal(reference, before) }
        do throws(GrantStoreFault) {
            try await store.write(record, to: reference)
            grants[reference]?.state.saved(record.generation)
            tellUnsaved(reference, "")
            await observer.saved(record, as: reference)
        } catch {
            grants[reference]?.state.unsaved(record.generation, now: clock())
            tellUnsaved(reference, error.description)
        }
        return nil
    }

    /// Once when memory gets ahead of the store, once when it is so no more.
    private func tellUnsaved(_ reference: Reference, _ why: String) {
        guard let grant = grants[reference], grant.isAhead != (grant.state.unsaved != nil) else { return }
        grants[reference]?.isAhead.toggle()
        guard !grant.isAhead else { return observer.report(isTrouble: false, "\(reference): the grant is in the store again") }
        restless.insert(reference)
        observer.report(isTrouble: true, "\(reference): the new grant is kept in memory and written again until the store takes it: \(why)")
    }

    /// Some providers end the old token when they give a new one.
    private func tellRenewal(_ reference: Reference, _ before: AccessToken?) {
        guard let before, let token = grants[reference]?.state.token, token.number != before.number else { return }
        observer.renewed(reference)
    }

    /// Once when it begins, once when it is over.
    private func tellTrouble(_ reference: Reference) {
        guard let grant = grants[reference], grant.isInTrouble != (grant.state.failure != nil) else { return }
        grants[reference]?.isInTrouble.toggle()
        observer.report(isTrouble: grant.state.failure != nil, grant.state.failure.map { "\(reference): no new token: \($0.words)" } ?? "\(reference): tokens are had again")
    }

    private func wake(_ reference: Reference) {
        let waiting = grants[reference]?.waiting ?? []
        grants[reference]?.waiting = []
        for one in waiting { one.resume() }
    }

    /// Evenly from 0 to 1.
    private func share() -> Double {
        Double(evenlyFrom: random())
    }
}

extension TokenAnswer {
    fileprivate var outcome: RefreshOutcome {
        switch self {
        case .tokens: .done
        case .refused(let refused): refused.kind == .invalidGrant ? .ended : .refused
        }
    }
}
