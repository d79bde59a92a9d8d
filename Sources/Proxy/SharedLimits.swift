// What all workers count together: connections, a user's event streams, a key's rate.

package import Gateway
internal import Kernel
internal import Synchronization
internal import TLS

/// Agents' connections in all, and of each client address (`IPAddress.client`) where `limits.per_address` asks for it.
package final class ConnectionLimits: Sendable {
    enum Place {
        case full
        /// The administration's doors stay open when the public ones are full.
        case uncounted
        case taken
        /// Counted with its address too, because there was a limit for that when it came.
        case takenOfAddress
    }

    private let open = Atomic<Int>(0)
    private let addresses = Mutex<[UInt64: Int]>([:])

    package init() {}

    func enter(_ peer: SocketAddress, _ limits: Limits, isPublic: Bool) -> Place {
        guard isPublic else { return .uncounted }
        let (before, _) = open.add(1, ordering: .relaxed)
        guard before < limits.connections else {
            open.subtract(1, ordering: .relaxed)
            return .full
        }
        guard let most = limits.perAddress, let client = IPAddress(peer)?.client else { return .taken }
        let isFull = addresses.withLock { counts in
            let count = counts[client, default: 0]
            guard count < most else { return true }
            counts[client] = count + 1
            return false
        }
        guard isFull else { return .takenOfAddress }
        open.subtract(1, ordering: .relaxed)
        return .full
    }

    /// - Parameter place: what `enter` gave; the limits may have changed since.
    func leave(_ place: Place, _ peer: SocketAddress) {
        guard place == .taken || place == .takenOfAddress else { return }
        open.subtract(1, ordering: .relaxed)
        guard place == .takenOfAddress, let client = IPAddress(peer)?.client else { return }
        addresses.withLock { counts in
            guard let count = counts[client] else { return }
            counts[client] = count > 1 ? count - 1 : nil
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

/// The rates of keys that have one, over all workers: a word a key, and no lock.
package final class KeyRates: Sendable {
    private let cells: [APIKeyID: RateCell]

    /// - Parameter former: those in force until now: a key whose rate stays has used what it has used.
    package init(_ snapshot: Snapshot, after former: KeyRates? = nil) {
        cells = snapshot.keys.compactMapValues { key in
            guard let rate = key.navigator.rate ?? snapshot.gateway.limits.perKey else { return nil }
            if let known = former?.cells[key.id], known.rate == rate { return known }
            return RateCell(rate)
        }
    }

    /// How long the key has to wait; nil = it may go on, and that is counted.
    func wait(for key: KeyEntry, now: MonotonicTime) -> Duration? {
        guard !cells.isEmpty, let cell = cells[key.id] else { return nil }
        return cell.wait(now: now)
    }
}

/// One rate, by the generic cell rate algorithm (ITU-T I.371). A whole period's count may come at once.
final class RateCell: Sendable {
    /// When nothing of the rate will be in use, in nanoseconds.
    private let free = Atomic<UInt64>(0)
    private let interval: UInt64
    private let period: UInt64
    let rate: Rate

    init(_ rate: Rate) {
        self.rate = rate
        let (seconds, attoseconds) = rate.per.components
        period = UInt64(max(seconds, 0)) * 1_000_000_000 + UInt64(max(attoseconds, 0)) / 1_000_000_000
        interval = max(period / UInt64(max(rate.count, 1)), 1)
    }

    /// Whether any of it is used.
    func isInUse(now: MonotonicTime) -> Bool { free.load(ordering: .relaxed) > now.nanoseconds }

    /// How long to wait; nil = go on, and that is counted.
    func wait(now: MonotonicTime) -> Duration? {
        var before = free.load(ordering: .relaxed)
        while true {
            let after = max(before, now.nanoseconds) + interval
            let used = after - now.nanoseconds
            guard used <= period else { return .nanoseconds(Int64(clamping: used - period)) }
            let (exchanged, current) = free.weakCompareExchange(expected: before, desired: after, ordering: .relaxed)
            if exchanged { return nil }
            before = current
        }
    }
}
