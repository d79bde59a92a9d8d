// How many requests each client address makes, where `limits.per_address` is a rate.

internal import Gateway
internal import Kernel
internal import Synchronization

/// Over all workers. An address is one of IPv4, or a network of 64 bits of IPv6, which is what one client is given.
final class AddressRates: Sendable {
    let rate: Rate
    private let tables: [Table]

    private final class Table: Sendable {
        let cells = Mutex<[UInt64: RateCell]>([:])
    }

    /// Addresses remembered in one of the tables. Where they are more, those go that have nothing in use, and where that is nobody, all.
    private static let most = 2048

    init(_ rate: Rate) {
        self.rate = rate
        tables = (0..<32).map { _ in Table() }
    }

    /// - Parameter former: those in force until now: where the rate stays, what is used is used.
    /// - Returns: nil where addresses have no rate.
    static func of(_ limits: Limits, after former: AddressRates?) -> AddressRates? {
        guard let rate = limits.perAddressRate else { return nil }
        return former?.rate == rate ? former : AddressRates(rate)
    }

    /// How long the client at `address` has to wait; nil = it may go on, and that is counted.
    func wait(for address: IPAddress, now: MonotonicTime) -> Duration? {
        let key = address.client
        let mixed = (key ^ key >> 32) &* 0x9E37_79B9_7F4A_7C15
        let cell = tables[Int(mixed >> 59)].cells.withLock { cells in
            if let known = cells[key] { return known }
            if cells.count >= AddressRates.most {
                cells = cells.filter { $0.value.isInUse(now: now) }
                if cells.count >= AddressRates.most { cells.removeAll(keepingCapacity: true) }
            }
            let new = RateCell(rate)
            cells[key] = new
            return new
        }
        return cell.wait(now: now)
    }
}
