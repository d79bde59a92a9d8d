// The records of deposits: what Credentials' `OriginLedger` asks for.

package import Gateway
internal import GRDB

extension StateDatabase {
    /// What a credential was deposited for, and whether it was rejected; nil where nothing is recorded.
    package func standing(of reference: Reference) async throws(StateFault) -> Standing? {
        try await read { database in
            let row = try Row.fetchOne(
                database, sql: "SELECT scheme, host, port, rejected_at FROM reference WHERE path = ?", arguments: [reference.path])
            return row.flatMap { row in row.origin.map { Standing(origin: $0, isRejected: row["rejected_at"] != nil) } }
        }
    }

    package func isRecorded(_ reference: Reference) async throws(StateFault) -> Bool {
        try await standing(of: reference) != nil
    }

    /// Records the deposit where nothing is recorded yet, and says which origin is on record now.
    package func adopt(_ deposit: Deposit) async throws(StateFault) -> Origin {
        try await write { database in
            try StateDatabase.insert(deposit, in: database, onConflict: "NOTHING")
            return try StateDatabase.origin(of: deposit.reference, in: database) ?? deposit.origin
        }
    }

    /// Records the deposit in place of an older one, whose `deposited_at` stays where the origin is the same. It is not rejected.
    package func record(_ deposit: Deposit) async throws(StateFault) {
        try await write { database in
            try StateDatabase.insert(
                deposit, in: database,
                onConflict: """
                    UPDATE SET
                        deposited_at = CASE
                            WHEN scheme = excluded.scheme AND host = excluded.host AND port = excluded.port THEN deposited_at
                            ELSE excluded.deposited_at END,
                        scheme = excluded.scheme, host = excluded.host, port = excluded.port, updated_at = excluded.updated_at,
                        rejected_at = NULL
                    """)
        }
    }

    /// Records since when the server rejects the stored value, where that is not recorded yet; nil = it takes it.
    package func setRejected(_ reference: Reference, at time: Int64?) async throws(StateFault) {
        try await write { database in
            try database.execute(
                sql: "UPDATE reference SET rejected_at = iif(?1 IS NULL, NULL, coalesce(rejected_at, ?1)) WHERE path = ?2",
                arguments: [time, reference.path])
        }
    }

    /// Forgets what is recorded of a credential; its user stays.
    package func forget(_ reference: Reference) async throws(StateFault) {
        try await write { try $0.execute(sql: "DELETE FROM reference WHERE path = ?", arguments: [reference.path]) }
    }

    /// What is recorded for a project, in order of server and address.
    package func deposits(in project: ProjectName) async throws(StateFault) -> [Deposit] {
        try await read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT reference.*, user.email FROM reference LEFT JOIN user ON user.id = reference.user
                    WHERE reference.project = ? ORDER BY server, email, path
                    """, arguments: [project.text]
            ).compactMap(\.deposit)
        }
    }

    /// What is recorded for these users of a project, each one's in order of server.
    package func deposits(in project: ProjectName, of users: [UserEmail]) async throws(StateFault) -> [Deposit] {
        try await read { database in
            let statement = try database.makeStatement(
                sql: """
                    SELECT reference.*, user.email FROM user JOIN reference ON reference.user = user.id
                    WHERE user.project = ? AND user.email = ? ORDER BY server, path
                    """)
            return try users.flatMap { try Row.fetchAll(statement, arguments: [project.text, $0.text]).compactMap(\.deposit) }
        }
    }

    /// What is recorded of those references that have a record.
    package func deposits(at references: [Reference]) async throws(StateFault) -> [Reference: Deposit] {
        try await read { database in
            let statement = try database.makeStatement(
                sql: "SELECT reference.*, user.email FROM reference LEFT JOIN user ON user.id = reference.user WHERE path = ?")
            var found: [Reference: Deposit] = [:]
            for reference in references {
                found[reference] = try Row.fetchOne(statement, arguments: [reference.path])?.deposit
            }
            return found
        }
    }

    private static func origin(of reference: Reference, in database: Database) throws -> Origin? {
        try Row.fetchOne(database, sql: "SELECT scheme, host, port FROM reference WHERE path = ?", arguments: [reference.path])?.origin
    }

    private static func insert(_ deposit: Deposit, in database: Database, onConflict: String) throws {
        var user: Int64?
        if let email = deposit.user {
            user = try StateDatabase.saw(email, in: deposit.project, at: deposit.updatedAt, database)
        }
        try database.execute(
            sql: """
                INSERT INTO reference (path, project, server, level, user, scheme, host, port, deposited_at, updated_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (path) DO \(onConflict)
                """,
            arguments: [
                deposit.reference.path, deposit.project.text, deposit.server.text, deposit.level.rawValue, user,
                deposit.origin.scheme.rawValue, deposit.origin.host, Int(deposit.origin.port), deposit.depositedAt, deposit.updatedAt,
            ])
    }
}

extension Row {
    fileprivate var origin: Origin? {
        guard let scheme = Origin.Scheme(rawValue: self["scheme"]), let port = UInt16(exactly: self["port"] as Int) else { return nil }
        return Origin(scheme: scheme, host: self["host"], port: port)
    }

    /// Nil for a row that no version of ours wrote.
    fileprivate var deposit: Deposit? {
        let email: String? = self["email"]
        guard let reference = Reference(path: self["path"]), let project = ProjectName(self["project"]), let server = ServerName(self["server"]),
            let level = ServerInstance.Level(rawValue: self["level"]), let origin
        else { return nil }
        return Deposit(
            reference: reference, project: project, server: server, level: level, user: email.flatMap { UserEmail($0) }, origin: origin,
            depositedAt: self["deposited_at"], updatedAt: self["updated_at"], rejectedAt: self["rejected_at"])
    }
}
