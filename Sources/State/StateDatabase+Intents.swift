// Deposits under way: written down before the secret store is asked, so that none is in force of which the audit does not tell.

package import Gateway
internal import GRDB

extension StateDatabase {
    /// Writes down that a deposit begins, whose row in the audit will be `entry`.
    /// - Returns: the number that `settle` takes.
    package func begin(_ entry: AuditEntry) async throws(StateFault) -> Int64 {
        try await write { database in
            try database.execute(
                sql: "INSERT INTO intent (time, actor, action, project, server, user, link, source) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                arguments: [
                    entry.time, entry.actor.description, entry.action.rawValue, entry.project?.text, entry.server?.text, entry.user?.text,
                    entry.link?.text, entry.source,
                ])
            return database.lastInsertedRowID
        }
    }

    /// The deposit is over: its row is in the audit, and it is under way no more, both or neither.
    /// - Parameter entry: nil where nothing came of it.
    package func settle(_ intent: Int64, as entry: AuditEntry?) async throws(StateFault) {
        try await write { database in
            try database.execute(sql: "DELETE FROM intent WHERE number = ?", arguments: [intent])
            if let entry { try StateDatabase.append(entry, to: database) }
        }
    }

    /// Tells in the audit of what was under way when the last process ended: whether the store has it nobody can know.
    static func settleAll(in database: Database) throws {
        try database.execute(
            sql: """
                INSERT INTO audit (time, actor, action, project, server, user, link, source, detail)
                SELECT time, actor, action, project, server, user, link, source, ? FROM intent ORDER BY number
                """, arguments: [interrupted])
        try database.execute(sql: "DELETE FROM intent")
    }

    static let interrupted = "cut off by the end of the gateway, not acknowledged: it may be in force"
}
