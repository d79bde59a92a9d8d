// Rows of the audit told on when they are on the disk, whoever wrote them.

package import Gateway
internal import GRDB
internal import Synchronization

extension StateDatabase {
    /// From now on, `listener` is told of each row of the audit, once it is on the disk. Called on the database's own queue: it must not wait.
    package func tellAudit(_ listener: @escaping @Sendable (AuditEntry) -> Void) {
        pool.add(transactionObserver: AuditObserver(listener), extent: .databaseLifetime)
    }
}

private final class AuditObserver: TransactionObserver, Sendable {
    private let listener: @Sendable (AuditEntry) -> Void
    /// Of the rows that the transaction under way has written.
    private let numbers = Mutex<[Int64]>([])

    init(_ listener: @escaping @Sendable (AuditEntry) -> Void) {
        self.listener = listener
    }

    func observes(eventsOfKind kind: DatabaseEventKind) -> Bool {
        if case .insert(let table) = kind { table == "audit" } else { false }
    }

    func databaseDidChange(with event: DatabaseEvent) {
        numbers.withLock { $0.append(event.rowID) }
    }

    func databaseDidCommit(_ database: Database) {
        for number in take() {
            let row = try? Row.fetchOne(database, sql: "SELECT * FROM audit WHERE number = ?", arguments: [number])
            if let entry = row?.auditRow?.entry { listener(entry) }
        }
    }

    func databaseDidRollback(_ database: Database) {
        _ = take()
    }

    private func take() -> [Int64] {
        numbers.withLock { numbers in
            defer { numbers = [] }
            return numbers
        }
    }
}
