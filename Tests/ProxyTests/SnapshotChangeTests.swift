// What a worker keeps from one snapshot to the next, and what it lets go.

import Gateway
import Kernel
import Metrics
import TLS
import Testing

@testable import Proxy

struct SnapshotChangeTests {
    private final class Owner {}

    private func snapshot(rate: Rate?, keys: [String]) throws -> Snapshot {
        let project = try #require(ProjectName("acme"))
        let navigator = Navigator(
            project: project, name: try #require(NavigatorName("bot")), users: .everyone, deniedServers: [], rate: rate, reachable: NameTable([]))
        var entries: [APIKeyID: KeyEntry] = [:]
        for text in keys {
            let id = try #require(APIKeyID(text))
            entries[id] = KeyEntry(id: id, sha256: Digest256(hashing: [1].span.raw), expires: nil, note: nil, navigator: navigator)
        }
        return Snapshot(
            gateway: GatewaySettings(listen: [], publicURL: "http://localhost", workers: 1), secrets: .sealedFiles(directory: nil, key: nil),
            cache: CacheSettings(), portalURL: "http://localhost", admin: AdminSettings(), log: LogSettings(), servers: [:], projects: [:], keys: entries,
            digest: Digest256(hashing: [2].span.raw))
    }

    @Test func `a key whose rate stays has used what it has used, another rate begins anew`() throws {
        let now = MonotonicTime(nanoseconds: 1_000_000_000_000)
        let two = Rate(count: 2, per: .seconds(60))
        let first = try snapshot(rate: two, keys: ["aaaa", "bbbb"])
        let id = try #require(APIKeyID("aaaa"))
        let key = try #require(first.keys[id])
        let before = KeyRates(first)
        #expect(before.wait(for: key, now: now) == nil)
        #expect(before.wait(for: key, now: now) == nil)
        #expect(before.wait(for: key, now: now) != nil)
        let same = KeyRates(try snapshot(rate: two, keys: ["aaaa"]), after: before)
        #expect(same.wait(for: key, now: now) != nil)
        let other = KeyRates(try snapshot(rate: Rate(count: 3, per: .seconds(60)), keys: ["aaaa"]), after: same)
        #expect(other.wait(for: key, now: now) == nil)
        #expect(KeyRates(try snapshot(rate: nil, keys: ["aaaa"]), after: same).wait(for: key, now: now) == nil)
    }

    @Test func `the pool of an owner that stays is the same, and one that is gone keeps nothing`() {
        let metrics = Metrics(workers: 1, refusals: [], version: "1")
        let (stays, goes, comes) = (Owner(), Owner(), Owner())
        let pools = UpstreamPools(of: [stays, goes], metrics.shard(0))
        let (kept, left) = (pools.pool(of: stays), pools.pool(of: goes))
        pools.keep(only: [stays, comes])
        #expect(pools.pool(of: stays) === kept)
        #expect(pools.pool(of: comes) === pools.pool(of: comes))
        // Exchanges that began before may still ask for it; what they are given is not kept either.
        #expect(pools.pool(of: goes) !== left)
        #expect(pools.pool(of: goes) !== pools.pool(of: goes))
    }

    @Test func `snapshots are counted while anybody holds them`() throws {
        let metrics = Metrics(workers: 1, refusals: [], version: "1")
        func held() -> Int64 { metrics.value(.snapshotsHeld) }
        var now: Provisions? = try Provisions(try snapshot(rate: nil, keys: []), metrics: metrics.shared)
        var underWay = now
        now = try Provisions(try snapshot(rate: nil, keys: []), after: now, metrics: metrics.shared)
        #expect(held() == 2)
        withExtendedLifetime(underWay) {}
        underWay = nil
        #expect(held() == 1)
        withExtendedLifetime(now) {}
    }
}
