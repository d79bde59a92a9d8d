// Credentials deposited and taken back by whoever may: done in the store first, then told to the audit, and only then acknowledged.

internal import Credentials
internal import Gateway
internal import HTTPTypes
internal import Logging

extension Portal {
    /// Puts `values` in place of what the instance uses for `user`.
    ///
    /// - Parameter link: the auth link that he who deposits came by; nil for a standing one, and for none.
    /// - Throws: whatever kept it from being stored or recorded; it may be done again.
    func deposit(
        _ values: [FieldName: Secret], at instance: ServerInstance, user: UserEmail?, by principal: Principal, through link: LinkID? = nil
    ) async throws(APIFault) {
        // Only then has it a reference.
        guard instance.level == .project || user != nil else { throw APIFault(DepositFault.userNeeded) }
        guard instance.needsDeposit else { throw APIFault(DepositFault.noCredentialNeeded) }
        let reference = Reference(instance, user: user, prefix: snapshot().secrets.prefix)
        let isReplacing = try await asking { try await state.isRecorded(reference) }
        let entry = depositEntry(at: instance, user: user, by: principal, through: link, isReplacing: isReplacing)
        let intent = try await asking { try await state.begin(entry) }
        do throws(DepositFault) { try await desk.deposit(values, at: instance, user: user) } catch {
            let unclear = error.mayBeStored ? entry.saying("not acknowledged, it may be in force: \(error)") : nil
            // Where this fails too, the next start does it.
            do { try await state.settle(intent, as: unclear) } catch { logger.error("the end of a deposit could not be written down: \(error)") }
            throw APIFault(error)
        }
        try await deposited(at: instance, user: user, by: principal, through: link, isReplacing: isReplacing, intent: intent)
    }

    func depositEntry(at instance: ServerInstance, user: UserEmail?, by principal: Principal, through link: LinkID?, isReplacing: Bool) -> AuditEntry {
        principal.entry(
            isReplacing ? .replacement : .deposit, at: wallClock(), project: instance.project, server: instance.name,
            user: instance.level == .user ? user : nil, link: link)
    }

    /// Records what was deposited: in the audit, and with the link it came through.
    /// - Parameter intent: of `state.begin`, which ends with it.
    func deposited(
        at instance: ServerInstance, user: UserEmail?, by principal: Principal, through link: LinkID?, isReplacing: Bool, intent: Int64
    ) async throws(APIFault) {
        let entry = depositEntry(at: instance, user: user, by: principal, through: link, isReplacing: isReplacing)
        let now = entry.time
        try await asking {
            try await state.settle(intent, as: entry)
            if let link, case .person(let email) = principal.actor {
                try await state.record(LinkCompletion(link: link, email: email, server: instance.name, at: now))
            }
        }
    }

    /// Deletes what the instance uses for `user`; the next request misses it.
    /// - Returns: whether there was one.
    func revoke(at instance: ServerInstance, user: UserEmail?, by principal: Principal, link: LinkID? = nil) async throws(APIFault) -> Bool {
        let existed: Bool
        do throws(DepositFault) { existed = try await desk.delete(at: instance, user: user) } catch { throw APIFault(error) }
        guard existed else { return false }
        let whose = instance.level == .user ? user : nil
        let entry = principal.entry(.revocation, at: wallClock(), project: instance.project, server: instance.name, user: whose, link: link)
        try await asking { try await state.append(entry) }
        return true
    }

    /// As `revoke(at:)`, for a credential as it is on record: also one whose server is gone, or has the other level now.
    func revoke(_ deposit: Deposit, by principal: Principal) async throws(APIFault) -> Bool {
        let existed: Bool
        do throws(DepositFault) { existed = try await desk.delete(deposit) } catch { throw APIFault(error) }
        guard existed else { return false }
        let entry = principal.entry(.revocation, at: wallClock(), project: deposit.project, server: deposit.server, user: deposit.user)
        try await asking { try await state.append(entry) }
        return true
    }

    /// What the database answers; its failure as the API's.
    func asking<R>(_ body: () async throws -> R) async throws(APIFault) -> R {
        do {
            return try await body()
        } catch {
            throw APIFault(.serviceUnavailable, "state_unavailable", "The database could not be asked, do it again: \(error)", retryAfter: .seconds(2))
        }
    }
}
