// Metrics as a scraper and a worker see them.

import Testing

@testable import Metrics

@Suite struct MetricsTests {
    let metrics = Metrics(workers: 2, refusals: ["unauthenticated", "too_large"], version: "1.2.3")

    @Test func `what workers and others count is added up`() {
        let (first, second) = (metrics.shard(0), metrics.shard(1))
        first.add(.cacheHits)
        second.add(.cacheHits, 4)
        metrics.shared.add(.cacheHits)
        first.add(.downstreamOpen, 3)
        second.add(.downstreamOpen, -1)
        #expect(metrics.value(.cacheHits) == 6)
        #expect(metrics.value(.downstreamOpen) == 2)
        #expect(metrics.value(.cacheMisses) == 0)
    }

    @Test func `a gauge may stand below zero on one shard`() {
        metrics.shard(0).add(.activeStreams, -2)
        #expect(metrics.value(.activeStreams) == -2)
    }

    @Test func `an instance is found again under its key, also when there are many`() {
        let shard = metrics.shard(0)
        for key in UInt64(1)...500 {
            shard.instance(key &* 64, project: "p", server: "s\(key)")
                .record(status: 200, refusal: nil, nanoseconds: 1, own: 1, upstream: nil, received: 1, sent: 0)
        }
        for key in UInt64(1)...500 {
            shard.instance(key &* 64, project: "p", server: "wrong")
                .record(status: 200, refusal: nil, nanoseconds: 1, own: 1, upstream: nil, received: 1, sent: 0)
        }
        let totals = metrics.instances()
        #expect(totals.count == 500)
        #expect(totals.allSatisfy { $0.received == 2 })
    }

    @Test func `answers are told apart by class and refusal, over all workers`() {
        for index in 0..<2 {
            let instance = metrics.shard(index).instance(7, project: "acme", server: "crm")
            instance.record(status: 204, refusal: nil, nanoseconds: 700_000, own: 50_000, upstream: 600_000, received: 10, sent: 20)
            instance.record(status: 401, refusal: 0, nanoseconds: 100, own: 1, upstream: nil, received: 5, sent: 6)
        }
        let totals = metrics.instances()
        #expect(totals.count == 1)
        #expect(totals[0].answers.map(\.statusClass) == [2, 4])
        #expect(totals[0].answers.map(\.refusal) == [nil, "unauthenticated"])
        #expect(totals[0].answers.map(\.count) == [2, 2])
        #expect(totals[0].received == 30)
        #expect(totals[0].sent == 52)
    }

    @Test(arguments: [0, 99, 600, -1, 10_000]) func `an exchange without an answer is no failure of a server's`(status: Int) {
        metrics.shard(0).instance(1, project: "p", server: "s")
            .record(status: status, refusal: 99, nanoseconds: 0, own: 1, upstream: nil, received: 0, sent: 0)
        #expect(metrics.instances()[0].answers.map(\.statusClass) == [6])
        #expect(metrics.text().contains(#"claviger_requests_total{project="p",server="s",status="none",refusal=""} 1"#))
    }

    @Test func `the text names every metric once and all its samples behind it`() {
        metrics.shard(0).instance(7, project: "acme", server: "crm")
            .record(status: 200, refusal: nil, nanoseconds: 3_000_000, own: 200_000, upstream: 2_000_000, received: 10, sent: 20)
        let lines = metrics.text().split(separator: "\n")
        let helps = lines.filter { $0.hasPrefix("# HELP ") }.map { $0.split(separator: " ")[2] }
        #expect(Set(helps).count == helps.count)
        #expect(lines.contains(#"claviger_build_info{version="1.2.3"} 1"#))
        #expect(lines.contains(#"claviger_requests_total{project="acme",server="crm",status="2xx",refusal=""} 1"#))
        #expect(lines.contains(#"claviger_exchange_seconds_bucket{project="acme",server="crm",le="0.0025"} 0"#))
        #expect(lines.contains(#"claviger_exchange_seconds_bucket{project="acme",server="crm",le="0.005"} 1"#))
        #expect(lines.contains(#"claviger_exchange_seconds_bucket{project="acme",server="crm",le="+Inf"} 1"#))
        #expect(lines.contains(#"claviger_exchange_seconds_sum{project="acme",server="crm"} 0.003"#))
        #expect(lines.contains(#"claviger_upstream_seconds_count{project="acme",server="crm"} 1"#))
        #expect(lines.contains(#"claviger_cache_lookups_total{result="hit"} 0"#))
    }

    @Test func `a label's value cannot end its quotes`() {
        #expect(PrometheusText.escaped("a\"b\\c\nd") == #"a\"b\\c\nd"#)
    }

    @Test func `a bucket holds what is not above its bound`() {
        for (place, bound) in Buckets.bounds.enumerated() {
            #expect(Buckets.index(of: bound.nanoseconds) == place)
            #expect(Buckets.index(of: bound.nanoseconds + 1) == place + 1)
        }
        #expect(Buckets.count == Buckets.bounds.count + 1)
        #expect(Buckets.index(of: .max) == Buckets.count - 1)
    }

    @Test func `counters and gauges lie side by side, each in its own cell`() {
        #expect(Counter.count == Counter.allCases.count)
        #expect(Counter.count + Gauge.allCases.count <= Cells.capacity)
        #expect(Gauge.allCases.map(\.cell) == Array(Counter.count..<Counter.count + Gauge.allCases.count))
    }

    @Test func `requests of the portal are counted by door and class, each in a cell of its own`() {
        #expect(PortalLayout.cell(.public, 1) == Counter.count + Gauge.allCases.count && PortalLayout.end <= Cells.capacity)
        metrics.shard(0).addPortalRequest(at: .admin, status: 200)
        metrics.shard(1).addPortalRequest(at: .admin, status: 204)
        metrics.shard(1).addPortalRequest(at: .socket, status: 0)
        #expect(metrics.portalRequests(at: .admin, statusClass: 2) == 2 && metrics.portalRequests(at: .socket, statusClass: 6) == 1)
        let lines = metrics.text().split(separator: "\n")
        #expect(lines.contains(#"claviger_portal_requests_total{door="admin",status="2xx"} 2"#))
        #expect(lines.contains(#"claviger_portal_requests_total{door="public",status="4xx"} 0"#))
        #expect(metrics.value(.lastReloadTime) == 0 && metrics.instances().isEmpty)
    }

    @Test func `samples of a family stand together`() {
        var seen: [String] = []
        for name in Counter.allCases.map(\.declaration.name) where seen.last != name { seen.append(name) }
        #expect(Set(seen).count == seen.count)
    }

    @Test func `a call of the store is counted by operation and outcome, and timed`() {
        metrics.shared.add(.read, .ok, took: .milliseconds(3))
        metrics.shared.add(.read, .throttled, took: .seconds(2))
        metrics.shared.add(.list, .invalid, took: .nanoseconds(-5))
        #expect(metrics.value(.read, .ok) == 1 && metrics.value(.read, .throttled) == 1 && metrics.value(.list, .invalid) == 1)
        let lines = metrics.text().split(separator: "\n")
        #expect(lines.contains(#"claviger_store_calls_total{operation="read",outcome="throttled"} 1"#))
        #expect(lines.contains(#"claviger_store_calls_total{operation="write",outcome="ok"} 0"#))
        #expect(lines.contains(#"claviger_store_call_seconds_bucket{operation="read",le="0.005"} 1"#))
        #expect(lines.contains(#"claviger_store_call_seconds_sum{operation="read"} 2.003"#))
        #expect(lines.contains(#"claviger_store_call_seconds_count{operation="list"} 1"#))
        #expect(lines.contains(#"claviger_store_call_seconds_sum{operation="list"} 0.0"#))
    }

    @Test func `what many threads count of the store is all there`() async {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { [metrics] in
                    for _ in 0..<1000 { metrics.shared.add(.write, .ok, took: .milliseconds(1)) }
                }
            }
        }
        #expect(metrics.value(.write, .ok) == 8000)
        #expect(metrics.seconds(.write).sum == 8_000_000_000)
    }

    @Test func `a wait for the budget is a sample of its own`() {
        metrics.shared.add(.writes, waited: .milliseconds(400))
        let lines = metrics.text().split(separator: "\n")
        #expect(lines.contains(#"claviger_store_budget_wait_seconds_bucket{budget="writes",le="0.25"} 0"#))
        #expect(lines.contains(#"claviger_store_budget_wait_seconds_count{budget="writes"} 1"#))
        #expect(lines.contains(#"claviger_store_budget_wait_seconds_count{budget="reads"} 0"#))
    }

    @Test func `a state is put in place of the last`() {
        metrics.shared.set(.storeCircuit, to: 2)
        metrics.shared.set(.storeCircuit, to: 1)
        #expect(metrics.value(.storeCircuit) == 1)
    }

    @Test func `nothing of the store's counts lies where something else does`() {
        var cells: [Int] = []
        for operation in StoreOperation.allCases {
            cells += StoreOutcome.allCases.map { StoreLayout.calls(operation, $0) }
            cells += StoreLayout.seconds(operation).first..<StoreLayout.seconds(operation).end
        }
        for budget in StoreBudget.allCases { cells += StoreLayout.waits(budget).first..<StoreLayout.waits(budget).end }
        #expect(cells.sorted() == Array(0..<StoreLayout.count))
        #expect(StoreLayout.count <= Cells.capacity)
    }

    @Test func `the text has the families that are declared, in their order, with their labels`() throws {
        metrics.shard(0).instance(7, project: "acme", server: "crm")
            .record(status: 200, refusal: nil, nanoseconds: 3_000_000, own: 200_000, upstream: 2_000_000, received: 10, sent: 20)
        let text = metrics.text(certificates: [CertificateExpiry(.listener("[::1]:8443"), notAfter: 1_800_000_000), CertificateExpiry(.server("crm"), notAfter: 5)])
        #expect(text.contains("\nclaviger_certificate_expiry_timestamp_seconds{listener=\"[::1]:8443\",server=\"\"} 1800000000\n"))
        #expect(text.contains("\nclaviger_certificate_expiry_timestamp_seconds{listener=\"\",server=\"crm\"} 5\n"))
        let heads = text.split(separator: "\n").filter { $0.hasPrefix("# ") }
        #expect(heads.map(String.init) == Family.all.flatMap { ["# HELP \($0.name) \($0.help)", "# TYPE \($0.name) \($0.kind.rawValue)"] })
        for family in Family.all {
            let suffixes = family.kind == .histogram ? ["_bucket", "_sum", "_count"] : [""]
            for suffix in suffixes {
                let samples = text.split(separator: "\n").filter { $0.hasPrefix("\(family.name)\(suffix){") || $0.hasPrefix("\(family.name)\(suffix) ") }
                #expect(!samples.isEmpty, "\(family.name)\(suffix)")
                for sample in samples {
                    let names = sample.matches(of: /[{,]([a-z]+)="/).map { String($0.output.1) }
                    #expect(names == family.labels.map(\.name) + (suffix == "_bucket" ? ["le"] : []))
                }
            }
        }
    }

    @Test func `a family is declared once, with a sentence, and the reference has a row for each`() {
        #expect(Set(Family.all.map(\.name)).count == Family.all.count)
        let rows = Family.reference.split(separator: "\n").filter { $0.hasPrefix("| `") }
        #expect(rows.count == Family.all.count)
        for (family, row) in zip(Family.all, rows) {
            #expect(row.hasPrefix("| `\(family.name)` | \(family.kind.rawValue) | ") && row.hasSuffix(" | \(family.help) |"))
            #expect(family.help.hasSuffix(".") && family.help.first?.isUppercase == true && !family.help.contains("|"))
        }
        #expect(rows.contains { $0.contains("`result`: `hit`, `negative`, `stale`, `miss`, `joined` |") })
    }
}
