// What `GET /api/v1/status` says and `claviger status` prints.

/// Counts are since the start.
package struct StatusReport: Codable, Equatable, Sendable {
    package var version: String
    package var process: Int
    /// RFC 3339, in UTC.
    package var started: String
    package var uptimeSeconds: Int
    package var snapshot: String
    package var workers: Int
    package var listeners: [Listener]
    package var certificates: [Certificate]
    package var connections: Connections
    package var store: Store
    package var cache: Cache
    package var oauth: OAuth
    package var log: Log
    package var servers: [Server]
    package var configuration: Configuration

    /// What is in force, and how it came to be.
    package struct Configuration: Codable, Equatable, Sendable {
        /// 1 at the start, and one more with every reload that was done.
        package var generation: Int
        /// RFC 3339, in UTC.
        package var since: String
        package var lastReload: ReloadReport?

        package init(generation: Int, since: String, lastReload: ReloadReport? = nil) {
            self.generation = generation
            self.since = since
            self.lastReload = lastReload
        }

        enum CodingKeys: String, CodingKey {
            case generation, since
            case lastReload = "last_reload"
        }
    }

    package struct Listener: Codable, Equatable, Sendable {
        package var door: String
        package var address: String

        package init(door: String, address: String) {
            self.door = door
            self.address = address
        }
    }

    /// One that the gateway shows: a listener's earliest to expire, or a server's.
    package struct Certificate: Codable, Equatable, Sendable {
        package var listener: String?
        package var server: String?
        /// RFC 3339, in UTC.
        package var expires: String

        package init(listener: String? = nil, server: String? = nil, expires: String) {
            self.listener = listener
            self.server = server
            self.expires = expires
        }
    }

    package struct Connections: Codable, Equatable, Sendable {
        package var downstream: Int
        package var upstream: Int
        package var upstreamIdle: Int
        package var exchanges: Int
        package var streams: Int

        package init(downstream: Int, upstream: Int, upstreamIdle: Int, exchanges: Int, streams: Int) {
            self.downstream = downstream
            self.upstream = upstream
            self.upstreamIdle = upstreamIdle
            self.exchanges = exchanges
            self.streams = streams
        }
    }

    package struct Store: Codable, Equatable, Sendable {
        package var kind: String
        package var reads: Int
        package var writes: Int
        package var failures: Int
        /// Of a store that is asked over a network.
        package var remote: Remote?

        package init(kind: String, reads: Int, writes: Int, failures: Int, remote: Remote? = nil) {
            self.kind = kind
            self.reads = reads
            self.writes = writes
            self.failures = failures
            self.remote = remote
        }
    }

    package struct Remote: Codable, Equatable, Sendable {
        package var region: String
        package var endpoint: String
        package var prefix: String
        /// Where the gateway's own credentials come from; nil before their first use.
        package var credentials: String?
        /// RFC 3339, in UTC; nil for those that do not expire.
        package var credentialsExpire: String?
        /// `closed`, `half-open` or `open`.
        package var circuit: String

        package init(region: String, endpoint: String, prefix: String, credentials: String?, credentialsExpire: String?, circuit: String) {
            self.region = region
            self.endpoint = endpoint
            self.prefix = prefix
            self.credentials = credentials
            self.credentialsExpire = credentialsExpire
            self.circuit = circuit
        }
    }

    package struct OAuth: Codable, Equatable, Sendable {
        /// Grants, and what is had in their like, that are in memory.
        package var grants: Int
        /// Those whose newest refresh token the store has not confirmed: it is in memory alone.
        package var unsaved: Int
        /// Requests for a token, by what came of them.
        package var obtained: Int
        package var ended: Int
        package var refused: Int
        package var unanswered: Int

        package init(grants: Int, unsaved: Int, obtained: Int, ended: Int, refused: Int, unanswered: Int) {
            self.grants = grants
            self.unsaved = unsaved
            self.obtained = obtained
            self.ended = ended
            self.refused = refused
            self.unanswered = unanswered
        }
    }

    package struct Cache: Codable, Equatable, Sendable {
        package var entries: Int
        package var capacity: Int
        package var hits: Int
        package var negativeHits: Int
        /// Look-ups that were served a credential past its time, because the store did not answer.
        package var stale: Int
        package var misses: Int
        package var refreshes: Int
        package var failedRefreshes: Int

        package init(
            entries: Int, capacity: Int, hits: Int, negativeHits: Int, stale: Int, misses: Int, refreshes: Int, failedRefreshes: Int
        ) {
            self.entries = entries
            self.capacity = capacity
            self.hits = hits
            self.negativeHits = negativeHits
            self.stale = stale
            self.misses = misses
            self.refreshes = refreshes
            self.failedRefreshes = failedRefreshes
        }
    }

    package struct Log: Codable, Equatable, Sendable {
        package var written: Int
        package var dropped: Int

        package init(written: Int, dropped: Int) {
            self.written = written
            self.dropped = dropped
        }
    }

    package struct Server: Codable, Equatable, Sendable {
        package var project: String
        package var server: String
        package var level: String
        package var status: String
        package var origin: String
        /// Exchanges that came this far, and those of them that the gateway refused.
        package var exchanges: Int
        package var refused: Int

        package init(project: String, server: String, level: String, status: String, origin: String, exchanges: Int, refused: Int) {
            self.project = project
            self.server = server
            self.level = level
            self.status = status
            self.origin = origin
            self.exchanges = exchanges
            self.refused = refused
        }
    }

    package init(
        version: String, process: Int, started: String, uptimeSeconds: Int, snapshot: String, configuration: Configuration, workers: Int, listeners: [Listener],
        certificates: [Certificate] = [], connections: Connections, store: Store, cache: Cache, oauth: OAuth, log: Log, servers: [Server]
    ) {
        self.version = version
        self.process = process
        self.started = started
        self.uptimeSeconds = uptimeSeconds
        self.snapshot = snapshot
        self.configuration = configuration
        self.workers = workers
        self.listeners = listeners
        self.certificates = certificates
        self.connections = connections
        self.store = store
        self.cache = cache
        self.oauth = oauth
        self.log = log
        self.servers = servers
    }

    enum CodingKeys: String, CodingKey {
        case version, process, started, snapshot, configuration, workers, listeners, certificates, connections, store, cache, oauth, log, servers
        case uptimeSeconds = "uptime_seconds"
    }
}

extension StatusReport.Connections {
    enum CodingKeys: String, CodingKey {
        case downstream, upstream, exchanges, streams
        case upstreamIdle = "upstream_idle"
    }
}

extension StatusReport.Remote {
    enum CodingKeys: String, CodingKey {
        case region, endpoint, prefix, credentials, circuit
        case credentialsExpire = "credentials_expire"
    }
}

extension StatusReport.Cache {
    enum CodingKeys: String, CodingKey {
        case entries, capacity, hits, stale, misses, refreshes
        case negativeHits = "negative_hits"
        case failedRefreshes = "failed_refreshes"
    }
}
