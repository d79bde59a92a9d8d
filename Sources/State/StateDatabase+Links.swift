// Auth links: made, found, changed, used and spent; each change in one transaction with the audit's row of it.

internal import FoundationEssentials
package import Gateway
internal import GRDB
package import TLS

extension StateDatabase {
    /// Makes a link that is neither there nor a standing one, found from now on by its token's digest. `noted` says who made it.
    package func create(_ link: AuthLink, token: Digest256, noted: AuditEntry) async throws(StateFault) {
        guard let id = link.id, let created = link.created, let expires = link.expires, case .these(let servers) = link.servers else {
            throw StateFault("state.db: a standing link is configuration, and not stored")
        }
        try await write { database in
            try database.execute(
                sql: """
                    INSERT INTO link (id, token, project, level, domains, email, servers, creator, created_at, expires_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    id.text, token.data, link.project.text, link.level.rawValue, link.restriction.domainsText, link.restriction.emailText,
                    servers.map(\.text).joined(separator: " "), noted.actor.description, created, expires,
                ])
            try StateDatabase.append(noted, to: database)
        }
    }

    /// Deleted ones too, so that a page can say why it is worth nothing. A digest's bytes are nobody's choice, so that the time that
    /// looking one up takes tells nothing.
    package func link(token: Digest256) async throws(StateFault) -> AuthLink? {
        try await read { try Row.fetchOne($0, sql: "SELECT * FROM link WHERE token = ?", arguments: [token.data])?.link }
    }

    package func link(_ id: LinkID) async throws(StateFault) -> LinkRecord? {
        try await read { database in
            try Row.fetchOne(database, sql: StateDatabase.recordQuery + " WHERE link.id = ? GROUP BY link.id", arguments: [id.text])?.linkRecord
        }
    }

    /// The links of a project that are not deleted, the newest first.
    package func links(of project: ProjectName) async throws(StateFault) -> [LinkRecord] {
        try await read { database in
            try Row.fetchAll(
                database,
                sql: StateDatabase.recordQuery + " WHERE link.project = ? AND deleted_at IS NULL GROUP BY link.id ORDER BY created_at DESC, id",
                arguments: [project.text]
            ).compactMap(\.linkRecord)
        }
    }

    private static let recordQuery = """
        SELECT link.*, count(DISTINCT completion.email) AS people, max(completion.at) AS last_used
        FROM link LEFT JOIN completion ON completion.link = link.id
        """

    /// Who connected what through a link, the newest first.
    package func completions(of id: LinkID) async throws(StateFault) -> [LinkCompletion] {
        try await read { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM completion WHERE link = ? ORDER BY at DESC, email, server", arguments: [id.text]
            ).compactMap { row in
                guard let email = UserEmail(row["email"] as String), let server = ServerName(row["server"]) else { return nil }
                return LinkCompletion(link: id, email: email, server: server, at: row["at"])
            }
        }
    }

    /// Changes what `edit` names; a restriction counts only where it is of the link's type.
    ///
    /// - Returns: the link as it is then; nil where there is none, or none that is not deleted.
    package func edit(_ id: LinkID, _ edit: LinkEdit, noted: AuditEntry) async throws(StateFault) -> AuthLink? {
        try await write { database in
            try StateDatabase.change(
                id,
                sql: """
                    domains = iif(level = 'user', coalesce(?, domains), NULL), email = iif(level = 'project', coalesce(?, email), NULL),
                    expires_at = coalesce(?, expires_at)
                    """,
                [edit.restriction?.domainsText, edit.restriction?.emailText, edit.expires], noted, in: database)
        }
    }

    /// Gives a link another token and expiry, and makes a spent one active: its old URL is worth nothing from now on, and who came by it
    /// signs in again.
    ///
    /// - Returns: as `edit`.
    package func renew(_ id: LinkID, token: Digest256, expires: Int64, noted: AuditEntry) async throws(StateFault) -> AuthLink? {
        try await write { database in
            try database.execute(sql: "DELETE FROM session WHERE link = ?", arguments: [id.text])
            return try StateDatabase.change(id, sql: "token = ?, expires_at = ?, spent_at = NULL", [token.data, expires], noted, in: database)
        }
    }

    /// Credentials stay.
    /// - Returns: false where there is none, or none that is not deleted already.
    package func delete(_ id: LinkID, noted: AuditEntry) async throws(StateFault) -> Bool {
        try await write { try StateDatabase.change(id, sql: "deleted_at = ?", [noted.time], noted, in: $0) != nil }
    }

    /// Records that somebody connected a server through a link, in place of what is recorded of the same.
    package func record(_ completion: LinkCompletion) async throws(StateFault) {
        try await write { database in
            try database.execute(
                sql: """
                    INSERT INTO completion (link, email, server, at) SELECT id, ?, ?, ? FROM link WHERE id = ?
                    ON CONFLICT (link, email, server) DO UPDATE SET at = max(at, excluded.at)
                    """, arguments: [completion.email.text, completion.server.text, completion.at, completion.link.text])
        }
    }

    /// Spends a link of project type for its person: of all who try, at once or later, exactly one gets `spent`.
    ///
    /// - Parameter noted: written only where this call spends it; its time is the one at which the link must be active.
    package func spend(_ id: LinkID, by email: UserEmail, noted: AuditEntry) async throws(StateFault) -> LinkSpending {
        try await write { database in
            // One writer at a time: nothing comes between looking and writing.
            guard let link = try Row.fetchOne(database, sql: "SELECT * FROM link WHERE id = ?", arguments: [id.text])?.link else {
                return .over(.deleted)
            }
            guard link.level == .project, link.admits(email) else { return .refused }
            guard link.state(at: noted.time) == .active else { return .over(link.state(at: noted.time)) }
            _ = try StateDatabase.change(id, sql: "spent_at = ?", [noted.time], noted, in: database)
            return .spent
        }
    }

    private static func change(
        _ id: LinkID, sql: String, _ arguments: StatementArguments, _ noted: AuditEntry, in database: Database
    ) throws -> AuthLink? {
        let row = try Row.fetchOne(
            database, sql: "UPDATE link SET \(sql) WHERE id = ? AND deleted_at IS NULL RETURNING *", arguments: arguments + [id.text])
        guard let row else { return nil }
        try append(noted, to: database)
        return row.link
    }
}

extension LinkRestriction {
    fileprivate var domainsText: String? {
        if case .domains(let domains) = self { domains.map(\.text).joined(separator: " ") } else { nil }
    }

    fileprivate var emailText: String? {
        if case .email(let email) = self { email.text } else { nil }
    }
}

extension Digest256 {
    var data: Data { Data(bytes) }
}

extension Row {
    /// Nil for a row that no version of ours wrote.
    fileprivate var link: AuthLink? {
        guard let id = LinkID(self["id"] as String), let project = ProjectName(self["project"]), let restriction else { return nil }
        let servers = (self["servers"] as String).split(separator: " ").compactMap { ServerName(String($0)) }
        return AuthLink(
            id: id, project: project, servers: .these(servers), restriction: restriction, created: self["created_at"],
            expires: self["expires_at"], spent: self["spent_at"], deleted: self["deleted_at"])
    }

    private var restriction: LinkRestriction? {
        if let email: String = self["email"] { return UserEmail(email).map { .email($0) } }
        let domains = (self["domains"] as String? ?? "").split(separator: " ").compactMap { EmailDomain($0) }
        return domains.isEmpty ? nil : .domains(domains)
    }

    fileprivate var linkRecord: LinkRecord? {
        guard let link, let creator = AuditActor(self["creator"]) else { return nil }
        return LinkRecord(link: link, creator: creator, people: self["people"], lastUsed: self["last_used"])
    }
}
