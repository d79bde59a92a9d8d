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
    let wallClock: @Sendable () -> Int64
    private let random: @Sendable () -> UInt64

    var grants: [Reference: Grant] = [:]
    /// Those of them in which somebody waits or memory is ahead of the store.
    var restless: Set<Reference> = []
    private var nextSweep: MonotonicTime
    /// From `finish` on no provider is asked again: what it would give might be lost with the process.
    var isEnding = false

    struct Grant {
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

    func wake(_ reference: Reference) {
        let waiting = grants[reference]?.waiting ?? []
        grants[reference]?.waiting = []
        for one in waiting { one.resume() }
    }

    /// Evenly from 0 to 1.
    func share() -> Double {
        Double(evenlyFrom: random())
    }
}
