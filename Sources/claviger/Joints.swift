// Where parts that do not know each other are joined: the state as the broker's ledger, the broker as the portal's desk.

internal import Credentials
internal import Gateway
internal import Portal
internal import State

extension StateDatabase: PortalState {}

/// The calls are the protocol's own; the type is State's.
struct StateLedger: OriginLedger {
    let state: StateDatabase

    func standing(of reference: Reference) async throws -> Standing? { try await state.standing(of: reference) }
    func adopt(_ deposit: Deposit) async throws -> Origin { try await state.adopt(deposit) }
    func record(_ deposit: Deposit) async throws { try await state.record(deposit) }
    func setRejected(_ reference: Reference, at time: Int64?) async throws { try await state.setRejected(reference, at: time) }
    func forget(_ reference: Reference) async throws { try await state.forget(reference) }
    func deposits(at references: [Reference]) async throws -> [Reference: Deposit] { try await state.deposits(at: references) }
    func deposits(in project: ProjectName) async throws -> [Deposit] { try await state.deposits(in: project) }
}

struct BrokerDesk: CredentialDesk {
    let broker: CredentialBroker
    let state: StateDatabase
    let snapshot: @Sendable () -> Snapshot

    func deposit(_ values: [FieldName: Secret], at instance: ServerInstance, user: UserEmail?) async throws(DepositFault) {
        try await broker.deposit(values, at: instance, user: user)
    }

    func delete(at instance: ServerInstance, user: UserEmail?) async throws(DepositFault) -> Bool {
        try await broker.delete(at: instance, user: user)
    }

    func delete(_ deposit: Deposit) async throws(DepositFault) -> Bool {
        // A grant is also given back at its provider, and forgotten by who keeps it, as long as any server uses it: also where the one that it was
        // connected at is gone.
        let names = snapshot()
        let using = names.projects[deposit.project]?.instances.values.first {
            $0.server.oauth != nil && $0.level == deposit.level && Reference($0, user: deposit.user, prefix: names.secrets.prefix) == deposit.reference
        }
        if let using { return try await broker.delete(at: using, user: deposit.user) }
        return try await broker.delete(deposit)
    }

    func list(_ project: ProjectName) async throws(DepositFault) -> [CredentialEntry] {
        let grants: [Reference: GrantStanding]
        do throws(StateFault) { grants = try await state.grants(in: project, prefix: snapshot().secrets.prefix) } catch { throw .ledger("\(error)") }
        return try await broker.list(project).map { stored in
            guard let deposit = stored.deposit else { return BrokerDesk.unrecorded(stored.reference) }
            return CredentialEntry(
                server: deposit.server.text, level: deposit.level.rawValue, user: deposit.user?.text, origin: "\(deposit.origin)",
                deposited: Timestamp.text(deposit.depositedAt), updated: Timestamp.text(deposit.updatedAt),
                rejected: deposit.rejectedAt.map(Timestamp.text), grant: grants[stored.reference].map(CredentialEntry.Grant.init))
        }
    }

    /// A value put there by other means: its reference alone tells of it.
    private static func unrecorded(_ reference: Reference) -> CredentialEntry {
        let segments = reference.path.split(separator: "/")
        let isShared = segments.dropLast().last == "shared"
        return CredentialEntry(
            server: segments.last.map(String.init) ?? reference.path, level: isShared ? "project" : "user", user: nil, origin: nil,
            deposited: nil, updated: nil)
    }
}

extension CredentialEntry.Grant {
    fileprivate init(_ standing: GrantStanding) {
        self.init(
            issuer: standing.issuer, scopes: standing.scopes, generation: standing.generation, refreshed: Timestamp.text(standing.refreshedAt))
    }
}

extension BrokerDesk: ExportDesk {
    func references() async throws(DepositFault) -> [Reference] { try await broker.references() }
    func export(_ references: [Reference], under key: MasterKey) async throws(DepositFault) -> ExportedBatch {
        try await broker.export(references, under: key)
    }
    func take(_ lines: [[UInt8]], under key: MasterKey, replacing: Bool) async -> ImportedBatch {
        await broker.take(lines, under: key, replacing: replacing)
    }
}
