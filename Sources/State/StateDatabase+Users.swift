// The users of a project: who they are and when they were first and last seen.

package import Gateway
internal import GRDB

/// Times in seconds since 1970.
package struct UserRecord: Hashable, Sendable {
    package let email: UserEmail
    package let firstSeen: Int64
    package let lastSeen: Int64
}

extension StateDatabase {
    /// Remembers that a user was there at `now`; an earlier time than one known changes nothing but the first.
    package func saw(_ email: UserEmail, in project: ProjectName, at now: Int64) async throws(StateFault) {
        _ = try await write { try StateDatabase.saw(email, in: project, at: now, $0) }
    }

    /// The users of a project in order of address.
    package func users(of project: ProjectName) async throws(StateFault) -> [UserRecord] {
        try await read { database in
            try Row.fetchAll(
                database, sql: "SELECT email, first_seen, last_seen FROM user WHERE project = ? ORDER BY email", arguments: [project.text]
            ).compactMap { row in
                UserEmail(row["email"] as String).map { UserRecord(email: $0, firstSeen: row["first_seen"], lastSeen: row["last_seen"]) }
            }
        }
    }

    /// Forgets a user, who has no credential left.
    /// - Returns: false where there was none.
    /// - Throws: also where a reference is still the user's: the credential is to be deleted first.
    package func forget(_ email: UserEmail, in project: ProjectName) async throws(StateFault) -> Bool {
        try await write { database in
            try database.execute(sql: "DELETE FROM user WHERE project = ? AND email = ?", arguments: [project.text, email.text])
            return database.changesCount > 0
        }
    }

    /// The user's row, made where there is none.
    static func saw(_ email: UserEmail, in project: ProjectName, at now: Int64, _ database: Database) throws -> Int64 {
        let row = try Int64.fetchOne(
            database,
            sql: """
                INSERT INTO user (project, email, first_seen, last_seen) VALUES (?, ?, ?, ?) ON CONFLICT (project, email) DO UPDATE
                SET first_seen = min(first_seen, excluded.first_seen), last_seen = max(last_seen, excluded.last_seen) RETURNING id
                """, arguments: [project.text, email.text, now, now])
        guard let row else { throw StateFault("state.db: a user's row was neither made nor found") }
        return row
    }
}
