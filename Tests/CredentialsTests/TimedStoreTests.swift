// TimedStore: what is asked of the store is counted by what came of it, and comes back as it was.

import Credentials
import Gateway
import Kernel
import Metrics
import Synchronization
import Testing

@Suite struct TimedStoreTests {
    private let inner = MemoryStore()
    private let metrics = Metrics(workers: 1, refusals: [], version: "test")
    private let clock = TestClock()
    private let reference: Reference
    private let timed: TimedStore

    init() throws {
        reference = Reference(try instance(of: try server()), user: try user("ann@acme.com"))
        timed = TimedStore(inner, metrics: metrics.shared) { [clock] in
            clock.advance(.milliseconds(3))
            return clock.now
        }
    }

    @Test func `each operation is one call, with the time it took`() async throws {
        try await timed.write(Secret("{}"), to: reference)
        guard case .value(let value) = try await timed.read([reference], .waiting)[reference] else { Issue.record("not stored"); return }
        #expect(value.text == "{}")
        #expect(try await timed.list(under: "/acme/") == [reference])
        #expect(try await timed.delete(reference))
        for operation in StoreOperation.allCases { #expect(metrics.value(operation, .ok) == 1) }
        #expect(metrics.text().contains(#"claviger_store_call_seconds_sum{operation="read"} 0.003"#))
    }

    @Test func `that there is nothing is an answer, a damaged value is not`() async throws {
        #expect(try await timed.read([reference], .waiting).isEmpty)
        #expect(metrics.value(.read, .ok) == 1)
        inner.state.withLock { _ = $0.damaged.insert(reference) }
        _ = try await timed.read([reference], .waiting)
        #expect(metrics.value(.read, .invalid) == 1)
    }

    @Test(arguments: [(StoreFault.Kind.unavailable, StoreOutcome.unavailable), (.damaged, .invalid), (.key, .denied)])
    func `a fault is counted as what it is, and goes on`(kind: StoreFault.Kind, outcome: StoreOutcome) async {
        let fault = StoreFault(kind, "no")
        inner.state.withLock { ($0.fault, $0.writeFault) = (fault, fault) }
        await #expect(throws: fault) { _ = try await timed.read([reference], .waiting) }
        await #expect(throws: fault) { try await timed.write(Secret("{}"), to: reference) }
        #expect(metrics.value(.read, outcome) == 1 && metrics.value(.write, outcome) == 1)
    }
}
