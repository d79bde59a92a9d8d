// The audit: rows appended, asked for, and let go when their time is over.

package import Gateway
internal import GRDB

extension StateDatabase {
    /// On the disk when it returns.
    package func append(_ entry: AuditEntry) async throws(StateFault) {
        try await write { try StateDatabase.append(entry, to: $0) }
    }

    /// The rows that `query` asks for, newest first.
    package func audit(_ query: AuditQuery) async throws(StateFault) -> [AuditRow] {
        var conditions = ["1"]
        var arguments = StatementArguments()
        func require(_ condition: String, _ value: (any DatabaseValueConvertible)?) {
            guard let value else { return }
            conditions.append(condition)
            arguments += [value]
        }
        require("project = ?", query.project?.text)
        require("user = ?", query.user?.text)
        require("action = ?", query.action?.rawValue)
        require("server = ?", query.server?.text)
        require("link = ?", query.link?.text)
        require("time >= ?", query.since)
        require("time <= ?", query.until)
        require("number < ?", query.before)
        arguments += [max(1, min(query.limit, 1000))]
        let (sql, bound) = ("SELECT * FROM audit WHERE \(conditions.joined(separator: " AND ")) ORDER BY number DESC LIMIT ?", arguments)
        return try await read { try Row.fetchAll($0, sql: sql, arguments: bound).compactMap(\.auditRow) }
    }

    /// Lets go of what is past its time.
    ///
    /// - Parameters:
    ///   - now: in seconds since 1970.
    ///   - keep: seconds for the audit's rows, for links that are over, for the use of keys, and for users who have neither a credential nor a call.
    package func tidy(now: Int64, keep: Int64) async throws(StateFault) {
        try await write { database in
            try database.execute(sql: "DELETE FROM audit WHERE time < ?", arguments: [now - keep])
            try database.execute(sql: "DELETE FROM session WHERE expires_at <= ?", arguments: [now])
            try database.execute(sql: "DELETE FROM sign_in WHERE expires_at <= ?", arguments: [now])
            try database.execute(
                sql: "DELETE FROM link WHERE coalesce(deleted_at, spent_at, expires_at) < ?", arguments: [now - keep])
            try database.execute(sql: "DELETE FROM use_day WHERE day < ?", arguments: [StateDatabase.firstDay(now)])
            try database.execute(sql: "DELETE FROM key_use WHERE last_used_at < ?", arguments: [now - keep])
            try database.execute(
                sql: "DELETE FROM user WHERE last_seen < ? AND id NOT IN (SELECT user FROM reference WHERE user IS NOT NULL)",
                arguments: [now - keep])
        }
    }

    static func append(_ entry: AuditEntry, to database: Database) throws {
        try database.execute(
            sql: "INSERT INTO audit (time, actor, action, project, server, user, link, source, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            arguments: [
                entry.time, entry.actor.description, entry.action.rawValue, entry.project?.text, entry.server?.text, entry.user?.text,
                entry.link?.text, entry.source, entry.detail,
            ])
    }
}

extension Row {
    /// Nil for a row of another version's.
    var auditRow: AuditRow? {
        guard let actor = AuditActor(self["actor"]), let action = AuditAction(rawValue: self["action"]) else { return nil }
        let entry = AuditEntry(
            time: self["time"], actor: actor, action: action, project: (self["project"] as String?).flatMap { ProjectName($0) },
            server: (self["server"] as String?).flatMap { ServerName($0) }, user: (self["user"] as String?).flatMap { UserEmail($0) },
            link: (self["link"] as String?).flatMap { LinkID($0) }, source: self["source"], detail: self["detail"])
        return AuditRow(number: self["number"], entry: entry)
    }
}
