// The one who refreshes: every grant's state in one place, so that no two ask for the same token, and nobody shows an old one.

package import EventLoop
package import Gateway
package import Kernel
package import Outbound

/// Where grants lie. The secret store does it; `claviger` joins the two.
package protocol GrantStore: Sendable {
    /// Nil where there is none.
    func read(_ reference: Reference) async throws(GrantStoreFault) -> GrantRecord?

    /// Durable when it returns.
    func write(_ record: GrantRecord, to reference: Reference) async throws(GrantStoreFault)

    /// Whether the store is known not to answer now: then no refresh is begun that can wait.
    var isOpen: Bool { get async }
}

/// The store could not do it. Words for a log and a refusal.
package struct GrantStoreFault: Error, Equatable, Sendable {
    package let words: String

    package init(_ words: String) {
        self.words = words
    }
}

/// With whom and how a grant's tokens are had, as configured or discovered now.
package struct GrantTerms: Sendable {
    package let tokenEndpoint: ServiceURL
    package let client: OAuthClient
    /// RFC 8707; nil where the provider wants none.
    package let resource: String?

    package init(tokenEndpoint: ServiceURL, client: OAuthClient, resource: String?) {
        self.tokenEndpoint = tokenEndpoint
        self.client = client
        self.resource = resource
    }
}

/// Why there is no token.
package enum GrantFault: Error, Equatable, Sendable {
    /// The person must connect again.
    case disconnected(String)
    /// Neither the provider nor the store can tell now.
    case unavailable(String, retryAfter: Duration)
}

/// Runs on a loop of its own. What it does for a grant is said by `GrantState`; here is who waits, and who is asked.
package actor GrantKeeper {
    private nonisolated let loop: EventLoop
    private let store: any GrantStore
    private let client: any HTTPClient
    private let clock: @Sendable () -> MonotonicTime
    private let random: @Sendable () -> UInt64
    private let report: @Sendable (String) -> Void

    private var grants: [Reference: Grant] = [:]
    private var errands: [Int: Task<Void, Never>] = [:]
    private var lastErrand = 0

    private struct Grant {
        var state = GrantState()
        var terms: GrantTerms
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    /// How long one waits for a token.
    private static let patience = Duration.seconds(10)

    /// - Parameters:
    ///   - loop: its own, shared with no worker.
    ///   - report: told in words of what an operator should know: a write that does not hold, and that it holds again.
    package init(
        on loop: EventLoop, store: any GrantStore, client: any HTTPClient, clock: @escaping @Sendable () -> MonotonicTime,
        random: @escaping @Sendable () -> UInt64, report: @escaping @Sendable (String) -> Void
    ) {
        self.loop = loop
        self.store = store
        self.client = client
        self.clock = clock
        self.random = random
        self.report = report
    }

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.serial }

    /// A token that is good now.
    package func token(of reference: Reference, on terms: GrantTerms) async throws(GrantFault) -> AccessToken {
        grants[reference, default: Grant(terms: terms)].terms = terms
        let deadline = clock().advanced(by: GrantKeeper.patience)
        let isOpen = await store.isOpen
        while true {
            let now = clock()
            let (verdict, step) = grants[reference, default: Grant(terms: terms)].state.want(now: now, storeIsOpen: isOpen, share: share())
            if let step { run(step, of: reference) }
            switch verdict {
            case .token(let token): return token
            case .disconnected(let why): throw .disconnected(why)
            case .unavailable(let why, let until): throw .unavailable(why, retryAfter: until.duration(since: now))
            case .wait:
                guard now < deadline, !Task.isCancelled else { throw .unavailable("the token endpoint takes too long", retryAfter: .seconds(5)) }
                await withCheckedContinuation { grants[reference, default: Grant(terms: terms)].waiting.append($0) }
            }
        }
    }

    /// Upstream answered 401 to a token.
    /// - Returns: whether `token` may give another now.
    package func rejected(_ number: Int, of reference: Reference) -> Bool {
        grants[reference]?.state.reject(number, now: clock()) ?? true
    }

    /// Keeps a grant that a person has just made, durably; whatever was before is over.
    package func connect(_ record: GrantRecord, access: Secret?, life: Duration?, as reference: Reference, on terms: GrantTerms) async throws(GrantStoreFault) {
        try await store.write(record, to: reference)
        grants[reference, default: Grant(terms: terms)].terms = terms
        grants[reference]?.state.replaced(by: record, access: access, life: life, now: clock(), share: share())
        wake(reference)
    }

    /// The grant is deleted from the store.
    package func removed(_ reference: Reference) {
        grants[reference]?.state.removed()
        wake(reference)
    }

    /// Lets go of who waited too long, and writes what the store did not take. Four times a second, by `keepTime`.
    package func tick() {
        let now = clock()
        for reference in Array(grants.keys) {
            if let step = grants[reference]?.state.saveAgain(now: now) { run(step, of: reference) }
            wake(reference)
        }
    }

    /// Ends what is under way. A refresh whose answer is lost by that is asked for again at the next start, with the token the store has.
    package func close() {
        for errand in errands.values { errand.cancel() }
    }

    /// Grants whose last generation the store has not confirmed.
    package var unsavedCount: Int { grants.values.count { $0.state.unsaved != nil } }

    // MARK: Errands

    private func run(_ step: GrantState.Step, of reference: Reference) {
        lastErrand += 1
        let number = lastErrand
        errands[number] = Task {
            await self.perform(step, of: reference)
            self.errands[number] = nil
        }
    }

    private func perform(_ step: GrantState.Step, of reference: Reference) async {
        var next: GrantState.Step? = step
        while let step = next {
            switch step {
            case .load: next = await load(reference)
            case .refresh(let record): next = await refresh(record, of: reference)
            case .save(let record): next = await save(record, to: reference)
            }
            wake(reference)
        }
    }

    private func load(_ reference: Reference) async -> GrantState.Step? {
        do throws(GrantStoreFault) {
            let record = try await store.read(reference)
            return grants[reference]?.state.loaded(record)
        } catch {
            grants[reference]?.state.loadFailed(error.words, now: clock())
            return nil
        }
    }

    private func refresh(_ record: GrantRecord, of reference: Reference) async -> GrantState.Step? {
        guard let terms = grants[reference]?.terms, case .refreshToken(let token) = record.key else { return nil }
        var form = TokenForm(grant: "refresh_token")
        form.add("refresh_token", token)
        if let resource = terms.resource { form.add("resource", resource) }
        let request: OutboundRequest
        do throws(NotUsable) {
            request = try form.request(to: terms.tokenEndpoint, by: terms.client, limits: OutboundRequest.Limits(time: .seconds(8)))
        } catch {
            return grants[reference]?.state.unanswered(error.description, mayRepeat: false, now: clock())
        }
        do throws(OutboundFault) {
            let response = try await client.send(request)
            return grants[reference]?.state.answered(TokenAnswer.read(status: response.status, body: response.body.bytes), now: clock(), share: share())
        } catch {
            let mayRepeat = error.retry != .pointless && error.kind != .cancelled
            return grants[reference]?.state.unanswered(error.description, mayRepeat: mayRepeat, now: clock())
        }
    }

    private func save(_ record: GrantRecord, to reference: Reference) async -> GrantState.Step? {
        let wasUnsaved = grants[reference]?.state.unsaved != nil
        do throws(GrantStoreFault) {
            try await store.write(record, to: reference)
            grants[reference]?.state.saved(record.generation)
            if wasUnsaved { report("\(reference): the grant is in the store again") }
        } catch {
            grants[reference]?.state.unsaved(record.generation, now: clock())
            if !wasUnsaved { report("\(reference): the new grant could not be written and is kept in memory; it is tried again: \(error.words)") }
        }
        return nil
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
