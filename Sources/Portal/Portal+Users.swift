// A project's users: who is connected to what, taken back server by server, or deleted altogether.

internal import Gateway
internal import HTTPTypes
internal import Logging
internal import Telemetry

/// How a user stands with a server of user level, or a project with one of project level.
package enum Connection: String, Sendable, CaseIterable {
    case connected
    /// The server answers 401 to it: it needs renewing.
    case rejected
    /// It was given for another origin than the server has now, and is not used.
    case moved
    case missing
}

/// A server of the project beside what is on record for it.
struct ServerConnection: Sendable {
    let instance: ServerInstance
    let state: Connection
    /// Nil where it is missing.
    let deposit: Deposit?

    init(_ instance: ServerInstance, _ deposit: Deposit?) {
        self.instance = instance
        self.deposit = deposit
        state =
            switch deposit {
            case nil: .missing
            case let deposit? where deposit.origin != instance.server.origin: .moved
            case let deposit?: deposit.rejectedAt == nil ? .connected : .rejected
            }
    }
}

/// What is on record of a project's credentials, by whose they are.
struct Connections: Sendable {
    private let byUser: [UserEmail?: [Deposit]]

    init(_ deposits: [Deposit]) {
        byUser = Dictionary(grouping: deposits) { $0.level == .user ? $0.user : nil }
    }

    /// Of somebody, with each server of user level that needs a credential; nil = of the project, with those of project level.
    /// A paused one counts only where there is a credential for it.
    func of(_ user: UserEmail?, in project: Project) -> [ServerConnection] {
        let deposits = byUser[user] ?? []
        return project.instances.values.compactMap { instance in
            guard instance.level == (user == nil ? .project : .user), instance.needsDeposit else { return nil }
            let deposit = deposits.first { $0.server == instance.name && $0.level == instance.level }
            return deposit == nil && instance.status == .paused ? nil : ServerConnection(instance, deposit)
        }
    }

    /// All that is on record, also for servers that are gone.
    func deposits(of user: UserEmail) -> [Deposit] { byUser[user] ?? [] }

    var users: [UserEmail] { byUser.keys.compactMap { $0 } }
}

extension Portal {
    func connections(in project: Project) async throws(APIFault) -> Connections {
        Connections(try await asking { try await state.deposits(in: project.name) })
    }

    /// Deletes what a user has deposited for these servers of the project; the next request misses it.
    ///
    /// - Parameter servers: names in the project, of servers that are gone too; nil = all he has.
    /// - Returns: the servers whose credential there was.
    func revoke(_ user: UserEmail, servers: [String]?, in project: Project, by principal: Principal) async throws(APIFault) -> [ServerName] {
        let deposits = try await connections(in: project).deposits(of: user)
        if let unknown = servers?.first(where: { name in
            !deposits.contains { $0.server.text == name } && ServerName(name).flatMap { project.instance($0) } == nil
        }) {
            throw APIFault(.notFound, "unknown_server", "Project \(project.name) has no server \(ServerName(unknown)?.text ?? "of that name").")
        }
        var revoked: [ServerName] = []
        for deposit in deposits where servers?.contains(deposit.server.text) ?? true {
            // Where the instance has the level it was deposited for, it may know more than what is on record.
            let instance = project.instance(deposit.server).flatMap { $0.level == deposit.level && $0.needsDeposit ? $0 : nil }
            let existed: Bool
            if let instance { existed = try await revoke(at: instance, user: user, by: principal) } else { existed = try await revoke(deposit, by: principal) }
            if existed { revoked.append(deposit.server) }
        }
        return revoked
    }

    /// Deletes a user: his credentials, then what is known of him in the project, and where he is signed in.
    func deleteUser(_ user: UserEmail, in project: Project, by principal: Principal) async throws(APIFault) {
        _ = try await revoke(user, servers: nil, in: project, by: principal)
        let entry = principal.entry(.userDeleted, at: wallClock(), project: project.name, user: user)
        let existed = try await asking {
            try await state.closeSessions(of: user)
            return try await state.forget(user, in: project.name, noted: entry)
        }
        guard existed else { throw .noUser }
        var fields: Logger.Metadata = ["project": "\(project.name)"]
        fields.merge(by(principal)) { first, _ in first }
        if let label = label.text(for: user) { fields["user"] = "\(label)" }
        logger.notice("user deleted", metadata: fields)
    }
}

extension APIFault {
    static let noUser = APIFault(.notFound, "no_user", "The project has no such user; `claviger user list` names them.")
}
