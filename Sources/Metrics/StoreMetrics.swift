// What is counted of the secret store: its calls by operation and outcome, how long they took, and waits for the budget.

/// What a call asks of the store.
package enum StoreOperation: Int, CaseIterable, Sendable {
    case read, write, delete, list

    package var text: String {
        switch self {
        case .read: "read"
        case .write: "write"
        case .delete: "delete"
        case .list: "list"
        }
    }
}

/// What came of a call.
package enum StoreOutcome: Int, CaseIterable, Sendable {
    /// It did what was asked; that there is no such value is an answer, too.
    case ok
    /// The store said: too many.
    case throttled
    /// The store, or the way to it, failed.
    case unavailable
    /// No answer came in time.
    case timeout
    /// Not with these credentials, these permissions or this key.
    case denied
    /// The store understood, and will not have it: a value that is too long, a limit that is reached.
    case rejected
    /// The answer, or a value in it, is damaged or not understood.
    case invalid

    package var text: String {
        switch self {
        case .ok: "ok"
        case .throttled: "throttled"
        case .unavailable: "unavailable"
        case .timeout: "timeout"
        case .denied: "denied"
        case .rejected: "rejected"
        case .invalid: "invalid"
        }
    }
}

/// Of how many calls a second the gateway grants itself.
package enum StoreBudget: Int, CaseIterable, Sendable {
    case reads, writes

    package var text: String {
        switch self {
        case .reads: "reads"
        case .writes: "writes"
        }
    }
}

extension SharedShard {
    /// Counts one call, at its end.
    package func add(_ operation: StoreOperation, _ outcome: StoreOutcome, took: Duration) {
        store.addShared(1, at: StoreLayout.calls(operation, outcome))
        add(took, at: StoreLayout.seconds(operation))
    }

    /// Counts one call that had to wait for its turn; one that did not wait is not counted.
    package func add(_ budget: StoreBudget, waited: Duration) {
        add(waited, at: StoreLayout.waits(budget))
    }

    private func add(_ duration: Duration, at place: HistogramPlace) {
        let (seconds, attoseconds) = duration.components
        let nanoseconds = UInt64(clamping: seconds) &* 1_000_000_000 &+ UInt64(clamping: attoseconds / 1_000_000_000)
        store.addShared(1, at: place.bucket(of: nanoseconds))
        store.addShared(nanoseconds, at: place.sum)
    }
}

/// Where in the row what is counted.
enum StoreLayout {
    static func calls(_ operation: StoreOperation, _ outcome: StoreOutcome) -> Int {
        operation.rawValue * StoreOutcome.allCases.count + outcome.rawValue
    }

    static func seconds(_ operation: StoreOperation) -> HistogramPlace {
        HistogramPlace(first: StoreOperation.allCases.count * StoreOutcome.allCases.count + operation.rawValue * HistogramPlace.width)
    }

    static func waits(_ budget: StoreBudget) -> HistogramPlace {
        HistogramPlace(first: seconds(.list).end + budget.rawValue * HistogramPlace.width)
    }

    static var count: Int { waits(.writes).end }
}

extension Metrics {
    /// How many calls of the store came to this outcome.
    package func value(_ operation: StoreOperation, _ outcome: StoreOutcome) -> UInt64 {
        shared.store[StoreLayout.calls(operation, outcome)]
    }

    func seconds(_ operation: StoreOperation) -> Distribution {
        Distribution(StoreLayout.seconds(operation)) { shared.store[$0] }
    }

    func waits(_ budget: StoreBudget) -> Distribution {
        Distribution(StoreLayout.waits(budget)) { shared.store[$0] }
    }
}

extension Family {
    static let storeCalls = Family(
        "claviger_store_calls_total", .counter, "Calls of the secret store by what they asked and what came of it, retries counted.",
        Label("operation", StoreOperation.allCases.map(\.text)), Label("outcome", StoreOutcome.allCases.map(\.text)))
    static let storeSeconds = Family(
        "claviger_store_call_seconds", .histogram, "From a call's start to its outcome, waits for the budget not included.",
        Label("operation", StoreOperation.allCases.map(\.text)))
    static let budgetSeconds = Family(
        "claviger_store_budget_wait_seconds", .histogram,
        "How long calls of the secret store waited for their turn; those that did not wait are not counted.",
        Label("budget", StoreBudget.allCases.map(\.text)))
}
