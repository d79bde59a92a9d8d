// KeyTally: each key has its count and its last time, handed over once.

import Gateway
import Kernel
import TLS
import Telemetry
import Testing

@Suite struct KeyTallyTests {
    private func key(_ number: Int) throws -> KeyEntry {
        let navigator = Navigator(
            project: try #require(ProjectName("acme")), name: try #require(NavigatorName("agent")), users: .everyone, deniedServers: [], rate: nil,
            reachable: NameTable([]))
        return KeyEntry(id: try #require(APIKeyID("key\(number)")), sha256: Digest256(words: (0, 0, 0, 0)), expires: nil, note: nil, navigator: navigator)
    }

    private func handedOver(_ tally: inout KeyTally) -> [String: KeyUse] {
        let log = UseCounts()
        tally.handOver(to: log) { Int64($0.nanoseconds) }
        return Dictionary(uniqueKeysWithValues: log.takeKeys().map { ("\($0.key)", $0) })
    }

    @Test func `hundreds of keys are counted apart, again after they were handed over`() throws {
        var tally = KeyTally()
        let keys = try (0..<300).map { try key($0) }
        for round in 1...2 {
            for (number, key) in keys.enumerated() {
                for _ in 0...number % 4 { tally.count(key, now: MonotonicTime(nanoseconds: UInt64(round * 1000 + number))) }
            }
            let uses = handedOver(&tally)
            #expect(uses.count == 300)
            for (number, key) in keys.enumerated() {
                let use = try #require(uses["\(key.id)"])
                #expect(use.calls == number % 4 + 1 && use.last == Int64(round * 1000 + number) && use.navigator == key.navigator.name)
            }
            #expect(handedOver(&tally).isEmpty)
        }
    }

    @Test func `a key that the configuration has no more is counted to its end, and another in its place is another`() throws {
        var tally = KeyTally()
        var names: Set<String> = []
        // Whoever is counted stays until it is handed over: no address is given away twice meanwhile.
        for number in 0..<50 { names.insert("key\(number)"); tally.count(try key(number), now: MonotonicTime(nanoseconds: 1)) }
        #expect(Set(handedOver(&tally).keys) == names)
    }

    @Test func `what nobody takes is kept up to a bound`() throws {
        let log = UseCounts(most: 3)
        let key = try key(1)
        let use = KeyUse(project: key.navigator.project, navigator: key.navigator.name, key: key.id, calls: 1, last: 1)
        log.add([use, use])
        log.add([use, use])
        #expect(log.takeKeys().count == 3 && log.takeKeys().isEmpty)
    }
}
