// The recording side: what a worker counts in, and what everybody else counts in.

internal import Synchronization

/// One worker's cells. Not Sendable on purpose: it stays on the worker's thread, so counting is a load and a store.
package final class Shard {
    private let owner: ShardCells
    @usableFromInline let cells: Cells
    /// Open addressing; a power of two, at most half full.
    private var table: [(key: UInt64, metrics: InstanceMetrics)?]
    private var known = 0

    init(_ owner: ShardCells) {
        self.owner = owner
        cells = owner.cells
        table = Array(repeating: nil, count: 64)
    }

    @inlinable @inline(always)
    package func add(_ counter: Counter, _ amount: Int = 1) {
        cells.add(UInt64(truncatingIfNeeded: amount), at: counter.rawValue)
    }

    @inlinable @inline(always)
    package func add(_ gauge: Gauge, _ amount: Int) {
        cells.add(UInt64(bitPattern: Int64(amount)), at: gauge.cell)
    }

    /// What is counted for a server instance; made when it is first asked for.
    ///
    /// - Parameters:
    ///   - key: says which instance, and is evenly spread (a word of the instance's digest); 0 for what reached none.
    ///   - project, server: the labels, names of the configuration; empty for what reached none.
    package func instance(_ key: UInt64, project: @autoclosure () -> String, server: @autoclosure () -> String) -> InstanceMetrics {
        var at = Int(truncatingIfNeeded: key) & (table.count - 1)
        while let entry = table[at] {
            if entry.key == key { return entry.metrics }
            at = (at + 1) & (table.count - 1)
        }
        return insert(key, InstanceLabels(project: project(), server: server()), at: at)
    }

    private func insert(_ key: UInt64, _ labels: InstanceLabels, at free: Int) -> InstanceMetrics {
        let row = InstanceRow(labels: labels)
        owner.rows.withLock { $0.append(row) }
        let metrics = InstanceMetrics(row, refusals: owner.refusals)
        table[free] = (key, metrics)
        known += 1
        if known * 2 > table.count { grow() }
        return metrics
    }

    private func grow() {
        var larger: [(key: UInt64, metrics: InstanceMetrics)?] = Array(repeating: nil, count: table.count * 2)
        for case .some(let entry) in table {
            var at = Int(truncatingIfNeeded: entry.key) & (larger.count - 1)
            while larger[at] != nil { at = (at + 1) & (larger.count - 1) }
            larger[at] = entry
        }
        table = larger
    }
}

/// The cells of everybody who is not a worker: any thread may count here.
package final class SharedShard: Sendable {
    let cells = Cells()
    /// The secret store's: `StoreMetrics.swift`.
    let store = Cells()

    package init() {}

    package func add(_ counter: Counter, _ amount: Int = 1) {
        cells.addShared(UInt64(truncatingIfNeeded: amount), at: counter.rawValue)
    }

    package func add(_ gauge: Gauge, _ amount: Int) {
        cells.addShared(UInt64(bitPattern: Int64(amount)), at: gauge.cell)
    }

    /// For a gauge that is a state, and that only this shard knows.
    package func set(_ gauge: Gauge, to value: Int) {
        cells.set(UInt64(bitPattern: Int64(value)), at: gauge.cell)
    }

    func value(_ counter: Counter) -> UInt64 {
        cells[counter.rawValue]
    }
}
