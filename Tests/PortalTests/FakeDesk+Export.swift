// The fake desk's other store: what is to be exported, and what was taken in.

import Credentials
import Gateway
import Synchronization

@testable import Portal

extension FakeDesk: ExportDesk {
    func references() async throws(DepositFault) -> [Reference] {
        if let fault { throw fault }
        return ["/acme/shared/crm", "/acme/shared/gone"].compactMap { Reference(path: $0) }
    }

    func export(_ references: [Reference], under key: MasterKey) async throws(DepositFault) -> ExportedBatch {
        if let fault { throw fault }
        var batch = ExportedBatch()
        for reference in references {
            switch reference.path {
            case "/acme/shared/crm": batch.lines.append(Array(#"{"reference":"/acme/shared/crm","sealed":"AA=="}"#.utf8))
            case "/acme/shared/bad": batch.unreadable.append((reference, "damaged: deposit it again"))
            default: batch.gone.append(reference)
            }
        }
        return batch
    }

    func take(_ lines: [[UInt8]], under key: MasterKey, replacing: Bool) async -> ImportedBatch {
        var batch = ImportedBatch()
        let outcomes: [ImportOutcome] = [.imported, .present, replacing ? .imported : .conflicting("another value"), .failed("too long")]
        for (line, outcome) in zip(lines, outcomes) { batch.outcomes.append((String(decoding: line, as: UTF8.self), outcome)) }
        if lines.count > outcomes.count { batch.stopped = fault ?? .store(StoreFault(.unavailable, "the disk is full")) }
        return batch
    }
}
