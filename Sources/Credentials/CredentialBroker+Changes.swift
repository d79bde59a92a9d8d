// How a credential is deposited, deleted and listed, so that a crash at any point leaves nothing half done.

package import Gateway
internal import Metrics

/// Why a deposit or a deletion was not done. Nothing of it holds a value.
package enum DepositFault: Error, Sendable, CustomStringConvertible {
    /// The server takes no credential.
    case noCredentialNeeded
    /// The server is of user level, and no user was named.
    case userNeeded
    /// The server's credential is an OAuth grant, which no one can type.
    case connectInstead
    /// What is wrong with the values, each with a sentence for the person who gave them.
    case values([CredentialFault])
    /// It may or may not have been stored; what is stored is whole.
    case store(StoreFault)
    /// It is stored, but could not be recorded; where an older record names another origin it does not count yet.
    case ledger(String)

    /// It stays so until somebody mends what the words name: doing the same again alone does not help.
    package var isLasting: Bool {
        switch self {
        case .noCredentialNeeded, .userNeeded, .connectInstead, .values: true
        case .store(let fault): fault.isLasting
        case .ledger: false
        }
    }

    /// Whether the store may have it all the same.
    package var mayBeStored: Bool {
        switch self {
        case .noCredentialNeeded, .userNeeded, .connectInstead, .values: false
        case .store(let fault): fault.kind != .rejected
        case .ledger: true
        }
    }

    package var description: String {
        switch self {
        case .noCredentialNeeded: "this server takes no credential"
        case .userNeeded: "this server needs a credential for each user: say whose"
        case .connectInstead: "this server is connected by signing in at its provider, not with a key: use its page, or `claviger credential connect`"
        case .values(let faults): faults.map(\.sentence).joined(separator: " ")
        case .store(let fault): fault.description
        case .ledger(let reason): "the deposit could not be recorded, do it again: \(reason)"
        }
    }
}

/// A credential that is in the store, and what is recorded of it.
package struct StoredCredential: Sendable {
    package let reference: Reference
    /// Nil for a value that was put there by other means and that nobody asked for yet.
    package let deposit: Deposit?
}

extension CredentialBroker {
    /// Puts `values` in place of what the instance used for `user`, durably; the next request on every worker sees it.
    ///
    /// Store and ledger are two, and a crash may come between them. What must never be: a value recorded for an origin that it was not given
    /// for. So a record that names another origin is changed only after the new value has replaced the old one (between the two the
    /// credential counts as missing), and a first record is made before there is a value (a record without a value is nothing).
    /// A value without a record, put there by other means, is adopted for the origin of the server that first asks for it.
    ///
    /// Changes of one credential wait for one another. Once begun, one is finished though its task is cancelled.
    ///
    /// - Parameters:
    ///   - values: exactly the server's fields.
    ///   - user: whose, for user level; does not count for project level.
    ///   - matches: whether the whole value matches a field's `pattern`.
    /// - Throws: `DepositFault`; after `.store` and `.ledger` the same deposit may be made again.
    package func deposit(
        _ values: [FieldName: Secret], at instance: ServerInstance, user: UserEmail?,
        matches: (_ pattern: String, _ value: Secret) -> Bool = FieldPattern.matches
    ) async throws(DepositFault) {
        let key = try checkedKey(instance, user)
        guard instance.server.oauth == nil else { throw .connectInstead }
        let faults = RenderedCredential.problems(with: values, for: instance.server, matches: matches)
        guard faults.isEmpty else { throw .values(faults) }
        let value = CredentialJSON.write(values)
        let deposit = Deposit(at: instance, user: user, prefix: prefix, now: wallClock())
        try await change(key) { broker async throws(DepositFault) in
            _ = try await broker.recording { ledger async throws in try await ledger.adopt(deposit) }
            // Whatever comes of the write, what was cached may be wrong from now on.
            try await broker.write(value, to: deposit.reference)
            try await broker.recording { ledger async throws in try await ledger.record(deposit) }
        }
    }

    /// Removes what the instance uses for `user`, durably; the next request on every worker misses it.
    ///
    /// The value goes first: a record without a value is nothing.
    /// - Returns: whether there was one.
    /// - Throws: `DepositFault`; the same may be done again.
    package func delete(at instance: ServerInstance, user: UserEmail?) async throws(DepositFault) -> Bool {
        let key = try checkedKey(instance, user)
        let reference = Reference(instance, user: user, prefix: prefix)
        guard instance.server.oauth == nil else {
            return try await change(key) { broker async throws(DepositFault) in try await broker.disconnect(instance, user, reference) }
        }
        return try await delete(reference, key)
    }

    /// As `delete(at:)`, for a credential as it is on record: also one whose server is gone, or has the other level now.
    package func delete(_ deposit: Deposit) async throws(DepositFault) -> Bool {
        try await delete(deposit.reference, CacheKey(deposit.reference, prefix: prefix))
    }

    private func delete(_ reference: Reference, _ key: CacheKey) async throws(DepositFault) -> Bool {
        try await change(key) { broker async throws(DepositFault) in
            let existed: Bool
            do throws(StoreFault) {
                broker.metrics.add(.storeDeletes)
                existed = try await broker.store.delete(reference)
            } catch {
                broker.metrics.add(.storeFailures)
                throw .store(error)
            }
            try await broker.recording { ledger async throws in try await ledger.forget(reference) }
            return existed
        }
    }

    /// The grant goes, whatever its provider says to its revocation.
    private func disconnect(_ instance: ServerInstance, _ user: UserEmail?, _ reference: Reference) async throws(DepositFault) -> Bool {
        let words: String?
        do throws(StoreFault) {
            metrics.add(.storeDeletes)
            words = try await tokens.remove(at: instance, user: user)
        } catch {
            metrics.add(.storeFailures)
            throw .store(error)
        }
        try await recording { ledger async throws in try await ledger.forget(reference) }
        return words != nil
    }

    /// A person has connected the instance for `user`: it is on record, and the next request on every worker sees it.
    package func connected(_ instance: ServerInstance, user: UserEmail?) async throws(DepositFault) {
        let deposit = Deposit(at: instance, user: user, prefix: prefix, now: wallClock())
        try await change(CacheKey(instance, user: user)) { broker async throws(DepositFault) in
            try await broker.recording { ledger async throws in try await ledger.record(deposit) }
        }
    }

    /// There is another token in place of what is cached of what lies at `reference`. Whoever has the old one may go on with it until it is looked for.
    package func changed(_ reference: Reference) {
        invalidate(CacheKey(reference, prefix: prefix))
    }

    /// A project's credentials, as the store has them, each with its record. No value is read.
    package func list(_ project: ProjectName) async throws(DepositFault) -> [StoredCredential] {
        let references: [Reference]
        do throws(StoreFault) {
            references = try await store.list(under: Reference.root(of: project, prefix: prefix))
        } catch {
            metrics.add(.storeFailures)
            throw .store(error)
        }
        let deposits = try await recording { ledger async throws in try await ledger.deposits(in: project) }
        let recorded = Dictionary(deposits.map { ($0.reference, $0) }) { first, _ in first }
        return references.map { StoredCredential(reference: $0, deposit: recorded[$0]) }
    }

    /// Only within a `change`.
    func write(_ value: Secret, to reference: Reference) async throws(DepositFault) {
        metrics.add(.storeWrites)
        do throws(StoreFault) {
            try await store.write(value, to: reference)
        } catch {
            metrics.add(.storeFailures)
            throw .store(error)
        }
    }

    private nonisolated func checkedKey(_ instance: ServerInstance, _ user: UserEmail?) throws(DepositFault) -> CacheKey {
        if case .none = instance.server.injector { throw .noCredentialNeeded }
        guard instance.level == .project || user != nil else { throw .userNeeded }
        return CacheKey(instance, user: user)
    }

    /// Runs `body` when no other change of the same credential is under way, to its end, and invalidates before it returns or throws.
    func change<R: Sendable>(
        _ key: CacheKey, _ body: @escaping @Sendable (isolated CredentialBroker) async throws(DepositFault) -> R
    ) async throws(DepositFault) -> R {
        await begin(key)
        // A task of its own, awaited here: the caller's cancellation does not reach into it.
        let task = Task { () async -> Result<R, DepositFault> in
            do throws(DepositFault) { return .success(try await body(self)) } catch { return .failure(error) }
        }
        let result = await task.value
        invalidate(key)
        end(key)
        return try result.get()
    }

    /// Waits until no other change of the same credential is under way; `end` must follow.
    func begin(_ key: CacheKey) async {
        if changing[key] == nil {
            changing[key] = []
        } else {
            await withCheckedContinuation { changing[key]?.append($0) }
        }
    }

    func end(_ key: CacheKey) {
        if changing[key]?.isEmpty == false {
            changing[key]?.removeFirst().resume()
        } else {
            changing[key] = nil
        }
    }

    func recording<R: Sendable>(_ body: (any OriginLedger) async throws -> R) async throws(DepositFault) -> R {
        do {
            return try await body(ledger)
        } catch {
            throw .ledger("\(error)")
        }
    }
}
