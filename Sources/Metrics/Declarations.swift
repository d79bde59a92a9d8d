// Every metric that is one number a shard, each with the sentence that documents it. Those of an instance are in InstanceMetrics, the store's calls in StoreMetrics.

/// What a metric is called, the labels that tell it from others of its family, and its sentence.
package struct Declaration: Sendable {
    package let name: String
    package let labels: [(name: String, value: String)]
    package let help: String

    init(_ name: String, _ help: String, _ labels: (name: String, value: String)...) {
        self.name = name
        self.labels = labels
        self.help = help
    }
}

/// Numbers that only grow. Those of one family stand together.
package enum Counter: Int, CaseIterable, Sendable {
    case downstreamAccepted, downstreamRefused, downstreamGone
    case handshakesFull, handshakesResumed, handshakesLate, handshakesCrowdedOut, handshakesCertificate, handshakesNoCommonGround
    case handshakesNotTLS, handshakesLeft, handshakesBroken
    case acceptPausedDescriptors, acceptPausedStrain
    case upstreamOpened, upstreamReused, upstreamFailed
    case upstreamReplays
    case cacheHits, cacheNegativeHits, cacheStale, cacheMisses, cacheJoined
    case cacheRefreshed, cacheRefreshFailed
    case cacheEvicted, cacheInvalidated
    case storeReads, storeWrites, storeDeletes
    case storeFailures
    case tokensObtained, tokensEnded, tokensRefused, tokensUnanswered
    case accessRecords, accessDropped, accessHeldBack
    case linesHeldBack, auditLinesDropped, otherLinesDropped
    case spansExported, spansDropped, spansFailed
    case reloadsDone, reloadsRefused

    package var declaration: Declaration {
        switch self {
        case .downstreamAccepted:
            Declaration("claviger_downstream_connections_total", Counter.downstreamHelp, ("result", "accepted"))
        case .downstreamRefused:
            Declaration("claviger_downstream_connections_total", Counter.downstreamHelp, ("result", "refused"))
        case .downstreamGone:
            Declaration("claviger_downstream_connections_total", Counter.downstreamHelp, ("result", "gone"))
        case .handshakesFull: Declaration("claviger_tls_handshakes_total", Counter.handshakeHelp, ("result", "full"))
        case .handshakesResumed: Declaration("claviger_tls_handshakes_total", Counter.handshakeHelp, ("result", "resumed"))
        case .handshakesLate: Declaration("claviger_tls_handshakes_total", Counter.handshakeHelp, ("result", "late"))
        case .handshakesCrowdedOut: Declaration("claviger_tls_handshakes_total", Counter.handshakeHelp, ("result", "crowded_out"))
        case .handshakesCertificate: Declaration("claviger_tls_handshakes_total", Counter.handshakeHelp, ("result", "certificate"))
        case .handshakesNoCommonGround: Declaration("claviger_tls_handshakes_total", Counter.handshakeHelp, ("result", "no_common_ground"))
        case .handshakesNotTLS: Declaration("claviger_tls_handshakes_total", Counter.handshakeHelp, ("result", "not_tls"))
        case .handshakesLeft: Declaration("claviger_tls_handshakes_total", Counter.handshakeHelp, ("result", "left"))
        case .handshakesBroken: Declaration("claviger_tls_handshakes_total", Counter.handshakeHelp, ("result", "broken"))
        case .acceptPausedDescriptors:
            Declaration("claviger_accept_pauses_total", Counter.pauseHelp, ("reason", "descriptors"))
        case .acceptPausedStrain:
            Declaration("claviger_accept_pauses_total", Counter.pauseHelp, ("reason", "strain"))
        case .upstreamOpened:
            Declaration("claviger_upstream_connections_total", Counter.upstreamHelp, ("result", "opened"))
        case .upstreamReused:
            Declaration("claviger_upstream_connections_total", Counter.upstreamHelp, ("result", "reused"))
        case .upstreamFailed:
            Declaration("claviger_upstream_connections_total", Counter.upstreamHelp, ("result", "failed"))
        case .upstreamReplays:
            Declaration("claviger_upstream_replays_total", "Requests sent again with a newer credential after the server rejected the cached one.")
        case .cacheHits:
            Declaration("claviger_cache_lookups_total", Counter.cacheHelp, ("result", "hit"))
        case .cacheNegativeHits:
            Declaration("claviger_cache_lookups_total", Counter.cacheHelp, ("result", "negative"))
        case .cacheStale:
            Declaration("claviger_cache_lookups_total", Counter.cacheHelp, ("result", "stale"))
        case .cacheMisses:
            Declaration("claviger_cache_lookups_total", Counter.cacheHelp, ("result", "miss"))
        case .cacheJoined:
            Declaration("claviger_cache_lookups_total", Counter.cacheHelp, ("result", "joined"))
        case .cacheRefreshed:
            Declaration("claviger_cache_refreshes_total", Counter.refreshHelp, ("result", "done"))
        case .cacheRefreshFailed:
            Declaration("claviger_cache_refreshes_total", Counter.refreshHelp, ("result", "failed"))
        case .cacheEvicted:
            Declaration("claviger_cache_evicted_total", "Cached credentials dropped to make room.")
        case .cacheInvalidated:
            Declaration("claviger_cache_invalidated_total", "Times that a changed credential made a worker look again.")
        case .storeReads:
            Declaration("claviger_store_operations_total", Counter.storeHelp, ("operation", "read"))
        case .storeWrites:
            Declaration("claviger_store_operations_total", Counter.storeHelp, ("operation", "write"))
        case .storeDeletes:
            Declaration("claviger_store_operations_total", Counter.storeHelp, ("operation", "delete"))
        case .storeFailures:
            Declaration("claviger_store_failures_total", "Operations of the secret store that failed, retries and all.")
        case .tokensObtained:
            Declaration("claviger_oauth_token_requests_total", Counter.tokenHelp, ("result", "done"))
        case .tokensEnded:
            Declaration("claviger_oauth_token_requests_total", Counter.tokenHelp, ("result", "ended"))
        case .tokensRefused:
            Declaration("claviger_oauth_token_requests_total", Counter.tokenHelp, ("result", "refused"))
        case .tokensUnanswered:
            Declaration("claviger_oauth_token_requests_total", Counter.tokenHelp, ("result", "unanswered"))
        case .reloadsDone:
            Declaration("claviger_reloads_total", Counter.reloadHelp, ("result", "done"))
        case .reloadsRefused:
            Declaration("claviger_reloads_total", Counter.reloadHelp, ("result", "refused"))
        case .accessRecords:
            Declaration("claviger_access_records_total", Counter.accessHelp, ("result", "written"))
        case .accessDropped:
            Declaration("claviger_access_records_total", Counter.accessHelp, ("result", "dropped"))
        case .accessHeldBack:
            Declaration("claviger_access_records_total", Counter.accessHelp, ("result", "held_back"))
        case .linesHeldBack:
            Declaration("claviger_log_lines_held_back_total", "Lines of the log that were not written because many like them came at once; how many is said in their place.")
        case .auditLinesDropped: Declaration("claviger_log_lines_dropped_total", Counter.linesDroppedHelp, ("kind", "audit"))
        case .otherLinesDropped: Declaration("claviger_log_lines_dropped_total", Counter.linesDroppedHelp, ("kind", "other"))
        case .spansExported:
            Declaration("claviger_spans_total", Counter.spansHelp, ("result", "exported"))
        case .spansDropped:
            Declaration("claviger_spans_total", Counter.spansHelp, ("result", "dropped"))
        case .spansFailed:
            Declaration("claviger_spans_total", Counter.spansHelp, ("result", "failed"))
        }
    }

    private static let reloadHelp = "Reloads of the configuration: done, or refused, so that the one in force stayed."
    private static let downstreamHelp = "Agents' connections: taken, turned away because a limit was reached, or gone before they were taken."
    private static let handshakeHelp =
        "TLS handshakes with agents: done in full, done by resuming a session, or failed: not in time, too slow while others waited, for the client's certificate, without a common version, cipher or protocol, without TLS, left by the client, or broken."
    private static let pauseHelp =
        "Times that new connections had to wait: few descriptors were left, or a worker was behind with what it had."
    private static let upstreamHelp = "Upstream connections asked for: opened anew, taken from the pool, or not to be had."
    private static let cacheHelp = "Credential lookups: found, known to be absent, served past its time, fetched, or joined to a fetch."
    private static let refreshHelp = "Cached credentials read again from the secret store, ahead of their end or after it."
    private static let storeHelp = "Operations of the secret store, one for each credential."
    private static let tokenHelp =
        "Requests for a new access token: given, answered that the grant is over, refused for another reason, or not answered."
    private static let accessHelp =
        "Access records written, dropped because the log could not keep up, or held back because strangers without a key came in a flood."
    private static let linesDroppedHelp =
        "Lines of the log, access records apart, dropped because whoever reads it could not keep up: rows of the audit, which the database has all the same, and others."
    private static let spansHelp = "Spans taken by the receiver of `trace.otlp`, dropped because too many waited for it, or not taken by it."
}

/// Numbers that go up and down.
package enum Gauge: Int, CaseIterable, Sendable {
    case downstreamOpen, acceptPaused, upstreamOpen, upstreamIdle, activeExchanges, activeStreams, cachedCredentials, brokerEntries, storeCircuit
    case unsavedGrants
    case snapshotsHeld, snapshotGeneration, lastReloadDone, lastReloadTime

    package var declaration: Declaration {
        switch self {
        case .downstreamOpen: Declaration("claviger_downstream_connections_open", "Agents' connections open now.")
        case .acceptPaused: Declaration("claviger_accept_paused", "Listeners of workers that take no new connections now.")
        case .upstreamOpen: Declaration("claviger_upstream_connections_open", "Upstream connections open now, idle ones included.")
        case .upstreamIdle: Declaration("claviger_upstream_connections_idle", "Upstream connections kept for the next exchange.")
        case .activeExchanges: Declaration("claviger_exchanges_active", "Exchanges between a request's head and the answer's end, those of people at the portal's pages included.")
        case .activeStreams: Declaration("claviger_streams_active", "Event streams being relayed now.")
        case .cachedCredentials:
            Declaration("claviger_cache_entries", Gauge.entriesHelp, ("holder", "workers"))
        case .brokerEntries:
            Declaration("claviger_cache_entries", Gauge.entriesHelp, ("holder", "broker"))
        case .unsavedGrants:
            Declaration("claviger_oauth_unsaved_grants", "OAuth grants whose newest refresh token the secret store has not confirmed; it is in memory alone.")
        case .snapshotGeneration:
            Declaration("claviger_snapshot_generation", "Of the configuration in force: 1 at the start, and one more with every reload that was done.")
        case .lastReloadDone:
            Declaration("claviger_last_reload_done", "Whether the last reload was done: 1 it was, or there was none yet; 0 it was refused, and an older configuration is in force than the files say.")
        case .lastReloadTime:
            Declaration("claviger_last_reload_timestamp_seconds", "When the last reload ended, in seconds since 1970; 0 before the first.")
        case .snapshotsHeld:
            Declaration("claviger_snapshots_held", "Configurations in memory: the one in force, and those that exchanges begun before a reload still use.")
        case .storeCircuit:
            Declaration("claviger_store_circuit_state", "Whether the secret store is called: 0 it is (closed), 1 one call tries it (half-open), 2 it is not (open).")
        }
    }

    private static let entriesHelp = "Entries of the cache: the broker's, and those of all workers' views together."

    /// Gauges lie behind the counters.
    @inlinable var cell: Int { Counter.count + rawValue }
}

extension Counter {
    /// How many there are; a test holds it to `allCases`.
    @usableFromInline static var count: Int { Counter.reloadsRefused.rawValue + 1 }
}
