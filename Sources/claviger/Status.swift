// `claviger status`: what runs, since when, which snapshot, and how servers, store and cache do.

internal import ArgumentParser
internal import Portal

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Says what runs, since when, and how it does.")

    @OptionGroup var place: RuntimePlace
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
        let report = try AdminClient(place: place).ask(for: StatusReport.self, "status")
        print(json ? JSONText.of(report) : Status.text(report))
    }

    static func text(_ report: StatusReport) -> String {
        var lines = [
            "claviger \(report.version), process \(report.process), since \(report.started) (\(duration(report.uptimeSeconds)))",
            "snapshot     \(report.snapshot), generation \(report.configuration.generation) since \(report.configuration.since)",
        ]
        if let last = report.configuration.lastReload { lines += reloadLines(last) }
        for listener in report.listeners { lines.append("listener     \(listener.address) (\(listener.door))") }
        for certificate in report.certificates {
            let owner = certificate.listener ?? certificate.server.map { "for server \($0)" } ?? ""
            lines.append("certificate  \(owner) until \(certificate.expires)")
        }
        let connections = report.connections
        lines.append("workers      \(report.workers)")
        lines.append("connections  \(connections.downstream) agents, \(connections.upstream) upstream (\(connections.upstreamIdle) idle)")
        lines.append("exchanges    \(connections.exchanges) under way, \(connections.streams) event streams")
        lines.append("store        \(report.store.kind): \(report.store.reads) reads, \(report.store.writes) writes, \(report.store.failures) failures")
        if let remote = report.store.remote {
            let until = remote.credentialsExpire.map { " until \($0)" } ?? ""
            lines.append("             \(remote.region), \(remote.endpoint), prefix \(remote.prefix), circuit \(remote.circuit)")
            lines.append("             credentials from \(remote.credentials ?? "nowhere yet")\(until)")
        }
        let cache = report.cache
        lines.append("cache        \(cache.entries) entries; \(cache.hits) hits, \(cache.negativeHits) known to be missing, \(cache.misses) misses")
        lines.append("             \(cache.refreshes) refreshes, \(cache.failedRefreshes) failed; \(cache.stale) served past their time")
        let oauth = report.oauth
        if oauth.grants + oauth.obtained + oauth.ended + oauth.refused + oauth.unanswered > 0 {
            lines.append("oauth        \(oauth.grants) grants in use; \(oauth.obtained) tokens, \(oauth.unanswered + oauth.refused) requests failed, \(oauth.ended) grants ended")
            if oauth.unsaved > 0 { lines.append("             \(oauth.unsaved) grants are not yet in the store: end nothing until they are") }
        }
        lines.append("access log   \(report.log.written) written, \(report.log.dropped) dropped")
        lines.append("")
        let rows = report.servers.map { [$0.project, $0.server, $0.level, $0.status, "\($0.exchanges)", "\($0.refused)", $0.origin] }
        return (lines + Table.lines([["PROJECT", "SERVER", "LEVEL", "STATUS", "EXCHANGES", "REFUSED", "ORIGIN"]] + rows)).joined(separator: "\n")
    }

    private static func reloadLines(_ last: ReloadReport) -> [String] {
        var lines = ["last reload  \(last.time) by \(last.by.joined(separator: ", ")): \(last.summary)"]
        if last.result != .done { lines += last.problems.map { "             \($0)" } }
        return lines + last.needsRestart.map { "             needs a restart: \($0)" }
    }

    static func duration(_ seconds: Int) -> String {
        switch seconds {
        case ..<60: "\(seconds) s"
        case ..<3600: "\(seconds / 60) min"
        case ..<86_400: "\(seconds / 3600) h \(seconds / 60 % 60) min"
        default: "\(seconds / 86_400) d \(seconds / 3600 % 24) h"
        }
    }
}

enum Table {
    /// Columns as wide as their widest cell, two spaces between; nothing behind the last.
    static func lines(_ rows: [[String]]) -> [String] {
        guard let columns = rows.first?.count else { return [] }
        let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.indices.map { $0 == columns - 1 ? row[$0] : row[$0] + String(repeating: " ", count: widths[$0] - row[$0].count) }
                .joined(separator: "  ")
        }
    }
}
