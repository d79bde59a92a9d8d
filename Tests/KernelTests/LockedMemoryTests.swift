// LockedMemory: wiped when released, reused, locked, left out of core dumps, and safe from many threads.

import Kernel
import Testing

@Suite struct LockedMemoryTests {
    @Test(arguments: [0, 1, 63, 64, 65, 4096, 4097, 70_000]) func `bytes of any size come back`(count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let buffer = LockedBuffer(copying: bytes.span.raw)
        #expect(buffer.count == count)
        #expect(buffer.bytes.copied() == bytes)
    }

    @Test func `a buffer grows as it is appended to`() {
        var buffer = LockedBuffer(capacity: 4)
        var expected: [UInt8] = []
        for n in 0..<10_000 {
            buffer.append(byte: UInt8(truncatingIfNeeded: n))
            expected.append(UInt8(truncatingIfNeeded: n))
        }
        #expect(buffer.bytes.copied() == expected)
    }

    @Test func `what fills a buffer and fails leaves it as it was`() {
        struct Failure: Error {}
        var buffer = LockedBuffer(capacity: 8)
        buffer.append("abc")
        #expect(throws: Failure.self) {
            try buffer.fill(100) { (_: inout MutableRawSpan) throws(Failure) in throw Failure() }
        }
        #expect(buffer.bytes.copied() == Array("abc".utf8))
    }

    @Test func `a released buffer is wiped`() {
        let canary: [UInt8] = Array("canary that must not stay behind".utf8)
        var address = 0
        do {
            let buffer = LockedBuffer(copying: canary.span.raw)
            address = unsafe Int(bitPattern: buffer.start)
        }
        // The chunk stays mapped; another test may use the place, but not for these bytes.
        let place = unsafe UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: address), count: canary.count)
        #expect(unsafe Array(place.dropFirst(8)) != Array(canary.dropFirst(8)))
        #expect(unsafe !Array(place).elementsEqual(canary))
    }

    @Test func `large blocks go back to the system`() {
        let count = 8 << 20
        do {
            let buffer = LockedBuffer(capacity: count)
            #expect(buffer.count == 0)
            #expect(LockedMemory.usage.mapped >= count)
        }
        #expect(LockedMemory.usage.mapped < count)
    }

    @Test func `the mapping is left out of core dumps, and locked as far as the count says`() throws {
        let buffer = LockedBuffer(copying: [1, 2, 3].span.raw)
        let address = unsafe UInt(bitPattern: buffer.start)
        let flags = try #require(mappingFlags(of: address))
        #expect(flags.contains("dd"), "VM_DONTDUMP")
        if LockedMemory.usage.unlocked == 0 { #expect(flags.contains("lo"), "VM_LOCKED") }
    }

    @Test func `many threads take and release at once`() async {
        await withTaskGroup(of: Bool.self) { group in
            for seed in 0..<8 {
                group.addTask {
                    for n in 0..<2_000 {
                        let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: seed &* 37 &+ n), count: (n &* 7 &+ seed) % 700)
                        let buffer = LockedBuffer(copying: bytes.span.raw)
                        if buffer.bytes.copied() != bytes { return false }
                    }
                    return true
                }
            }
            for await intact in group { #expect(intact) }
        }
    }

    /// The VmFlags of the mapping that holds `address` (proc(5), smaps).
    private func mappingFlags(of address: UInt) -> [Substring]? {
        guard let directory = try? Directory("/proc/self"), let content = try? directory.read("smaps", atMost: 16 << 20) else { return nil }
        var inside = false
        for line in String(decoding: content.bytes.copied(), as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            let bounds = words[0].split(separator: "-")
            if bounds.count == 2, let low = UInt(bounds[0], radix: 16), let high = UInt(bounds[1], radix: 16) {
                inside = low <= address && address < high
            } else if inside, words[0] == "VmFlags:" {
                return Array(words.dropFirst())
            }
        }
        return nil
    }
}
