// What `claviger status` is told: gathered from the snapshot and the metrics when somebody asks.

internal import Gateway
internal import Kernel
internal import Metrics
internal import OAuth
internal import Portal
internal import Proxy

struct Facts: Sendable {
    let inForce: InForce
    let metrics: Metrics
    let start: Start
    let store: OpenedStore
    let oauth: OpenedOAuth
    let fleet: Fleet

    /// When the daemon started, on both clocks.
    struct Start: Sendable {
        let wallClock = WallClock.milliseconds() / 1000
        let monotonic = MonotonicTime.now()
    }

    /// The first twelve digits of the snapshot's digest: enough to tell one configuration from another.
    static func name(of snapshot: Snapshot) -> String { String(snapshot.digest.hexadecimal.prefix(12)) }

    func report() async -> StatusReport {
        let standing = inForce.now
        let snapshot = standing.snapshot
        func count(_ counter: Counter) -> Int { Int(clamping: metrics.value(counter)) }
        func gauge(_ gauge: Gauge) -> Int { Int(metrics.value(gauge)) }
        return StatusReport(
            version: Version.text, process: processNumber, started: Timestamp.text(start.wallClock),
            uptimeSeconds: Int(MonotonicTime.now().duration(since: start.monotonic).components.seconds), snapshot: Facts.name(of: snapshot),
            configuration: .init(generation: standing.generation, since: Timestamp.text(standing.since), lastReload: standing.lastReload),
            workers: snapshot.gateway.workers,
            listeners: fleet.addresses.map { .init(door: $0.door.rawValue, address: $0.address.description) },
            certificates: fleet.certificateExpiries.map { .init($0) },
            connections: .init(
                downstream: gauge(.downstreamOpen), upstream: gauge(.upstreamOpen), upstreamIdle: gauge(.upstreamIdle),
                exchanges: gauge(.activeExchanges), streams: gauge(.activeStreams)),
            store: .init(
                kind: store.kind, reads: count(.storeReads), writes: count(.storeWrites) + count(.storeDeletes), failures: count(.storeFailures),
                remote: await store.standing()),
            cache: .init(
                entries: gauge(.cachedCredentials), capacity: snapshot.cache.capacity, hits: count(.cacheHits),
                negativeHits: count(.cacheNegativeHits), stale: count(.cacheStale), misses: count(.cacheMisses) + count(.cacheJoined),
                refreshes: count(.cacheRefreshed), failedRefreshes: count(.cacheRefreshFailed)),
            oauth: .init(
                grants: await oauth.keeper.count, unsaved: gauge(.unsavedGrants), obtained: count(.tokensObtained), ended: count(.tokensEnded),
                refused: count(.tokensRefused), unanswered: count(.tokensUnanswered)),
            log: .init(written: count(.accessRecords), dropped: count(.accessDropped)), servers: servers(of: snapshot))
    }

    private func servers(of snapshot: Snapshot) -> [StatusReport.Server] {
        let totals = Dictionary(metrics.instances().map { ($0.labels, $0.answers) }) { first, _ in first }
        let instances = snapshot.projects.values.flatMap(\.instances.values).sorted { ($0.project, $0.name) < ($1.project, $1.name) }
        return instances.map { instance in
            let answers = totals[InstanceLabels(project: instance.project.text, server: instance.name.text)] ?? []
            return StatusReport.Server(
                project: instance.project.text, server: instance.name.text, level: instance.level.rawValue, status: instance.status.rawValue,
                origin: "\(instance.server.origin)", exchanges: Int(clamping: answers.reduce(0) { $0 + $1.count }),
                refused: Int(clamping: answers.reduce(0) { $0 + ($1.refusal == nil ? 0 : $1.count) }))
        }
    }
}

extension StatusReport.Certificate {
    fileprivate init(_ expiry: CertificateExpiry) {
        let expires = Timestamp.text(expiry.notAfter)
        switch expiry.owner {
        case .listener(let address): self.init(listener: address, expires: expires)
        case .server(let name): self.init(server: name, expires: expires)
        }
    }
}
