// What the loop remembers of one descriptor: its readiness, and who waits for it.

package import Kernel

/// One registered descriptor.
///
/// Edge-triggered readiness is remembered here until the one who reads or writes says it is used up (`drained`, `filled`).
package final class Slot {
    /// Index in the low half, generation in the high: an event of a closed descriptor's predecessor finds nobody.
    let token: UInt64
    private var known: Readiness = []
    private var waiter: Waiter?
    private var interest: Readiness = []

    init(token: UInt64) {
        self.token = token
    }

    /// Bytes may have come before the loop was told of the descriptor: the first read finds out.
    package func presumeReadable() {
        known.insert(.readable)
    }

    /// A read came back short: nothing more until the next edge. After the peer's last byte it stays readable, so that the end is seen.
    package func drained() {
        if !known.contains(.closed) { known.remove(.readable) }
    }

    /// A write took less than was offered.
    package func filled() {
        if !known.contains(.broken) { known.remove(.writable) }
    }

    /// Whether the peer has gone, or sent its last byte.
    package var isClosed: Bool { known.contains(.closed) }

    package var readiness: Readiness { known }

    func isReady(for interest: Readiness) -> Bool {
        !known.isDisjoint(with: interest)
    }

    func watch(_ interest: Readiness, for waiter: Waiter) {
        self.interest = interest
        self.waiter = waiter
    }

    func unwatch() {
        waiter = nil
    }

    func became(_ change: Readiness) {
        known.formUnion(change)
        guard let waiter, !change.isDisjoint(with: interest) else { return }
        waiter.resume(.ready)
    }
}

/// The slots by index, with a generation each.
struct SlotTable {
    private var slots: [Slot?] = []
    private var generations: [UInt32] = []
    private var free: [Int] = []

    mutating func insert() -> Slot {
        let index: Int
        if let reused = free.popLast() {
            index = reused
        } else {
            index = slots.count
            slots.append(nil)
            generations.append(0)
        }
        let slot = Slot(token: UInt64(generations[index]) << 32 | UInt64(index))
        slots[index] = slot
        return slot
    }

    mutating func remove(_ slot: Slot) {
        let index = Int(slot.token & 0xffff_ffff)
        guard slots[index] === slot else { return }
        slots[index] = nil
        // One below the wake token's, so that no slot ever bears it.
        generations[index] = generations[index] == .max - 1 ? 0 : generations[index] + 1
        free.append(index)
    }

    subscript(token: UInt64) -> Slot? {
        guard token != Poll.wakeToken else { return nil }
        guard let slot = slots[Int(token & 0xffff_ffff)], slot.token == token else { return nil }
        return slot
    }
}
