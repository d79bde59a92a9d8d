// What the loop remembers of one descriptor: its readiness, and who waits for it.

package import Kernel

/// One registered descriptor.
///
/// Edge-triggered readiness is remembered here until the one who reads or writes says it is used up (`drained`, `filled`).
@safe package final class Slot {
    /// Index in the low half, generation in the high: an event of a closed descriptor's predecessor finds nobody.
    let token: UInt64
    // A slot belongs to its loop's thread and is looked at a dozen times a request; each access is one load or one store.
    @exclusivity(unchecked) var known: Readiness = []
    @exclusivity(unchecked) private var waiter: Unmanaged<Waiter>?
    @exclusivity(unchecked) private var interest: Readiness = []

    init(token: UInt64) {
        self.token = token
    }

    /// What the loop knows.
    package var readiness: Readiness { unsafe known }

    /// Bytes may have come before the loop was told of the descriptor: the first read finds out.
    package func presumeReadable() {
        unsafe known = readiness.union(.readable)
    }

    /// A read came back short: nothing more until the next edge. After the peer's last byte it stays readable, so that the end is seen.
    package func drained() {
        if !readiness.contains(.closed) { unsafe known = readiness.subtracting(.readable) }
    }

    /// A write took less than was offered.
    package func filled() {
        if !readiness.contains(.broken) { unsafe known = readiness.subtracting(.writable) }
    }

    /// Whether the peer has gone, or sent its last byte.
    package var isClosed: Bool { readiness.contains(.closed) }

    func isReady(for interest: Readiness) -> Bool {
        !readiness.isDisjoint(with: interest)
    }

    /// Until `unwatch` the waiter is told; it lives at least as long, since the wait is its own.
    func watch(_ interest: Readiness, for waiter: Waiter) {
        unsafe self.interest = interest
        unsafe self.waiter = .passUnretained(waiter)
    }

    func unwatch() {
        unsafe waiter = nil
    }

    func became(_ change: Readiness) {
        unsafe known = readiness.union(change)
        guard let waiter = unsafe waiter, unsafe !change.isDisjoint(with: interest) else { return }
        unsafe waiter._withUnsafeGuaranteedRef { $0.resume(.ready) }
    }
}

/// The slots by index, with a generation each. A place is an owning reference, taken and given up by hand: an event that finds its slot
/// costs no counting.
@safe final class SlotTable {
    @exclusivity(unchecked) private var places: UnsafeMutablePointer<Unmanaged<Slot>?>
    @exclusivity(unchecked) private var capacity = 64
    @exclusivity(unchecked) private var count = 0
    private var generations: [UInt32] = []
    private var free: [Int] = []

    init() {
        unsafe places = .allocate(capacity: capacity)
    }

    deinit {
        for index in generations.indices { unsafe places[index]?.release() }
        unsafe places.deallocate()
    }

    func insert() -> Slot {
        let index = free.popLast() ?? append()
        let slot = Slot(token: UInt64(generations[index]) << 32 | UInt64(index))
        unsafe places[index] = .passRetained(slot)
        return slot
    }

    func remove(_ slot: Slot) {
        let index = Int(slot.token & 0xffff_ffff)
        guard let place = unsafe places[index], unsafe place._withUnsafeGuaranteedRef({ $0 === slot }) else { return }
        unsafe places[index] = nil
        unsafe place.release()
        // One below the wake token's, so that no slot ever bears it.
        generations[index] = generations[index] == .max - 1 ? 0 : generations[index] + 1
        free.append(index)
    }

    /// Tells the slot that bears `token`, if it still does.
    @inline(always)
    func tell(_ token: UInt64, _ readiness: Readiness) {
        guard token != Poll.wakeToken, let place = unsafe places[Int(token & 0xffff_ffff)] else { return }
        unsafe place._withUnsafeGuaranteedRef { if $0.token == token { $0.became(readiness) } }
    }

    private func append() -> Int {
        if unsafe count == capacity {
            let larger = unsafe UnsafeMutablePointer<Unmanaged<Slot>?>.allocate(capacity: capacity * 2)
            unsafe larger.moveInitialize(from: places, count: count)
            unsafe places.deallocate()
            unsafe places = larger
            unsafe capacity *= 2
        }
        unsafe (places + count).initialize(to: nil)
        unsafe count += 1
        generations.append(0)
        return unsafe count - 1
    }
}
