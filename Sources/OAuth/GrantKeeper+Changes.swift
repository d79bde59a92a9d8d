// How a grant is connected, and removed, while nobody else does anything with it.

package import Gateway
package import Kernel

extension GrantKeeper {
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
        grants[reference]?.state.restart()
        wake(reference)
    }

    /// Forgets the tokens of servers whose settings are others now: they are had anew, by those.
    ///
    /// - Parameter servers: as they are called under `servers`.
    package func forget(servers: Set<String>) async {
        for reference in grants.filter({ servers.contains($0.value.plan.server.name) }).keys { await forget(reference) }
    }

    func beginChange(of reference: Reference, _ plan: TokenPlan) async {
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

    func endChange(of reference: Reference) {
        grants[reference]?.isChanging = false
        wake(reference)
    }
}
