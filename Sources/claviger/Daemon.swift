// The daemon: everything is opened in order, runs until a signal, and is closed in the opposite order.

internal import Credentials
internal import EventLoop
internal import Gateway
internal import Kernel
internal import Logging
internal import Metrics
internal import OAuth
internal import Portal
internal import Proxy
internal import State
internal import Synchronization
internal import Telemetry

struct Daemon: Sendable {
    let inForce: InForce
    let directories: Directories
    let warnings: [String]
    let metrics: Metrics
    let log: LogOutput
    let logger: Logger
    let state: StateDatabase
    let store: OpenedStore
    let broker: CredentialBroker
    let oauth: OpenedOAuth
    let fleet: Fleet
    let portal: Portal
    let records: Records
    let mailRoom: MailRoom
    let certificates: CertificateWatch
    let reloads: SharedTurns<Principal, ReloadReport>
    let supervision: Supervision
    let tracing: Tracing
    let started = Facts.Start()
    private let early = EarlyLines()

    /// Opens the log, the state, the store and the listeners. Nothing is accepted yet.
    ///
    /// - Parameters:
    ///   - configuration: the directory that the snapshot was read from, and reloads read again.
    ///   - handedOver: the sockets that systemd opened.
    /// - Throws: `CommandFault`: what could not be opened, and what to do.
    init(
        _ snapshot: Snapshot, from configuration: String, in directories: Directories, handedOver: [HandedSocket], warnings: [String]
    ) throws {
        self.directories = directories
        self.warnings = warnings
        let metrics = Metrics(workers: snapshot.gateway.workers, refusals: RefusalCode.allCases.map(\.rawValue), version: Version.text)
        let journal = try? JournalSocket()
        let format = LogFormat(snapshot.log.format, journalStream: Places.environment["JOURNAL_STREAM"], hasSocket: journal != nil)
        let log = LogOutput(format: format, metrics: metrics.shared, journal: format == .journal ? journal : nil)
        log.setLevel(Logger.Level(snapshot.log.level))
        let logger = log.logger("claviger")
        let provisions = try Check.provisions(for: snapshot, metrics: metrics.shared)
        let inForce = InForce(provisions, at: started.wallClock)
        metrics.shared.add(.snapshotGeneration, 1)
        metrics.shared.add(.lastReloadDone, 1)
        let label = UserLabel(key: try LogKey.load(fromState: directories.state)) { inForce.snapshot.log.user }
        let early = self.early
        let resolver = Resolver()
        let opened = try Daemon.open(inForce, directories, metrics, resolver) { level, line in early.log(logger, level, line) }
        let uses = UseCounts()
        let spans = SpanQueue(metrics: metrics.shared)
        let startTime = started.wallClock
        let tokens = try OpenedTokens(client: opened.oauth.client, resolver: resolver, allowed: { inForce.snapshot.gateway.outboundAllow }) { level, line in
            early.log(logger, level, line)
        }
        let services = Services(
            broker: opened.broker, tokens: UserTokenDesk(tokens: tokens.users), resolver: resolver, metrics: metrics, log: log, userLabel: label, uses: uses, spans: spans,
            portal: directories.portalSocket, report: { level, line in early.log(logger, Logger.Level(level), line) })
        do {
            fleet = try Fleet(
                provisions, services: services, handedOver: handedOver, adminSocket: directories.adminSocket, adminGroup: groupNumber(named: "claviger"))
        } catch {
            throw CommandFault.failed("\(error)")
        }
        certificates = CertificateWatch(fleet: fleet, logger: logger)
        let facts = Facts(inForce: inForce, metrics: metrics, start: started, store: opened.store, oauth: opened.oauth, fleet: fleet)
        let mailRoom = try MailRoom(snapshot, logger: logger)
        let pages = PageServices(
            connections: BrokerConnections(broker: opened.broker), trial: ServerTrial(client: mailRoom.client), codes: mailRoom.codes, provider: tokens.signIns,
            random: { SecureRandom.bytes($0) })
        let supervision = Supervision(logger: logger) { stage in
            let standing = inForce.now
            return "\(stage), \(standing.words), \(metrics.value(.downstreamOpen)) connections, \(metrics.value(.activeStreams)) streams\(standing.reloadWords)"
        }
        let reloader = Reloader(
            directory: configuration, inForce: inForce, fleet: fleet, broker: opened.broker, oauth: opened.oauth, mailRoom: mailRoom,
            state: opened.state, log: log, logger: logger, metrics: metrics.shared, isEnding: { supervision.isStopping }, told: { supervision.note($0) })
        let reloads = SharedTurns(on: try .started(name: "reload", mayBlock: true)) { await reloader.reload(for: $0) }
        portal = Portal(
            desk: BrokerDesk(broker: opened.broker, state: opened.state, snapshot: { inForce.snapshot }),
            connector: OAuthDesk(
                oauth: opened.oauth, broker: opened.broker, state: opened.state, snapshot: { inForce.snapshot }, prefix: snapshot.secrets.prefix),
            state: opened.state, pages: pages, snapshot: { inForce.snapshot },
            status: { await facts.report() }, reload: { await reloads.take($0) }, metrics: { metrics.text(process: ProcessValues(startedAt: startTime), certificates: facts.fleet.certificateExpiries) }, label: label, logger: logger,
            wallClock: { WallClock.milliseconds() / 1000 }, random: { SecureRandom.bytes($0) })
        records = Records(state: opened.state, uses: uses, keep: { inForce.snapshot.audit.keep }, logger: logger)
        tracing = Tracing(queue: spans, settings: { inForce.snapshot.trace }, metrics: metrics.shared, logger: logger)
        let audit = AuditLog(to: log, label: label)
        opened.state.tellAudit { audit.write($0) }
        (self.metrics, self.log, self.logger) = (metrics, log, logger)
        (self.inForce, self.mailRoom, self.reloads, self.supervision) = (inForce, mailRoom, reloads, supervision)
        (state, store, broker, oauth) = (opened.state, opened.store, opened.broker, opened.oauth)
    }

    /// Serves until SIGTERM or SIGINT, and ends in order.
    func run(until signals: AsyncStream<Signal>) async throws {
        do { try log.start() } catch { throw CommandFault.failed("the log's thread cannot be started: \(error)") }
        defer { log.end() }
        try await store.findCredentials()
        let timekeeper = Task { await broker.keepTime() }
        defer { timekeeper.cancel() }
        let recording = Task { await records.write() }
        defer { recording.cancel() }
        let renewing = Task { await certificates.keepTime() }
        defer { renewing.cancel() }
        let exporting = Task { await tracing.run() }
        defer { exporting.cancel() }
        let grantkeeper = Task { await oauth.keeper.keepTime() }
        defer { grantkeeper.cancel() }
        let serving = try await servePortal()
        defer { serving.cancel() }
        let posting = Task { await mailRoom.run() }
        defer { posting.cancel() }
        // The listeners are open: the line stands before any exchange's.
        announce()
        let greeting = Task { await greetStore() }
        defer { greeting.cancel() }
        await fleet.start()
        supervision.ready()
        let watching = Task { await supervision.keepWatch() }
        defer { watching.cancel() }
        let (hangUps, hungUp) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let reloading = Task { await reload(at: hangUps) }
        defer { reloading.cancel() }
        await wait(for: signals, onHangUp: { hungUp.yield() })
        let span = inForce.snapshot.gateway.timeouts.drain
        supervision.stopping(within: span)
        await drain(within: span, hurriedBy: signals, onHangUp: { hungUp.yield() })
        await finish()
    }

    /// Until nobody is in any more, or a second after who is left was broken off.
    private func drain(within span: Duration, hurriedBy signals: AsyncStream<Signal>, onHangUp: @escaping @Sendable () -> Void) async {
        let (ends, end) = AsyncStream.makeStream(of: Bool.self)
        let draining = Task {
            await fleet.drain(within: span)
            end.yield(true)
        }
        let deadline = Task {
            try await Task.sleep(for: span)
            logger.warning("drained for \(span): what is still open is cut off")
            try await cut()
            end.yield(false)
        }
        let impatience = Task {
            for await signal in signals {
                guard signal != .hangUp else {
                    onHangUp()
                    continue
                }
                try await cut()
                end.yield(false)
            }
        }
        for await isEmpty in ends {
            if !isEmpty { logger.warning("\(metrics.value(.activeExchanges)) exchanges did not break off within a second: nobody waits for them") }
            break
        }
        for task in [deadline, impatience] { task.cancel() }
        draining.cancel()
    }

    /// In the opposite order of the start. Each step ends by itself, or after its time: a provider's answer that is under way would be lost, and with
    /// it somebody's connection, so that has nine seconds.
    private func finish() async {
        async let traced: Void = tracing.finish()
        await records.writeUses()
        await broker.close()
        await oauth.finish()
        await store.close()
        await mailRoom.close()
        await traced
        logger.info("stopped")
        close()
    }

    /// - Returns: the task that serves, once it listens.
    private func servePortal() async throws -> Task<Void, Never> {
        let (running, started) = AsyncStream.makeStream(of: String?.self)
        let task = Task {
            do {
                try await portal.run(at: directories.portalSocket) { started.yield(nil) }
            } catch {
                started.yield("\(directories.portalSocket): the portal cannot listen: \(error)")
            }
        }
        for await fault in running {
            if let fault { throw CommandFault.failed(fault) }
            break
        }
        return task
    }

    /// However many signals come during a reload, they make one more.
    private func reload(at hangUps: AsyncStream<Void>) async {
        for await _ in hangUps { _ = await reloads.take(Principal(actor: .gateway, source: "SIGHUP")) }
    }

    /// The one line at the start, then what was to be said before it.
    private func announce() {
        let snapshot = inForce.snapshot
        var words = ["claviger \(Version.text) started, snapshot \(Facts.name(of: snapshot)), \(snapshot.gateway.workers) workers"]
        for (door, addresses) in [("listening on", fleet.addresses.filter { $0.door == .public }), ("administration on", fleet.addresses.filter { $0.door != .public })]
        where !addresses.isEmpty {
            words.append("\(door) \(addresses.map(\.address.description).joined(separator: " and "))")
        }
        logger.notice("\(words.joined(separator: ", "))")
        log.list(warnings, at: .warning, rest: Reloader.moreProblems)
        early.release(to: logger)
    }

    /// The line about a store that is asked over a network; whatever it says, what the store has is served when it comes.
    private func greetStore() async {
        guard let (isGood, line) = await store.greeting() else { return }
        logger.log(level: isGood ? .notice : .error, "\(line)")
    }

    private func wait(for signals: AsyncStream<Signal>, onHangUp: () -> Void) async {
        for await signal in signals {
            switch signal {
            case .hangUp: onHangUp()
            case .terminate, .interrupt:
                logger.info("ending: no new connections, \(metrics.value(.activeExchanges)) exchanges under way")
                return
            }
        }
    }

    /// Breaks off what is open, visibly and recorded; then the fleet has drained. What does not even break off within a second is left behind.
    private func cut() async throws {
        fleet.cut()
        try await Task.sleep(for: .seconds(1))
    }

    private func close() {
        fleet.removePaths()
        Files.remove(directories.portalSocket)
        do { try state.close() } catch { logger.warning("\(error)") }
    }
}

extension Daemon {
    /// State and store, joined in a broker on a loop of its own.
    private static func open(
        _ inForce: InForce, _ directories: Directories, _ metrics: Metrics, _ resolver: Resolver,
        report: @escaping @Sendable (Logger.Level, String) -> Void
    ) throws -> (state: StateDatabase, store: OpenedStore, broker: CredentialBroker, oauth: OpenedOAuth) {
        let snapshot = inForce.snapshot
        do {
            let state = try StateDatabase(inState: directories.state)
            let store = try OpenedStore.open(snapshot.secrets, state: directories.state, metrics: metrics.shared, report: report)
            let oauth = try OpenedOAuth(inForce, store: store, state: state, resolver: resolver, metrics: metrics.shared, line: report)
            let broker = CredentialBroker(
                on: try .started(name: "broker"), store: store.store, ledger: StateLedger(state: state), tokens: oauth.tokens, settings: snapshot.cache,
                prefix: snapshot.secrets.prefix,
                metrics: metrics.shared, clock: { .now() }, wallClock: { WallClock.milliseconds() / 1000 },
                random: {
                    var random = SecureRandom()
                    return random.next()
                })
            oauth.bell.connect(broker)
            return (state, store, broker, oauth)
        } catch let fault as CommandFault {
            throw fault
        } catch {
            throw CommandFault.failed("\(error)")
        }
    }
}

/// What is said while the daemon starts, kept until the line that says it has.
private final class EarlyLines: Sendable {
    private let kept = Mutex<[(Logger.Level, String)]?>([])

    func log(_ logger: Logger, _ level: Logger.Level, _ line: String) {
        let isKept = kept.withLock { kept in
            kept?.append((level, line))
            return kept != nil
        }
        if !isKept { logger.log(level: level, "\(line)") }
    }

    func release(to logger: Logger) {
        let lines = kept.withLock { kept in
            defer { kept = nil }
            return kept ?? []
        }
        for (level, line) in lines { logger.log(level: level, "\(line)") }
    }
}

extension Logger.Level {
    init(_ level: LogSettings.Level) {
        self =
            switch level {
            case .debug: .debug
            case .info: .info
            case .warning: .warning
            case .error: .error
            }
    }
}
