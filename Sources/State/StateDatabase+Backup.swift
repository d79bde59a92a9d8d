// A copy of the whole database while it is in use.

internal import GRDB
package import Kernel

extension StateDatabase {
    static let backupName = "backup.part"

    /// The database as it is now: one file, whole, checked. Writers and readers go on meanwhile.
    ///
    /// - Returns: it, open, in a file of the state directory that nobody can name any more, and that goes with the value.
    /// - Throws: also where another copy is being made.
    package func backup() async throws(StateFault) -> StoredFile {
        let path = "\(directory)/\(StateDatabase.backupName)"
        do {
            _ = try Directory(directory).create(StateDatabase.backupName, mode: 0o600)
        } catch {
            throw StateFault(error.isTaken ? "another backup is being made: wait until it is done" : "\(path): \(error.reason)")
        }
        defer { Files.remove(path) }
        let queue: DatabaseQueue
        do { queue = try DatabaseQueue(path: path) } catch { throw StateFault("\(path): \(StateDatabase.words(error))") }
        // On GRDB's threads: it may take a while. The copy is one moment's, as any reader's view is.
        return try await read { source in
            try queue.inDatabase { copy in
                try source.backup(to: copy)
                let verdict = try String.fetchAll(copy, sql: "PRAGMA quick_check")
                guard verdict == ["ok"] else { throw StateFault("the copy is damaged, and so may be what it is of: \(verdict.first ?? "no answer")") }
            }
            try queue.close()
            do throws(SystemFault) { return try StoredFile(path) } catch { throw StateFault("\(path): \(error.reason)") }
        }
    }
}
