// From a name's bytes, as they stand in a request, to what bears the name: no String on the way.

internal import Kernel

/// A table of at most a few hundred names, built once. A look-up hashes and compares bytes and allocates nothing.
package struct NameTable<Value: Sendable>: Sendable {
    private let buckets: [[Entry]]
    package let values: [Value]

    private struct Entry: Sendable {
        let name: [UInt8]
        let index: Int
    }

    /// `entries` bear distinct names.
    package init(_ entries: [(name: String, value: Value)]) {
        var size = 1
        while size < entries.count * 2 { size *= 2 }
        var buckets = [[Entry]](repeating: [], count: size)
        for (index, entry) in entries.enumerated() {
            let name = Array(entry.name.utf8)
            var hash = NameTable.start
            for byte in name { hash = NameTable.step(hash, byte) }
            buckets[Int(truncatingIfNeeded: hash) & (size - 1)].append(Entry(name: name, index: index))
        }
        self.buckets = buckets
        values = entries.map(\.value)
    }

    /// What bears exactly this name.
    package subscript(_ name: RawSpan) -> Value? {
        var hash = NameTable.start
        for at in 0..<name.byteCount { hash = NameTable.step(hash, name[at]) }
        let bucket = buckets[Int(truncatingIfNeeded: hash) & (buckets.count - 1)]
        search: for entry in bucket where entry.name.count == name.byteCount {
            for at in 0..<name.byteCount where entry.name[at] != name[at] { continue search }
            return values[entry.index]
        }
        return nil
    }

    // FNV-1a, 64 bits. The names are the operator's, so nobody can choose them to collide.
    private static var start: UInt64 { 0xcbf2_9ce4_8422_2325 }

    private static func step(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
        (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }
}
