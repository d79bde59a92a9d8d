// What the daemon counts about itself: a shard for each worker, one for all others, and the text a scraper reads.

internal import Synchronization

/// Made once at start. Nobody who records waits for anybody: a worker counts in cells of its own, and reading adds them up.
///
/// Labels are a project's and a server's names, a status class and a refusal code, nothing that a caller could choose: their number
/// is bounded by the configuration, and no address, email or key can stand in one.
package final class Metrics: Sendable {
    /// For whoever is not a worker: broker, store, log writer.
    package let shared = SharedShard()

    let workers: [ShardCells]
    private let refusals: [String]
    private let version: String

    /// - Parameters:
    ///   - workers: how many shards there are; one or more.
    ///   - refusals: the refusal codes, in the order of the numbers they are recorded under; 34 at most.
    ///   - version: as `claviger version` prints it.
    package init(workers: Int, refusals: [String], version: String) {
        precondition(workers > 0, "somebody works")
        precondition(InstanceLayout(refusals: refusals.count).count <= Cells.capacity, "an instance's counts fit a row")
        self.workers = (0..<workers).map { _ in ShardCells(refusals: refusals.count) }
        self.refusals = refusals
        self.version = version
    }

    /// The recording side for worker `index`. Each worker takes its own once and keeps it on its thread.
    package func shard(_ index: Int) -> Shard {
        Shard(workers[index])
    }

    /// The sum over all shards, now.
    package func value(_ counter: Counter) -> UInt64 {
        workers.reduce(shared.value(counter)) { $0 &+ $1.cells[counter.rawValue] }
    }

    /// The sum over all shards, now. Shards are read one after the other, so for an instant it may be off by what just moved.
    package func value(_ gauge: Gauge) -> Int64 {
        let sum = workers.reduce(shared.cells[gauge.cell]) { $0 &+ $1.cells[gauge.cell] }
        return Int64(bitPattern: sum)
    }

    /// One instance's counts over all workers, by the labels that name it.
    package func instances() -> [InstanceTotals] {
        var totals: [InstanceLabels: InstanceTotals] = [:]
        for worker in workers {
            for row in worker.rows.withLock({ $0 }) {
                totals[row.labels, default: InstanceTotals(labels: row.labels, refusals: refusals)].add(row.cells)
            }
        }
        return totals.values.sorted { $0.labels < $1.labels }
    }

    /// Everything in Prometheus's text format, version 0.0.4.
    /// - Parameters:
    ///   - process: the process's own figures, of this moment.
    ///   - certificates: those in force.
    package func text(process: ProcessValues = ProcessValues(), certificates: [CertificateExpiry] = []) -> String {
        var text = PrometheusText()
        text.write(process)
        text.head(.build)
        text.sample(Family.build.name, [("version", version)], 1)
        for counter in Counter.allCases { text.write(counter.declaration, .counter, String(value(counter))) }
        for gauge in Gauge.allCases { text.write(gauge.declaration, .gauge, String(value(gauge))) }
        text.write(certificates)
        text.writeStore(of: self)
        text.write(instances())
        text.writePortal(of: self)
        return text.finished()
    }
}

/// A shard's cells as the reader sees them: those that always exist, and a row for each instance the worker has met.
package final class ShardCells: Sendable {
    let cells = Cells()
    let rows = Mutex<[InstanceRow]>([])
    let refusals: Int

    init(refusals: Int) {
        self.refusals = refusals
    }
}
