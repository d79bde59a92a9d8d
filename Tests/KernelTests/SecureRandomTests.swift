// Randomness and scratch memory: all of it is filled, none of it is left.

import Kernel
import Testing

@Suite struct SecureRandomTests {
    @Test func `every byte of a block is filled`() {
        // A byte that stays zero in sixteen fills has a chance of 2^-128.
        var seen = [UInt8](repeating: 0, count: 300)
        for _ in 0..<16 {
            var block = WipedBytes(count: 300)
            var span = block.mutableBytes
            SecureRandom.fill(&span)
            for (at, byte) in block.bytes.copied().enumerated() { seen[at] |= byte }
        }
        #expect(!seen.contains(0))
    }

    @Test func `no bytes are no work`() {
        #expect(SecureRandom.bytes(0).isEmpty)
        #expect(WipedBytes(count: 0).bytes.copied() == [])
    }

    @Test func `a share lies evenly from 0 to just below 1`() {
        #expect(Double(evenlyFrom: 0) == 0)
        #expect(Double(evenlyFrom: 1 << 63) == 0.5)
        #expect(Double(evenlyFrom: .max) < 1 && Double(evenlyFrom: .max) > 0.999_999_999)
    }

    @Test func `two draws differ`() {
        var random = SecureRandom()
        #expect(random.next() != random.next())
        #expect(SecureRandom.bytes(32) != SecureRandom.bytes(32))
    }

    @Test func `wiping leaves zeroes`() {
        var block = WipedBytes(count: 64)
        var span = block.mutableBytes
        SecureRandom.fill(&span)
        wipe(&span)
        #expect(block.bytes.copied() == [UInt8](repeating: 0, count: 64))
    }
}
