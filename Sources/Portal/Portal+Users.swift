// A project's users: who is connected to what, taken back server by server, or deleted altogether.

internal import Gateway
internal import HTTPTypes

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
        // A grant that is exchanged for several servers' tokens was given for none of their origins.
        let isShared = instance.server.oauth?.grant == .tokenExchange
        state =
            switch deposit {
            case nil: .missing
            case let deposit? where deposit.origin != instance.server.origin && !isShared: .moved
            case let deposit?: deposit.rejectedAt == nil ? .connected : .rejected
            }
    }
}

/// What is on record of a project's credentials, by whose they are.
struct Connections: Sendable {
    private let byUser: [UserEmail?: [Deposit]]
    private let prefix: String

    /// - Parameter prefix: what references begin with.
    init(_ deposits: [Deposit], prefix: String) {
        self.prefix = prefix
        byUser = Dictionary(grouping: deposits) { $0.level == .user ? $0.user : nil }
    }

    /// Of somebody, with each server of user level that needs a credential; nil = of the project, with those of project level.
    /// A paused one counts only where there is a credential for it.
    func of(_ user: UserEmail?, in project: Project) -> [ServerConnection] {
        let deposits = byUser[user] ?? []
        return project.instances.values.compactMap { instance in
            guard instance.level == (user == nil ? .project : .user), instance.needsDeposit else { return nil }
            let deposit = deposit(at: instance, among: deposits)
            return deposit == nil && instance.status == .paused ? nil : ServerConnection(instance, deposit)
        }
    }

    /// What an instance uses, which may be what another uses, too: known by where it lies.
    func deposit(at instance: ServerInstance, of user: UserEmail?) -> Deposit? {
        deposit(at: instance, among: byUser[user] ?? [])
    }

    private func deposit(at instance: ServerInstance, among deposits: [Deposit]) -> Deposit? {
        guard !deposits.isEmpty, instance.level == .project || deposits[0].user != nil else { return nil }
        let reference = Reference(instance, user: deposits[0].user, prefix: prefix)
        return deposits.first { $0.reference == reference }
    }

    /// All that is on record, also for servers that are gone.
    func deposits(of user: UserEmail) -> [Deposit] { byUser[user] ?? [] }

    var users: [UserEmail] { byUser.keys.compactMap { $0 } }
}

extension Portal {
    func connections(in project: Project) async throws(APIFault) -> Connections {
        Connections(try await asking { try await state.deposits(in: project.name) }, prefix: snapshot().secrets.prefix)
    }

    /// Of these users alone.
    func connections(in project: Project, of users: [UserEmail]) async throws(APIFault) -> Connections {
        Connections(try await asking { try await state.deposits(in: project.name, of: users) }, prefix: snapshot().secrets.prefix)
    }

    /// How many users the project has, and how many of them have to connect something again.
    func census(_ query: UserQuery, in project: Project) async throws(APIFault) -> UserCensus {
        var origins: [ServerName: Origin?] = [:]
        for instance in project.instances.values where instance.level == .user && instance.needsDeposit {
            // A grant that is exchanged for several servers' tokens was given for none of their origins.
            origins.updateValue(instance.server.oauth?.grant == .tokenExchange ? nil : instance.server.origin, forKey: instance.name)
        }
        let servers = origins
        return try await asking { try await state.census(query, since: wallClock() - 7 * 86_400, servers: servers) }
    }

    /// Deletes what a user has deposited for these servers of the project; the next request misses it.
    ///
    /// - Parameter servers: names in the project, of servers that are gone too; nil = all he has.
    /// - Returns: the servers whose credential there was.
    func revoke(_ user: UserEmail, servers: [String]?, in project: Project, by principal: Principal) async throws(APIFault) -> [ServerName] {
        let connections = try await connections(in: project)
        var found: [Deposit] = servers == nil ? connections.deposits(of: user) : []
        for name in servers ?? [] {
            let instance = ServerName(name).flatMap { project.instance($0) }
            let used = instance.flatMap { $0.level == .user && $0.needsDeposit ? connections.deposit(at: $0, of: user) : nil }
            let named = connections.deposits(of: user).filter { $0.server.text == name }
            guard instance != nil || !named.isEmpty else {
                throw APIFault(.notFound, "unknown_server", "Project \(project.name) has no server \(ServerName(name)?.text ?? "of that name").")
            }
            for deposit in (used.map { [$0] } ?? []) + named where !found.contains(deposit) { found.append(deposit) }
        }
        var revoked: [ServerName] = []
        for deposit in found where try await revoke(deposit, by: principal) { revoked.append(deposit.server) }
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
    }
}

extension APIFault {
    static let noUser = APIFault(.notFound, "no_user", "The project has no such user; `claviger user list` names them.")
}
