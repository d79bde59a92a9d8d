// A secret store whose calls are what is asked of it: each is counted and timed.

package import Gateway
package import Kernel
package import Metrics

/// Around a store that is called once for each operation. One that makes calls of its own (over a network) counts those itself.
package struct TimedStore: SecretStore {
    private let store: any SecretStore
    private let metrics: SharedShard
    private let clock: @Sendable () -> MonotonicTime

    package init(_ store: any SecretStore, metrics: SharedShard, clock: @escaping @Sendable () -> MonotonicTime) {
        self.store = store
        self.metrics = metrics
        self.clock = clock
    }

    package func read(_ references: [Reference], _ urgency: ReadUrgency) async throws(StoreFault) -> [Reference: StoredSecret] {
        let began = clock()
        do {
            let found = try await store.read(references, urgency)
            let isWhole = found.values.allSatisfy { if case .value = $0 { true } else { false } }
            metrics.add(.read, isWhole ? .ok : .invalid, took: clock().duration(since: began))
            return found
        } catch {
            metrics.add(.read, error.outcome, took: clock().duration(since: began))
            throw error
        }
    }

    package func write(_ value: Secret, to reference: Reference) async throws(StoreFault) {
        try await timed(.write) { () async throws(StoreFault) in try await store.write(value, to: reference) }
    }

    package func delete(_ reference: Reference) async throws(StoreFault) -> Bool {
        try await timed(.delete) { () async throws(StoreFault) in try await store.delete(reference) }
    }

    package func list(under root: String) async throws(StoreFault) -> [Reference] {
        try await timed(.list) { () async throws(StoreFault) in try await store.list(under: root) }
    }

    private func timed<R: Sendable>(_ operation: StoreOperation, _ body: () async throws(StoreFault) -> R) async throws(StoreFault) -> R {
        let began = clock()
        do {
            let result = try await body()
            metrics.add(operation, .ok, took: clock().duration(since: began))
            return result
        } catch {
            metrics.add(operation, error.outcome, took: clock().duration(since: began))
            throw error
        }
    }
}

extension StoreFault {
    /// As what it counts.
    package var outcome: StoreOutcome {
        switch kind {
        case .unavailable: .unavailable
        case .timedOut: .timeout
        case .throttled: .throttled
        case .damaged: .invalid
        case .key, .denied: .denied
        case .misconfigured, .rejected: .rejected
        }
    }
}
