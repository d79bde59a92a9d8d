// Who is signed in, who may sign in once without a code, and whose bearer token is good. Tokens are there as digests only.

package import Gateway
internal import GRDB
package import TLS

extension StateDatabase {
    // MARK: Sessions

    package func open(_ session: PortalSession, token: Digest256) async throws(StateFault) {
        try await write { database in
            try database.execute(
                sql: "INSERT INTO session (token, email, created_at, renewed_at, expires_at, link) VALUES (?, ?, ?, ?, ?, ?)",
                arguments: [token.data, session.email.text, session.created, session.renewed, session.expires, session.link?.text])
        }
    }

    /// The session of a token, where it has not expired.
    package func session(_ token: Digest256, at now: Int64) async throws(StateFault) -> PortalSession? {
        try await read { database in
            let row = try Row.fetchOne(
                database, sql: "SELECT * FROM session WHERE token = ? AND expires_at > ?", arguments: [token.data, now])
            guard let row, let email = UserEmail(row["email"] as String) else { return nil }
            return PortalSession(
                email: email, created: row["created_at"], renewed: row["renewed_at"], expires: row["expires_at"],
                link: (row["link"] as String?).flatMap { LinkID($0) })
        }
    }

    /// Puts another token in the old one's place, with other times or another link.
    /// - Returns: false where the old one is none: then nothing was done.
    package func renew(_ token: Digest256, as session: PortalSession, token new: Digest256) async throws(StateFault) -> Bool {
        try await write { database in
            try database.execute(
                sql: "UPDATE session SET token = ?, renewed_at = ?, expires_at = ?, link = ? WHERE token = ? AND email = ?",
                arguments: [new.data, session.renewed, session.expires, session.link?.text, token.data, session.email.text])
            return database.changesCount > 0
        }
    }

    /// - Returns: whether there was one.
    package func close(_ token: Digest256) async throws(StateFault) -> Bool {
        try await write { database in
            try database.execute(sql: "DELETE FROM session WHERE token = ?", arguments: [token.data])
            return database.changesCount > 0
        }
    }

    /// Everywhere somebody is signed in.
    package func closeSessions(of email: UserEmail) async throws(StateFault) {
        try await write { try $0.execute(sql: "DELETE FROM session WHERE email = ?", arguments: [email.text]) }
    }

    // MARK: Signing in once

    /// Lets whoever brings the token sign in as `email`, once, until `expires`.
    package func allowSignIn(_ email: UserEmail, token: Digest256, expires: Int64, noted: AuditEntry) async throws(StateFault) {
        try await write { database in
            try database.execute(
                sql: "INSERT INTO sign_in (token, email, expires_at) VALUES (?, ?, ?)", arguments: [token.data, email.text, expires])
            try StateDatabase.append(noted, to: database)
        }
    }

    /// As whom the token's bearer signs in; afterwards it is worth nothing. Nil for one that is none, was used, or has expired.
    package func takeSignIn(_ token: Digest256, at now: Int64) async throws(StateFault) -> UserEmail? {
        try await write { database in
            let row = try Row.fetchOne(
                database, sql: "DELETE FROM sign_in WHERE token = ? RETURNING email, expires_at", arguments: [token.data])
            guard let row, row["expires_at"] as Int64 > now else { return nil }
            return UserEmail(row["email"] as String)
        }
    }

    // MARK: Bearer tokens

    package func create(_ record: TokenRecord, token: Digest256, noted: AuditEntry) async throws(StateFault) {
        try await write { database in
            try database.execute(
                sql: "INSERT INTO admin_token (id, token, note, creator, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
                arguments: [record.id.text, token.data, record.note, record.creator.description, record.created, record.expires])
            try StateDatabase.append(noted, to: database)
        }
    }

    /// Whose token it is, where it has not expired. That it was used is noted once a minute at most.
    package func token(_ token: Digest256, at now: Int64) async throws(StateFault) -> TokenRecord? {
        let found = try await read { database in
            try Row.fetchOne(
                database, sql: "SELECT * FROM admin_token WHERE token = ? AND (expires_at IS NULL OR expires_at > ?)",
                arguments: [token.data, now])?.tokenRecord
        }
        guard let found else { return nil }
        if (found.lastUsed ?? 0) + 60 <= now {
            try await write { try $0.execute(sql: "UPDATE admin_token SET last_used_at = ? WHERE id = ?", arguments: [now, found.id.text]) }
        }
        return found
    }

    /// All there are, expired ones too, the newest first.
    package func tokens() async throws(StateFault) -> [TokenRecord] {
        try await read { try Row.fetchAll($0, sql: "SELECT * FROM admin_token ORDER BY created_at DESC, id").compactMap(\.tokenRecord) }
    }

    /// - Returns: whether there was one.
    package func revoke(_ id: TokenID, noted: AuditEntry) async throws(StateFault) -> Bool {
        try await write { database in
            try database.execute(sql: "DELETE FROM admin_token WHERE id = ?", arguments: [id.text])
            guard database.changesCount > 0 else { return false }
            try StateDatabase.append(noted, to: database)
            return true
        }
    }
}

extension Row {
    /// Nil for a row that no version of ours wrote.
    fileprivate var tokenRecord: TokenRecord? {
        guard let id = TokenID(self["id"] as String), let creator = AuditActor(self["creator"]) else { return nil }
        return TokenRecord(
            id: id, note: self["note"], creator: creator, created: self["created_at"], expires: self["expires_at"], lastUsed: self["last_used_at"])
    }
}
