// The embedded secret store: one sealed file a reference, in one directory, that a crash at any point leaves whole.

package import EventLoop
package import Gateway
internal import Kernel

/// A value is written aside, made durable, and renamed over the old one; then the directory is made durable. So a reader, or
/// the next start, finds the old value or the new one. A file's name is its reference's path, without the first slash and with `+` for each other.
///
/// Its work blocks on a disk, so it runs on a loop of its own.
package actor SealedFiles: SecretStore {
    /// The steps of a write, in order; a crash may come after each.
    enum Step: CaseIterable, Sendable {
        case created, written, synced, renamed, directorySynced
    }

    private nonisolated let loop: EventLoop
    private let directory: Directory
    private let key: MasterKey
    private let afterStep: @Sendable (Step) throws(StoreFault) -> Void

    private static let asideMark = ".new-"

    /// Opens the store: makes the directory and the key file where there are none, tightens the directory's permissions, removes what
    /// writes that a crash cut off left behind, and tries the key on a file.
    ///
    /// - Parameters:
    ///   - path: of the directory; what it lies in exists.
    ///   - key: the configured one, as text; nil = the key file of the state directory.
    ///   - state: the state directory, which exists.
    ///   - loop: its own, shared with no worker.
    /// - Throws: `StoreFault` with the remedy: of kind `key` or `unavailable`.
    package init(at path: String, key: Secret?, state: String, on loop: EventLoop) throws(StoreFault) {
        try self.init(at: path, key: key, state: state, on: loop, afterStep: { _ throws(StoreFault) in })
    }

    init(
        at path: String, key: Secret?, state: String, on loop: EventLoop, afterStep: @escaping @Sendable (Step) throws(StoreFault) -> Void
    ) throws(StoreFault) {
        let directory = try StoreFault.attempt(path) { () throws(SystemFault) in try SealedFiles.open(path) }
        let sealed = try StoreFault.attempt(path) { () throws(SystemFault) in try SealedFiles.tidied(directory) }
        if let key {
            self.key = try MasterKey(key, from: "secrets.sealed_files.key")
        } else {
            self.key = try MasterKey.load(fromState: state, isNeeded: !sealed.isEmpty)
        }
        self.loop = loop
        self.directory = directory
        self.afterStep = afterStep
        if let first = sealed.first { try SealedFiles.tryKey(self.key, on: first, in: directory) }
    }

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.serial }

    package func read(_ references: [Reference], _: ReadUrgency) throws(StoreFault) -> [Reference: StoredSecret] {
        var found: [Reference: StoredSecret] = [:]
        for reference in references {
            do throws(StoreFault) {
                if let value = try value(at: reference) { found[reference] = .value(value) }
            } catch {
                guard error.kind == .damaged else { throw error }
                found[reference] = .damaged(error)
            }
        }
        return found
    }

    package func write(_ value: Secret, to reference: Reference) throws(StoreFault) {
        let name = try SealedFiles.fileName(of: reference)
        let content = try SealedValue.seal(value, at: reference, key: key, nonce: SecureRandom.bytes(12))
        let aside = SealedFiles.asideMark + SecureRandom.bytes(8).map { String($0, radix: 16) }.joined()
        let write = Write(directory: directory, aside: aside, name: name)
        let file = try write.attempt { () throws(SystemFault) in try directory.create(aside, mode: 0o600) }
        try afterStep(.created)
        try write.attempt { () throws(SystemFault) in try file.write(content.span.raw) }
        try afterStep(.written)
        try write.attempt { () throws(SystemFault) in try file.sync() }
        try afterStep(.synced)
        try write.attempt { () throws(SystemFault) in try directory.rename(aside, to: name) }
        try afterStep(.renamed)
        try write.attempt { () throws(SystemFault) in try directory.sync() }
        try afterStep(.directorySynced)
    }

    package func delete(_ reference: Reference) throws(StoreFault) -> Bool {
        let name = try SealedFiles.fileName(of: reference)
        return try StoreFault.attempt("\(directory.path)/\(name)") { () throws(SystemFault) in
            let existed = try directory.remove(name)
            // Even where there was nothing: an earlier removal may have been cut off before it was durable.
            try directory.sync()
            return existed
        }
    }

    package func list(under root: String) throws(StoreFault) -> [Reference] {
        try StoreFault.attempt(directory.path) { () throws(SystemFault) in try directory.names() }
            .compactMap(SealedFiles.reference(of:))
            .filter { $0.path.utf8.starts(with: root.utf8) }
            .sorted()
    }

    private func value(at reference: Reference) throws(StoreFault) -> Secret? {
        let name = try SealedFiles.fileName(of: reference)
        let path = "\(directory.path)/\(name)"
        guard let content = try content(of: name, path) else { return nil }
        return try SealedValue.open(content.bytes, at: reference, key: key, path: path)
    }

    private func content(of name: String, _ path: String) throws(StoreFault) -> FileContent? {
        do throws(SystemFault) {
            return try directory.read(name, atMost: SealedValue.limit)
        } catch {
            guard error.isTooLarge else { throw StoreFault(.unavailable, "\(path): \(error)") }
            throw StoreFault(.damaged, "\(path): too large for a sealed file: move it away, and deposit the credential again")
        }
    }

    private static func open(_ path: String) throws(SystemFault) -> Directory {
        let directory = try Directory(path, createdWith: 0o700)
        if try directory.status().mode & 0o077 != 0 { try directory.setMode(0o700) }
        return directory
    }

    /// Removes what was written aside and never renamed. The names of the sealed files that remain.
    private static func tidied(_ directory: Directory) throws(SystemFault) -> [String] {
        var sealed: [String] = []
        for name in try directory.names() {
            if name.utf8.starts(with: asideMark.utf8) {
                try directory.remove(name)
            } else if reference(of: name) != nil {
                sealed.append(name)
            }
        }
        return sealed
    }

    /// So that a daemon with a wrong key does not start and refuse everybody.
    private static func tryKey(_ key: MasterKey, on name: String, in directory: Directory) throws(StoreFault) {
        let path = "\(directory.path)/\(name)"
        let content = try StoreFault.attempt(path) { () throws(SystemFault) in try directory.read(name, atMost: SealedValue.limit) }
        if let content, SealedValue.isForeign(content.bytes, to: key) {
            throw StoreFault(.key, "\(path): sealed with another master key: put that key back, or remove the files it sealed")
        }
    }

    static func fileName(of reference: Reference) throws(StoreFault) -> String {
        let name = String(decoding: reference.path.utf8.dropFirst().map { $0 == UInt8(ascii: "/") ? UInt8(ascii: "+") : $0 }, as: UTF8.self)
        guard name.utf8.count <= 255 else { throw StoreFault(.unavailable, "\(reference): too long for a file's name: shorten the prefix") }
        return name
    }

    private static func reference(of name: String) -> Reference? {
        Reference(path: "/" + String(decoding: name.utf8.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: "/") : $0 }, as: UTF8.self))
    }
}

/// One write under way: where it fails, what was written aside is removed again (best effort; the next start tidies up).
private struct Write {
    let directory: Directory
    let aside: String
    let name: String

    func attempt<R: ~Copyable>(_ step: () throws(SystemFault) -> R) throws(StoreFault) -> R {
        do {
            return try step()
        } catch {
            _ = try? directory.remove(aside)
            throw StoreFault(.unavailable, "\(directory.path)/\(name): \(error)")
        }
    }
}
