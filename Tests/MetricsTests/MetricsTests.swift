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
                .record(status: 200, refusal: nil, nanoseconds: 1, upstream: nil, received: 1, sent: 0)
        }
        for key in UInt64(1)...500 {
            shard.instance(key &* 64, project: "p", server: "wrong")
                .record(status: 200, refusal: nil, nanoseconds: 1, upstream: nil, received: 1, sent: 0)
        }
        let totals = metrics.instances()
        #expect(totals.count == 500)
        #expect(totals.allSatisfy { $0.received == 2 })
    }

    @Test func `answers are told apart by class and refusal, over all workers`() {
        for index in 0..<2 {
            let instance = metrics.shard(index).instance(7, project: "acme", server: "crm")
            instance.record(status: 204, refusal: nil, nanoseconds: 700_000, upstream: 600_000, received: 10, sent: 20)
            instance.record(status: 401, refusal: 0, nanoseconds: 100, upstream: nil, received: 5, sent: 6)
        }
        let totals = metrics.instances()
        #expect(totals.count == 1)
        #expect(totals[0].answers.map(\.statusClass) == [2, 4])
        #expect(totals[0].answers.map(\.refusal) == [nil, "unauthenticated"])
        #expect(totals[0].answers.map(\.count) == [2, 2])
        #expect(totals[0].received == 30)
        #expect(totals[0].sent == 52)
    }

    @Test(arguments: [0, 99, 600, -1, 10_000]) func `a status that is none counts as 5xx`(status: Int) {
        metrics.shard(0).instance(1, project: "p", server: "s")
            .record(status: status, refusal: 99, nanoseconds: 0, upstream: nil, received: 0, sent: 0)
        #expect(metrics.instances()[0].answers.map(\.statusClass) == [5])
    }

    @Test func `the text names every metric once and all its samples behind it`() {
        metrics.shard(0).instance(7, project: "acme", server: "crm")
            .record(status: 200, refusal: nil, nanoseconds: 3_000_000, upstream: 2_000_000, received: 10, sent: 20)
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

    @Test func `samples of a family stand together`() {
        var seen: [String] = []
        for name in Counter.allCases.map(\.declaration.name) where seen.last != name { seen.append(name) }
        #expect(Set(seen).count == seen.count)
    }
}
