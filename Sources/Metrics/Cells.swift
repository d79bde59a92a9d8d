// A row of counting cells: one thread counts, any thread reads.

package import Synchronization

/// 240 cells of 64 bits, all zero at first. A cache line is left free at either end, so no other thread's counting slows this one's.
package final class Cells: Sendable {
    @usableFromInline let cells: InlineArray<256, Atomic<UInt64>>

    /// How many cells there are.
    package static var capacity: Int { 240 }
    @inlinable static var margin: Int { 8 }

    package init() {
        cells = InlineArray { _ in Atomic(0) }
    }

    /// What stands in the cell now.
    @inlinable
    package subscript(at: Int) -> UInt64 {
        cells[at + Cells.margin].load(ordering: .relaxed)
    }

    /// Adds, wrapping. Only for the one thread that counts in these cells: a load and a store, no locked instruction.
    @inlinable @inline(always)
    package func add(_ amount: UInt64, at: Int) {
        let sum = cells[at + Cells.margin].load(ordering: .relaxed) &+ amount
        cells[at + Cells.margin].store(sum, ordering: .relaxed)
    }

    /// Puts a value in place of what stands there, from any thread.
    func set(_ value: UInt64, at: Int) {
        cells[at + Cells.margin].store(value, ordering: .relaxed)
    }

    /// Adds, wrapping, from any thread.
    @inlinable @inline(always)
    package func addShared(_ amount: UInt64, at: Int) {
        cells[at + Cells.margin].wrappingAdd(amount, ordering: .relaxed)
    }
}
