// What all workers count together: connections, a user's event streams, a key's rate.

package import Gateway
internal import Kernel
internal import Synchronization
internal import TLS

/// Agents' connections in all, and of each address where `limits.per_address` asks for it.
package final class ConnectionLimits: Sendable {
    enum Place { case taken, full }

    private let open = Atomic<Int>(0)
    private let addresses = Mutex<[String: Int]>([:])

    package init() {}

    /// The administration's doors stay open when the public ones are full.
    func enter(_ peer: SocketAddress, _ limits: Limits, isPublic: Bool) -> Place {
        guard isPublic else { return .taken }
        let (before, _) = open.add(1, ordering: .relaxed)
        guard before < limits.connections else {
            open.subtract(1, ordering: .relaxed)
            return .full
        }
        guard let most = limits.perAddress, peer.port != nil else { return .taken }
        let isFull = addresses.withLock { counts in
            let count = counts[peer.host, default: 0]
            guard count < most else { return true }
            counts[peer.host] = count + 1
            return false
        }
        guard isFull else { return .taken }
        open.subtract(1, ordering: .relaxed)
        return .full
    }

    func leave(_ peer: SocketAddress, _ limits: Limits, isPublic: Bool) {
        guard isPublic else { return }
        open.subtract(1, ordering: .relaxed)
        guard peer.port != nil else { return }
        addresses.withLock { counts in
            guard let count = counts[peer.host] else { return }
            counts[peer.host] = count > 1 ? count - 1 : nil
        }
    }
}

/// How many event streams each user of each project has open. A lock is taken where a stream begins or ends, in one of many
/// tables; an ordinary answer takes none.
package final class StreamSeats: Sendable {
    struct Seat: Hashable, Sendable {
        let project: ProjectName
        let user: Digest256
    }

    private final class Table: Sendable {
        let seats = Mutex<[Seat: Int]>([:])
    }

    private let tables = (0..<64).map { _ in Table() }

    package init() {}

    func enter(_ seat: Seat, limit: Int) -> Bool {
        table(of: seat).seats.withLock { seats in
            let count = seats[seat, default: 0]
            guard count < limit else { return false }
            seats[seat] = count + 1
            return true
        }
    }

    func leave(_ seat: Seat) {
        table(of: seat).seats.withLock { seats in
            guard let count = seats[seat] else { return }
            seats[seat] = count > 1 ? count - 1 : nil
        }
    }

    private func table(of seat: Seat) -> Table {
        tables[Int(truncatingIfNeeded: seat.user.words.0 & 63)]
    }
}

/// The rates of keys that have one, over all workers: the generic cell rate algorithm (ITU-T I.371), a word a key and no lock.
/// A key may use a whole period's count at once.
package final class KeyRates: Sendable {
    private final class Cell: Sendable {
        /// When the key will have used nothing, in nanoseconds.
        let free = Atomic<UInt64>(0)
        let interval: UInt64
        let period: UInt64

        init(_ rate: Rate) {
            let (seconds, attoseconds) = rate.per.components
            period = UInt64(max(seconds, 0)) * 1_000_000_000 + UInt64(max(attoseconds, 0)) / 1_000_000_000
            interval = max(period / UInt64(max(rate.count, 1)), 1)
        }
    }

    private let cells: [APIKeyID: Cell]

    package init(_ snapshot: Snapshot) {
        cells = snapshot.keys.compactMapValues { key in
            (key.navigator.rate ?? snapshot.gateway.limits.perKey).map(Cell.init)
        }
    }

    /// How long the key has to wait; nil = it may go on, and that is counted.
    func wait(for key: KeyEntry, now: MonotonicTime) -> Duration? {
        guard !cells.isEmpty, let cell = cells[key.id] else { return nil }
        var free = cell.free.load(ordering: .relaxed)
        while true {
            let next = max(free, now.nanoseconds) + cell.interval
            let used = next - now.nanoseconds
            guard used <= cell.period + cell.interval - 1 else { return .nanoseconds(Int64(clamping: used - cell.period)) }
            let (exchanged, current) = cell.free.weakCompareExchange(expected: free, desired: next, ordering: .relaxed)
            if exchanged { return nil }
            free = current
        }
    }
}
