// A reload: everything is read, checked and opened before anything changes; then everybody is given the new, and what is old goes by itself.

internal import ConfigurationFiles
internal import Credentials
internal import Gateway
internal import Kernel
internal import Logging
internal import Metrics
internal import OAuth
internal import Portal
internal import Proxy
internal import State
internal import Telemetry

/// What whoever watches over the daemon is told.
enum ReloadStage: Sendable {
    case began
    case ended(ReloadReport)
}

/// The only place that knows everybody who goes by a snapshot. Blocks while it reads: never called on a worker, and by one at a time.
struct Reloader: Sendable {
    /// Of the configuration.
    let directory: String
    let inForce: InForce
    let fleet: Fleet
    let broker: CredentialBroker
    let oauth: OpenedOAuth
    let mailRoom: MailRoom
    let state: StateDatabase
    let log: LogOutput
    let logger: Logger
    let metrics: SharedShard
    /// Whether the daemon drains: nobody would open what is new then.
    let isEnding: @Sendable () -> Bool
    let told: @Sendable (ReloadStage) -> Void

    private enum Attempt {
        case done(generation: Int, snapshot: Snapshot, changes: [Change], warnings: [String])
        /// The configuration is wrong; all its problems.
        case refused([String])
        /// It is right, and something of it cannot be had.
        case failed(String)
    }

    /// - Parameter askers: who wants it; each has his row in the audit.
    func reload(for askers: [Principal]) async -> ReloadReport {
        let former = inForce.now
        guard !isEnding() else { return await refuse(askers, former) }
        told(.began)
        let report = report(on: await attempt(after: former.provisions), after: former, for: askers)
        inForce.note(report)
        count(report, after: former)
        say(report)
        await record(report, askers)
        told(.ended(report))
        return report
    }

    private static let ending = "the gateway is ending, and takes no other configuration: the next start reads it"

    /// Nothing was tried: it is no outcome for status and metrics.
    private func refuse(_ askers: [Principal], _ former: InForce.Standing) async -> ReloadReport {
        let report = report(on: .failed(Reloader.ending), after: former, for: askers)
        say(report)
        await record(report, askers)
        return report
    }

    // MARK: Reading, checking, opening

    private func attempt(after former: Provisions) async -> Attempt {
        let result = Configuration.load(directory: directory, environment: Places.environment, purpose: .serve, after: former.snapshot)
        let lines = result.problems.map(\.description)
        guard let snapshot = result.snapshot else { return .refused(lines) }
        let provisions: Provisions
        let doors: DoorChange
        do throws(CommandFault) {
            provisions = try Check.provisions(for: snapshot, after: former, metrics: metrics)
        } catch {
            return .refused([error.line].compactMap(\.self))
        }
        do throws(ListenFault) { doors = try fleet.doors(for: snapshot) } catch { return .failed("\(error)") }
        // The end may have begun while the files were read.
        guard !isEnding() else { return .failed(Reloader.ending) }
        // From here on nothing can fail.
        let changes = snapshot.outline.changes(since: former.snapshot.outline)
        let generation = await put(provisions, doors, changes, after: former.snapshot)
        return .done(generation: generation, snapshot: snapshot, changes: changes, warnings: lines)
    }

    // MARK: The swap

    private func put(_ provisions: Provisions, _ doors: DoorChange, _ changes: [Change], after former: Snapshot) async -> Int {
        let snapshot = provisions.snapshot
        let generation = inForce.put(provisions, at: WallClock.milliseconds() / 1000)
        log.setLevel(Logger.Level(snapshot.log.level))
        mailRoom.adopt(snapshot, isChanged: changes.contains { $0.part.kind == .setting && $0.part.name.hasPrefix("portal.sign_in.email_code") })
        await fleet.adopt(provisions, doors)
        // Behind the workers: before, one of them could have had anew what is dropped here.
        let (gone, changed) = Reloader.credentials(of: former, endedBy: snapshot)
        await oauth.keeper.forget(servers: changed)
        await broker.adopt(snapshot.cache, dropping: gone)
        return generation
    }

    /// Which instances' cached credentials are none any more: those of instances that are gone, and tokens had by settings that are others now. What
    /// people deposited is rendered anew where the server's places for it have changed, and missing where its origin has.
    ///
    /// - Returns: also the names of servers whose tokens are to be had anew.
    static func credentials(of former: Snapshot, endedBy snapshot: Snapshot) -> (instances: [ServerInstance], servers: Set<String>) {
        var (instances, servers): ([ServerInstance], Set<String>) = ([], [])
        for instance in former.projects.values.flatMap(\.instances.values) {
            let heir = snapshot.projects[instance.project]?.instance(instance.name)
            guard let heir, heir.level == instance.level else {
                instances.append(instance)
                continue
            }
            guard heir.server !== instance.server, heir.server.oauth != nil || instance.server.oauth != nil else { continue }
            instances.append(instance)
            servers.formUnion([instance.server.name.text, heir.server.name.text])
        }
        return (instances, servers)
    }

    // MARK: Telling

    private func report(on attempt: Attempt, after former: InForce.Standing, for askers: [Principal]) -> ReloadReport {
        let by = askers.map { "\($0.actor)" }.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        var report = ReloadReport(
            result: .done, time: Timestamp.text(WallClock.milliseconds() / 1000), by: by, generation: former.generation,
            snapshot: Facts.name(of: former.snapshot))
        switch attempt {
        case .done(let generation, let snapshot, let changes, let warnings):
            (report.generation, report.snapshot) = (generation, Facts.name(of: snapshot))
            report.changes = changes.map { ReloadReport.Difference($0) }
            report.needsRestart = Reloader.waitingForRestart(snapshot.outline, since: inForce.first)
            report.problems = warnings
        case .refused(let problems): (report.result, report.problems) = (.refused, problems)
        case .failed(let line): (report.result, report.problems) = (.failed, [line])
        }
        return report
    }

    /// Settings that say something else than at the start, and count only after a restart.
    static func waitingForRestart(_ outline: Outline, since first: Outline) -> [String] {
        outline.changes(since: first).filter { $0.part.kind == .setting && Setting.needsRestart($0.part.name) }.map(\.part.name)
    }

    private func count(_ report: ReloadReport, after former: InForce.Standing) {
        let isDone = report.result == .done
        metrics.add(isDone ? .reloadsDone : .reloadsRefused)
        metrics.add(.snapshotGeneration, report.generation - former.generation)
        metrics.add(.lastReloadDone, (isDone ? 1 : 0) - ((former.lastReload?.result ?? .done) == .done ? 1 : 0))
        let before = former.lastReload.flatMap { Timestamp.seconds($0.time) } ?? 0
        metrics.add(.lastReloadTime, Int(clamping: (Timestamp.seconds(report.time) ?? before) - before))
    }

    private func say(_ report: ReloadReport) {
        guard report.result == .done else {
            logger.error("\(report.headline)")
            log.list(report.problems, at: .error, rest: Reloader.moreProblems)
            return
        }
        logger.notice("\(report.headline)")
        log.list(report.changes.map { "reloaded: \($0)" }, at: .notice, rest: "more changes; `claviger status --json` has them all")
        let waiting = report.needsRestart.map { "\($0) counts only after a restart; what it was at the start stays in force" }
        log.list(waiting, at: .warning, rest: "more settings; `claviger status` names them")
        log.list(report.problems, at: .warning, rest: Reloader.moreProblems)
    }

    static let moreProblems = "more problems; `claviger check` prints them all"

    private func record(_ report: ReloadReport, _ askers: [Principal]) async {
        var seen: Set<String> = []
        for asker in askers where seen.insert("\(asker.actor) \(asker.source)").inserted {
            let entry = AuditEntry(
                time: WallClock.milliseconds() / 1000, actor: asker.actor, action: .reload, source: asker.source, detail: report.summary)
            do throws(StateFault) { try await state.append(entry) } catch { logger.error("the reload is not in the audit: \(error)") }
        }
    }
}

extension ReloadReport.Difference {
    init(_ change: Change) {
        var keys: [String] = []
        if case .changed(let changed) = change.what { keys = changed.filter { !$0.isEmpty } }
        self.init(kind: change.part.kind.rawValue, name: change.part.name, what: change.what.word, keys: keys)
    }
}
