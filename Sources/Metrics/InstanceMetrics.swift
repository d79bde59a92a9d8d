// What is counted for one server instance: answers by status class and refusal, three durations, bytes both ways.

package struct InstanceLabels: Hashable, Comparable, Sendable {
    package let project: String
    package let server: String

    package init(project: String, server: String) {
        self.project = project
        self.server = server
    }

    package static func < (left: InstanceLabels, right: InstanceLabels) -> Bool {
        (left.project, left.server) < (right.project, right.server)
    }
}

/// The recording side of one instance on one worker. Not Sendable: it stays with its `Shard`.
package final class InstanceMetrics {
    private let cells: Cells
    private let layout: InstanceLayout

    init(_ row: InstanceRow, refusals: Int) {
        cells = row.cells
        layout = InstanceLayout(refusals: refusals)
    }

    /// Counts one exchange, at its end.
    ///
    /// - Parameters:
    ///   - status: of the answer; outside 100…599 where none was sent, because the client left or the gateway broke off.
    ///   - refusal: the refusal code's number (its place in the list given to `Metrics`); nil where the upstream answered.
    ///   - nanoseconds: from the head's arrival to the answer's last byte.
    ///   - own: from the head's arrival to the request's first byte upstream (of the first time that it was sent), or to the end where none was asked.
    ///   - upstream: from the request's first byte upstream to the answer's head, or to the end where none came; nil where nobody was asked.
    ///   - received, sent: bytes from and to the agent, heads included.
    package func record(status: Int, refusal: Int?, nanoseconds: UInt64, own: UInt64, upstream: UInt64?, received: Int, sent: Int) {
        cells.add(1, at: layout.answer(status: status, refusal: refusal))
        cells.add(1, at: InstanceLayout.exchange.bucket(of: nanoseconds))
        cells.add(nanoseconds, at: InstanceLayout.exchange.sum)
        cells.add(1, at: InstanceLayout.own.bucket(of: own))
        cells.add(own, at: InstanceLayout.own.sum)
        if let upstream {
            cells.add(1, at: InstanceLayout.upstream.bucket(of: upstream))
            cells.add(upstream, at: InstanceLayout.upstream.sum)
        }
        cells.add(UInt64(truncatingIfNeeded: received), at: InstanceLayout.received)
        cells.add(UInt64(truncatingIfNeeded: sent), at: InstanceLayout.sent)
    }
}

/// One instance's cells on one worker, as the reader sees them.
package final class InstanceRow: Sendable {
    let labels: InstanceLabels
    let cells: Cells

    init(labels: InstanceLabels) {
        self.labels = labels
        cells = Cells()
    }
}

/// Where in a row what is counted.
struct InstanceLayout {
    let refusals: Int

    static var exchange: HistogramPlace { HistogramPlace(first: 0) }
    static var own: HistogramPlace { HistogramPlace(first: exchange.end) }
    static var upstream: HistogramPlace { HistogramPlace(first: own.end) }
    static var received: Int { upstream.end }
    static var sent: Int { received + 1 }
    static var answers: Int { sent + 1 }
    /// Those of HTTP, and one for exchanges without an answer.
    static var classes: Int { 6 }

    var count: Int { InstanceLayout.answers + (refusals + 1) * InstanceLayout.classes }

    /// A class of answers of no refusal, then those of each refusal.
    func answer(status: Int, refusal: Int?) -> Int {
        let group = refusal.map { $0 >= 0 && $0 < refusals ? $0 + 1 : 0 } ?? 0
        return InstanceLayout.answers + group * InstanceLayout.classes + InstanceLayout.statusClass(status) - 1
    }

    static func statusClass(_ status: Int) -> Int { status >= 100 && status < 600 ? status / 100 : classes }

    /// The label's value of a class.
    static func word(of statusClass: Int) -> String { statusClass < classes ? "\(statusClass)xx" : "none" }

    static var words: [String] { (1...classes).map { word(of: $0) } }
}

/// One instance's counts over all workers.
package struct InstanceTotals: Sendable {
    package let labels: InstanceLabels
    /// Status class (1…5; 6 = no answer), refusal code or nil, and how many; only what happened.
    package var answers: [(statusClass: Int, refusal: String?, count: UInt64)] {
        (InstanceLayout.answers..<cells.count).compactMap { at in
            guard cells[at] > 0 else { return nil }
            let place = at - InstanceLayout.answers
            let group = place / InstanceLayout.classes
            return (place % InstanceLayout.classes + 1, group == 0 ? nil : refusals[group - 1], cells[at])
        }
    }
    package var received: UInt64 { cells[InstanceLayout.received] }
    package var sent: UInt64 { cells[InstanceLayout.sent] }
    var exchange: Distribution { Distribution(InstanceLayout.exchange) { cells[$0] } }
    var own: Distribution { Distribution(InstanceLayout.own) { cells[$0] } }
    var upstream: Distribution { Distribution(InstanceLayout.upstream) { cells[$0] } }

    private let refusals: [String]
    private var cells: [UInt64]

    init(labels: InstanceLabels, refusals: [String]) {
        self.labels = labels
        self.refusals = refusals
        cells = Array(repeating: 0, count: InstanceLayout(refusals: refusals.count).count)
    }

    mutating func add(_ row: Cells) {
        for at in cells.indices { cells[at] &+= row[at] }
    }
}

extension Family {
    private static let instance = [Label("project", words: "of the configuration, or empty"), Label("server", words: "its name in the project, or empty")]

    static let requests = Family(
        "claviger_requests_total", .counter, "Agents' exchanges by project, server, class of status (`none`: the agent left, or the gateway broke off, before an answer), and refusal where the gateway said no.",
        labels: instance + [Label("status", InstanceLayout.words), Label("refusal", words: "a refusal's code, or empty")])
    static let received = Family("claviger_received_bytes_total", .counter, "Bytes from agents, heads included.", labels: instance)
    static let sent = Family("claviger_sent_bytes_total", .counter, "Bytes to agents, heads included.", labels: instance)
    static let exchangeSeconds = Family(
        "claviger_exchange_seconds", .histogram, "From a request's head to the last byte of its answer, streams included.", labels: instance)
    static let ownSeconds = Family(
        "claviger_own_seconds", .histogram,
        "What the gateway itself took, waits for a credential and a connection included: from a request's head to the first byte sent to its MCP server, or to the end where none was asked; of a request that was sent again, to the first time. What is done in one turn of a worker's loop counts as no time.",
        labels: instance)
    static let upstreamSeconds = Family(
        "claviger_upstream_seconds", .histogram, "From the first byte sent to an MCP server to the head of its answer, or to the end where none came: a time-out, or a client who left. Of a request that was sent again, the last time.", labels: instance)
}
