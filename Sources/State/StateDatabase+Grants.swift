// What is on record of OAuth grants beside the store: with whom, for what, which generation. Never a token.

package import Gateway
internal import GRDB

extension StateDatabase {
    /// Records a grant as the store has it now. When it was connected stays while its issuer does.
    package func recordGrant(_ reference: Reference, issuer: String, scopes: [String], generation: Int, at time: Int64) async throws(StateFault) {
        try await write { database in
            try database.execute(
                sql: """
                    INSERT INTO oauth_grant (path, issuer, scopes, generation, connected_at, refreshed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)
                    ON CONFLICT (path) DO UPDATE SET issuer = ?2, scopes = ?3, generation = ?4, refreshed_at = ?5,
                        connected_at = iif(issuer = ?2, connected_at, ?5)
                    """,
                arguments: [reference.path, issuer, scopes.joined(separator: " "), generation, time])
        }
    }

    /// The server has said that it needs these scopes, too: they are asked for when the person connects next.
    package func wantScopes(_ scopes: [String], for reference: Reference) async throws(StateFault) {
        try await write { database in
            let known = try String.fetchOne(database, sql: "SELECT scopes FROM wanted_scopes WHERE path = ?", arguments: [reference.path])
            var all = known.map { $0.split(separator: " ").map(String.init) } ?? []
            for scope in scopes where !all.contains(scope) && all.count < 100 { all.append(scope) }
            try database.execute(
                sql: "INSERT OR REPLACE INTO wanted_scopes (path, scopes) VALUES (?, ?)", arguments: [reference.path, all.joined(separator: " ")])
        }
    }

    /// In the order in which they were asked for; those that the grant has are among them.
    package func wantedScopes(for reference: Reference) async throws(StateFault) -> [String] {
        try await read { database in
            let words = try String.fetchAll(
                database,
                sql: """
                    SELECT scopes FROM oauth_grant WHERE path = ?1 AND EXISTS (SELECT 1 FROM wanted_scopes WHERE path = ?1)
                    UNION ALL SELECT scopes FROM wanted_scopes WHERE path = ?1
                    """, arguments: [reference.path])
            var all: [String] = []
            for scope in words.flatMap({ $0.split(separator: " ").map(String.init) }) where !all.contains(scope) { all.append(scope) }
            return all
        }
    }

    /// The person has been asked for them.
    package func clearWantedScopes(for reference: Reference) async throws(StateFault) {
        try await write { try $0.execute(sql: "DELETE FROM wanted_scopes WHERE path = ?", arguments: [reference.path]) }
    }

    /// Those of a project.
    package func grants(in project: ProjectName, prefix: String) async throws(StateFault) -> [Reference: GrantStanding] {
        let root = Reference.root(of: project, prefix: prefix)
        return try await read { database in
            // Behind a slash comes, in the order of bytes, the digit 0.
            let rows = try Row.fetchAll(
                database, sql: "SELECT * FROM oauth_grant WHERE path >= ? AND path < ?", arguments: [root, String(root.dropLast()) + "0"])
            var grants: [Reference: GrantStanding] = [:]
            for row in rows {
                guard let reference = Reference(path: row["path"]) else { continue }
                grants[reference] = GrantStanding(
                    issuer: row["issuer"], scopes: (row["scopes"] as String).split(separator: " ").map(String.init), generation: row["generation"],
                    connectedAt: row["connected_at"], refreshedAt: row["refreshed_at"])
            }
            return grants
        }
    }

    package func forgetGrant(_ reference: Reference) async throws(StateFault) {
        try await write { database in
            try database.execute(sql: "DELETE FROM oauth_grant WHERE path = ?", arguments: [reference.path])
            try database.execute(sql: "DELETE FROM wanted_scopes WHERE path = ?", arguments: [reference.path])
        }
    }
}
