// The users of a project: who they are and when they were first and last seen.

package import Gateway
internal import GRDB

extension StateDatabase {
    /// Remembers that a user was there at `now`; an earlier time than one known changes nothing but the first.
    package func saw(_ email: UserEmail, in project: ProjectName, at now: Int64) async throws(StateFault) {
        _ = try await write { try StateDatabase.saw(email, in: project, at: now, $0) }
    }

    /// Adds what was counted, and remembers the users of it; one nobody knew is made.
    package func add(_ uses: [UseCount]) async throws(StateFault) {
        try await write { database in
            let count = try database.makeStatement(
                sql: """
                    INSERT INTO use_day (user, server, day, calls) VALUES (?, ?, ?, ?)
                    ON CONFLICT (user, server, day) DO UPDATE SET calls = calls + excluded.calls
                    """)
            for use in uses {
                let user = try StateDatabase.saw(use.user, in: use.project, at: use.last, database)
                try count.execute(arguments: [user, use.server.text, use.last / StateDatabase.secondsOfDay, use.calls])
            }
        }
    }

    /// The users of a project in order of address.
    /// - Parameter now: in seconds since 1970: today is the last of the seven days whose calls are told.
    package func users(of project: ProjectName, at now: Int64) async throws(StateFault) -> [UserRecord] {
        try await read { database in
            try Row.fetchAll(
                database, sql: StateDatabase.userQuery + " WHERE project = ? ORDER BY email",
                arguments: [StateDatabase.firstDay(now), project.text]
            ).compactMap(\.userRecord)
        }
    }

    /// - Returns: nil for somebody who was never there.
    package func user(_ email: UserEmail, of project: ProjectName, at now: Int64) async throws(StateFault) -> UserRecord? {
        try await read { database in
            try Row.fetchOne(
                database, sql: StateDatabase.userQuery + " WHERE project = ? AND email = ?",
                arguments: [StateDatabase.firstDay(now), project.text, email.text])?.userRecord
        }
    }

    private static let userQuery = """
        SELECT email, first_seen, last_seen, (SELECT total(calls) FROM use_day WHERE user = user.id AND day >= ?) AS calls FROM user
        """
    private static let secondsOfDay: Int64 = 86_400

    /// The first of the seven days that end with today's.
    static func firstDay(_ now: Int64) -> Int64 { now / secondsOfDay - 6 }

    /// Forgets a user, who has no credential left: when he was there, and what he connected through which of the project's links.
    ///
    /// - Returns: false where there was none.
    /// - Throws: also where a reference is still the user's: the credential is to be deleted first.
    package func forget(_ email: UserEmail, in project: ProjectName, noted: AuditEntry) async throws(StateFault) -> Bool {
        try await write { database in
            try database.execute(sql: "DELETE FROM user WHERE project = ? AND email = ?", arguments: [project.text, email.text])
            let existed = database.changesCount > 0
            try database.execute(
                sql: "DELETE FROM completion WHERE email = ? AND link IN (SELECT id FROM link WHERE project = ?)",
                arguments: [email.text, project.text])
            guard existed || database.changesCount > 0 else { return false }
            try StateDatabase.append(noted, to: database)
            return true
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

extension Row {
    /// Nil for a row that no version of ours wrote.
    fileprivate var userRecord: UserRecord? {
        guard let email = UserEmail(self["email"] as String) else { return nil }
        return UserRecord(email: email, firstSeen: self["first_seen"], lastSeen: self["last_seen"], calls: Int(self["calls"] as Double))
    }
}
