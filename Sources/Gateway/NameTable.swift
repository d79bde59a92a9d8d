// From a name's bytes, as they stand in a request, to what bears the name: no String on the way.

internal import Kernel

/// A table of at most a few hundred names, built once. A look-up hashes and compares bytes and allocates nothing.
package struct NameTable<Value: Sendable>: Sendable {
    /// A power of two of them, at least half of them empty: a name stands at its hash's place or in the first free one behind.
    private let slots: [Slot]
    package let values: [Value]

    private struct Slot: Sendable {
        var hash: UInt64 = 0
        /// In `values`; negative where the slot is empty.
        var index = -1
        var name: [UInt8] = []
    }

    /// `entries` bear distinct names.
    package init(_ entries: [(name: String, value: Value)]) {
        var size = 2
        while size < entries.count * 2 { size *= 2 }
        var slots = [Slot](repeating: Slot(), count: size)
        for (index, entry) in entries.enumerated() {
            let name = Array(entry.name.utf8)
            let hash = NameTable.hash(of: name.span.raw)
            var slot = Int(truncatingIfNeeded: hash) & (size - 1)
            while slots[slot].index >= 0 { slot = (slot + 1) & (size - 1) }
            slots[slot] = Slot(hash: hash, index: index, name: name)
        }
        self.slots = slots
        values = entries.map(\.value)
    }

    /// What bears exactly this name.
    package subscript(_ name: RawSpan) -> Value? {
        let hash = NameTable.hash(of: name)
        var slot = Int(truncatingIfNeeded: hash) & (slots.count &- 1)
        // Ends: some slot is empty.
        while slots[slot].index >= 0 {
            if slots[slot].hash == hash {
                let known = slots[slot].name
                if name.equals(known.span.raw) { return values[slots[slot].index] }
            }
            slot = (slot &+ 1) & (slots.count &- 1)
        }
        return nil
    }

    /// Eight bytes a step, multiplied and folded down. The names are the operator's, so nobody can choose them to collide.
    private static func hash(of name: RawSpan) -> UInt64 {
        var hash = UInt64(name.byteCount)
        var at = 0
        while at &+ 8 <= name.byteCount {
            hash = mixed(hash ^ name.word(at: at))
            at &+= 8
        }
        var rest: UInt64 = 0
        while at < name.byteCount {
            rest = rest << 8 | UInt64(name[at])
            at &+= 1
        }
        return mixed(hash ^ rest)
    }

    private static func mixed(_ word: UInt64) -> UInt64 {
        let product = word &* 0x9e37_79b9_7f4a_7c15
        return product ^ product >> 32
    }
}
