// What the gateway remembers beside the secret store: users and references, in SQLite. No secret, ever.

internal import GRDB
internal import Kernel

/// One database file of mode 0600 in the state directory, in write-ahead mode; what a call returned from is on the disk
/// (`synchronous = FULL`). Calls wait on GRDB's own queues, never on the caller's thread.
///
/// The calls on deposits are those of Credentials' `OriginLedger`, in whose place `claviger` puts this.
package final class StateDatabase: Sendable {
    let pool: DatabasePool
    let directory: String

    /// Opens `state.db` in the state directory, which exists, makes it where there is none, and brings it to the present form.
    ///
    /// - Throws: `StateFault`: it cannot be opened, is damaged, or was made by a newer version.
    package init(inState directory: String) throws(StateFault) {
        let path = "\(directory)/state.db"
        self.directory = directory
        do {
            // Of a backup that was cut off.
            Files.remove("\(directory)/\(StateDatabase.backupName)")
            try StateDatabase.reserve(directory)
            var configuration = Configuration()
            configuration.label = "state"
            configuration.foreignKeysEnabled = true
            configuration.busyMode = .timeout(5)
            configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            pool = try DatabasePool(path: path, configuration: configuration)
            let migrator = Schema.migrator
            let isNewer = try pool.read { try migrator.hasBeenSuperseded($0) }
            guard !isNewer else { throw StateFault("\(path): made by a newer version: run that one, or put a backup back") }
            try migrator.migrate(pool)
            try pool.write { try StateDatabase.settleAll(in: $0) }
        } catch let fault as StateFault {
            throw fault
        } catch {
            throw StateFault("\(path): \(StateDatabase.words(error))")
        }
    }

    /// Closes the file, writing everything into `state.db` itself.
    package func close() throws(StateFault) {
        do {
            try pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
            try pool.close()
        } catch {
            throw StateFault("state.db: \(StateDatabase.words(error))")
        }
    }

    func read<R: Sendable>(_ body: @escaping @Sendable (Database) throws -> R) async throws(StateFault) -> R {
        do { return try await pool.read(body) } catch { throw StateFault("state.db: \(StateDatabase.words(error))") }
    }

    func write<R: Sendable>(_ body: @escaping @Sendable (Database) throws -> R) async throws(StateFault) -> R {
        do { return try await pool.write(body) } catch { throw StateFault("state.db: \(StateDatabase.words(error))") }
    }

    /// SQLite gives the files beside it the permissions of this one, so it must be there, and closed to others, before.
    private static func reserve(_ directory: String) throws(SystemFault) {
        do {
            try Directory(directory).create("state.db", mode: 0o600).sync()
        } catch {
            guard error.isTaken else { throw error }
            try Files.setMode("\(directory)/state.db", 0o600)
        }
    }

    /// Without the statement's arguments, which hold addresses.
    static func words(_ error: any Error) -> String {
        guard let error = error as? DatabaseError else { return "\(error)" }
        return "SQLite \(error.extendedResultCode.rawValue): \(error.message ?? "no message")"
    }
}

/// Why something could not be remembered or looked up: names the file, holds no address.
package struct StateFault: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
