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
        migrator.registerMigration("links, sessions, tokens, audit and use") { try $0.execute(sql: portal) }
        migrator.registerMigration("OAuth grants") { try $0.execute(sql: grants) }
        migrator.registerMigration("use of keys") { try $0.execute(sql: keyUse) }
        migrator.registerMigration("deposits under way") { try $0.execute(sql: intents) }
        return migrator
    }

    private static let grants = """
        -- With whom a grant is, and how new; the grant itself lies in the secret store.
        CREATE TABLE oauth_grant (
            path TEXT PRIMARY KEY,
            issuer TEXT NOT NULL,
            scopes TEXT NOT NULL,
            generation INTEGER NOT NULL,
            connected_at INTEGER NOT NULL,
            refreshed_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        -- What a server has asked for beyond what it was given, until its person connects again.
        CREATE TABLE wanted_scopes (
            path TEXT PRIMARY KEY,
            scopes TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        """

    private static let keyUse = """
        -- How often a navigator's key vouched for a request, and when last.
        CREATE TABLE key_use (
            project TEXT NOT NULL,
            navigator TEXT NOT NULL,
            key TEXT NOT NULL,
            calls INTEGER NOT NULL,
            last_used_at INTEGER NOT NULL,
            PRIMARY KEY (project, navigator, key)
        ) STRICT, WITHOUT ROWID;
        """

    private static let intents = """
        -- The audit's row of a deposit that has begun and whose end is not written down yet.
        CREATE TABLE intent (
            number INTEGER PRIMARY KEY,
            time INTEGER NOT NULL,
            actor TEXT NOT NULL,
            action TEXT NOT NULL,
            project TEXT,
            server TEXT,
            user TEXT,
            link TEXT,
            source TEXT
        ) STRICT;
        """

    /// Tokens of every kind are there as their SHA-256 only.
    private static let portal = """
        CREATE TABLE link (
            id TEXT PRIMARY KEY,
            token BLOB NOT NULL UNIQUE CHECK (length(token) = 32),
            project TEXT NOT NULL,
            level TEXT NOT NULL CHECK (level IN ('user', 'project')),
            -- Of a user link, with a space between.
            domains TEXT,
            -- Of a project link.
            email TEXT,
            -- In the order they were chosen, with a space between.
            servers TEXT NOT NULL CHECK (servers <> ''),
            creator TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            spent_at INTEGER,
            deleted_at INTEGER,
            CHECK ((level = 'user') = (domains IS NOT NULL)),
            CHECK ((level = 'project') = (email IS NOT NULL)),
            CHECK (spent_at IS NULL OR level = 'project')
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX link_by_project ON link (project);

        -- Who connected which server through which link, and when last.
        CREATE TABLE completion (
            link TEXT NOT NULL REFERENCES link (id) ON DELETE CASCADE,
            email TEXT NOT NULL,
            server TEXT NOT NULL,
            at INTEGER NOT NULL,
            PRIMARY KEY (link, email, server)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE session (
            token BLOB PRIMARY KEY CHECK (length(token) = 32),
            email TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            renewed_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            link TEXT REFERENCES link (id) ON DELETE CASCADE
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX session_by_email ON session (email);
        CREATE INDEX session_by_link ON session (link);

        -- An administrator's one-time links.
        CREATE TABLE sign_in (
            token BLOB PRIMARY KEY CHECK (length(token) = 32),
            email TEXT NOT NULL,
            expires_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        -- Bearer tokens of the administration API.
        CREATE TABLE admin_token (
            id TEXT PRIMARY KEY,
            token BLOB NOT NULL UNIQUE CHECK (length(token) = 32),
            note TEXT,
            creator TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            expires_at INTEGER,
            last_used_at INTEGER
        ) STRICT, WITHOUT ROWID;

        -- Numbers are not used again, so that a page of it goes on where the last one ended.
        CREATE TABLE audit (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            time INTEGER NOT NULL,
            actor TEXT NOT NULL,
            action TEXT NOT NULL,
            project TEXT,
            server TEXT,
            user TEXT,
            link TEXT,
            source TEXT,
            detail TEXT
        ) STRICT;
        CREATE INDEX audit_by_time ON audit (time);
        CREATE INDEX audit_by_project ON audit (project, number);
        CREATE INDEX audit_by_user ON audit (user, number);

        -- Exchanges of a user with a server on a day (days since 1970, UTC).
        CREATE TABLE use_day (
            user INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
            server TEXT NOT NULL,
            day INTEGER NOT NULL,
            calls INTEGER NOT NULL,
            PRIMARY KEY (user, server, day)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX use_by_day ON use_day (day);
        """
}
