// What the keeper does for a grant, one thing at a time, and what it tells of that.

internal import Gateway
internal import Kernel

extension GrantKeeper {
    func take(_ step: GrantState.Step, for reference: Reference) {
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

    func save(_ record: GrantRecord, to reference: Reference) async -> GrantState.Step? {
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
    func tellUnsaved(_ reference: Reference, _ why: String) {
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
}

extension TokenAnswer {
    fileprivate var outcome: RefreshOutcome {
        switch self {
        case .tokens: .done
        case .refused(let refused): refused.kind == .invalidGrant ? .ended : .refused
        }
    }
}
