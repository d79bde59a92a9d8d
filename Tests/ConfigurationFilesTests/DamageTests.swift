// Random damage to good files: the loader says what is wrong, and never traps. The seed is fixed, so a failure repeats.

import ConfigurationFiles
import Foundation
import Testing

struct DamageTests {
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `damaged files never trap`(seed: UInt64) throws {
        var random = SplitMix64(state: seed)
        let sources = Fixture.all("valid").flatMap { fixture in
            ((try? FileManager.default.contentsOfDirectory(atPath: fixture.directory)) ?? []).filter { $0.hasSuffix(".yaml") }.sorted()
                .compactMap { try? Data(contentsOf: URL(filePath: "\(fixture.directory)/\($0)")) }.map { Array($0) }
        }
        let directory = try TemporaryDirectory()
        for _ in 0..<60 {
            var bytes = sources.randomElement(using: &random) ?? []
            for _ in 0..<Int.random(in: 1...4, using: &random) { damage(&bytes, &random) }
            try directory.write("a.yaml", bytes)
            let result = Configuration.load(directory: directory.path, environment: [:], purpose: .serve, wallClock: Fixture.wallClock)
            #expect((result.snapshot == nil) == result.problems.contains { $0.severity == .error })
            #expect(result.problems.allSatisfy { !$0.description.contains("\n") })
        }
    }

    private static let tokens = ["{", "}", "[", "]", ":", ": ", "- ", "\n", "  ", "\"", "'", "&a ", "*a", "<<: ", "!!binary ", "${env:X}", "{field}", "99999999999999999999", "-1", "\u{0}", "\u{FEFF}", "é", "---\n", "? ", "|\n", "%", "\t", "~", "://", "@"]

    private func damage(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
        let at = Int.random(in: 0...bytes.count, using: &random)
        let end = min(bytes.count, at + Int.random(in: 0...12, using: &random))
        switch Int.random(in: 0..<6, using: &random) {
        case 0: bytes.removeSubrange(at..<end)
        case 1: bytes.insert(contentsOf: Array(bytes[at..<end]), at: at)
        case 2: if at < bytes.count { bytes[at] ^= UInt8.random(in: 1...255, using: &random) }
        case 3: bytes.removeSubrange(at...)
        default: bytes.insert(contentsOf: Array((DamageTests.tokens.randomElement(using: &random) ?? "").utf8), at: at)
        }
    }
}

/// Sebastiano Vigna's generator: small, and the same everywhere.
private struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}
