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

    /// The users that `query` asks for, in order of address.
    /// - Parameter now: in seconds since 1970: today is the last of the seven days whose calls are told.
    package func users(_ query: UserQuery, at now: Int64) async throws(StateFault) -> [UserRecord] {
        try await read { database in
            try Row.fetchAll(
                database, sql: StateDatabase.userQuery + " WHERE project = ? AND email >= ? AND email < ? AND email > ? ORDER BY email LIMIT ?",
                arguments: [
                    StateDatabase.firstDay(now), query.project.text, query.prefix, StateDatabase.end(of: query.prefix), query.after?.text ?? "",
                    max(1, min(query.limit, 1000)),
                ]
            ).compactMap(\.userRecord)
        }
    }

    /// How many users the project of `query` has.
    ///
    /// - Parameters:
    ///   - since: who was there later counts as recent.
    ///   - servers: those at which a credential of another origin, or one that is rejected, has to be given again; nil = any origin is as good.
    package func census(_ query: UserQuery, since: Int64, servers: [ServerName: Origin?]) async throws(StateFault) -> UserCensus {
        try await read { database in
            let counts = try Row.fetchOne(
                database,
                sql: """
                    SELECT count(*) AS all_users, total(email >= ? AND email < ?) AS matching, total(last_seen > ?) AS recent FROM user WHERE project = ?
                    """, arguments: [query.prefix, StateDatabase.end(of: query.prefix), since, query.project.text])
            var needy = 0
            if !servers.isEmpty {
                var arguments = StatementArguments()
                for (name, origin) in servers { arguments += [name.text, origin?.scheme.rawValue, origin?.host, origin.map { Int($0.port) }] }
                needy =
                    try Int.fetchOne(
                        database,
                        sql: """
                            WITH offered (server, scheme, host, port) AS (VALUES \(servers.map { _ in "(?, ?, ?, ?)" }.joined(separator: ", ")))
                            SELECT count(DISTINCT user) FROM reference JOIN offered ON offered.server = reference.server
                            WHERE project = ? AND level = 'user' AND (rejected_at IS NOT NULL OR reference.scheme <> offered.scheme
                                OR reference.host <> offered.host OR reference.port <> offered.port)
                            """, arguments: arguments + [query.project.text]) ?? 0
            }
            return UserCensus(
                all: counts?["all_users"] ?? 0, matching: Int(counts?["matching"] as Double? ?? 0), recent: Int(counts?["recent"] as Double? ?? 0), needy: needy)
        }
    }

    /// Behind every address that begins with `prefix`: addresses are ASCII.
    private static func end(of prefix: String) -> String { prefix + "\u{10FFFF}" }

    /// Adds what keys were used.
    package func add(_ uses: [KeyUse]) async throws(StateFault) {
        try await write { database in
            let count = try database.makeStatement(
                sql: """
                    INSERT INTO key_use (project, navigator, key, calls, last_used_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (project, navigator, key)
                    DO UPDATE SET calls = calls + excluded.calls, last_used_at = max(last_used_at, excluded.last_used_at)
                    """)
            for use in uses { try count.execute(arguments: [use.project.text, use.navigator.text, "\(use.key)", use.calls, use.last]) }
        }
    }

    /// How the keys of a project's navigators were used; one that was not has none.
    package func keyUses(of project: ProjectName) async throws(StateFault) -> [KeyUse] {
        try await read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM key_use WHERE project = ? ORDER BY navigator, key", arguments: [project.text]).compactMap { row in
                guard let navigator = NavigatorName(row["navigator"]), let key = APIKeyID(row["key"] as String) else { return nil }
                return KeyUse(project: project, navigator: navigator, key: key, calls: row["calls"], last: row["last_used_at"])
            }
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
