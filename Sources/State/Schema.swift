// The tables, as a row of steps from an empty database to the present form. A step that was released is never changed.

internal import GRDB

enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("users and references") { database in
            try database.execute(
                sql: """
                    CREATE TABLE user (
                        id INTEGER PRIMARY KEY,
                        project TEXT NOT NULL,
                        email TEXT NOT NULL,
                        first_seen INTEGER NOT NULL,
                        last_seen INTEGER NOT NULL,
                        UNIQUE (project, email)
                    ) STRICT;

                    -- Where a credential lies in the secret store, whose it is, and for which origin it was given.
                    CREATE TABLE reference (
                        path TEXT PRIMARY KEY,
                        project TEXT NOT NULL,
                        server TEXT NOT NULL,
                        level TEXT NOT NULL CHECK (level IN ('user', 'project')),
                        user INTEGER REFERENCES user (id) ON DELETE RESTRICT,
                        scheme TEXT NOT NULL CHECK (scheme IN ('http', 'https')),
                        host TEXT NOT NULL,
                        port INTEGER NOT NULL CHECK (port BETWEEN 0 AND 65535),
                        deposited_at INTEGER NOT NULL,
                        updated_at INTEGER NOT NULL,
                        CHECK ((level = 'user') = (user IS NOT NULL))
                    ) STRICT, WITHOUT ROWID;

                    CREATE INDEX reference_by_project ON reference (project, server);
                    CREATE INDEX reference_by_user ON reference (user);
                    """)
        }
        migrator.registerMigration("rejected credentials") { database in
            // Since when the server answers 401 to the value that is stored.
            try database.execute(sql: "ALTER TABLE reference ADD COLUMN rejected_at INTEGER")
        }
        return migrator
    }
}
