// `claviger backup`: the database as it is now, in a file, while the daemon runs.

internal import ArgumentParser
internal import Kernel

struct Backup: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes the database, as it is now, into a new file, while the daemon goes on.",
        discussion: """
            Users, references, links, sessions, tokens' digests and the audit are in it, and no secret: credentials lie in the secret store. \
            To put it back: stop the daemon, put the file in place of STATE/state.db, owned by the daemon's user and group and of mode 0600, remove \
            state.db-wal and state.db-shm, start it.
            """)

    @Argument(help: "The file to write; there must be none of its name.", completion: .file()) var file: String
    @OptionGroup var place: RuntimePlace
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
        let place = try FilePlace(file)
        // Before anything is asked for: where nothing can be written, nothing is copied.
        let written = Written(try place.create())
        do throws(CommandFault) {
            try AdminClient(place: self.place, patience: .seconds(3600)).download("backup") { (piece) throws(CommandFault) in
                do throws(SystemFault) { try written.write(piece) } catch { throw place.fault(error) }
            }
            do throws(SystemFault) {
                try written.file.sync()
                try place.finish()
            } catch {
                throw place.fault(error)
            }
        } catch {
            place.remove()
            throw error
        }
        print(json ? JSONText.of(Report(file: file, bytes: written.bytes)) : "written: \(file), \(written.bytes) bytes")
    }

    /// What has come so far.
    private final class Written {
        let file: NewFile
        private(set) var bytes = 0

        init(_ file: consuming NewFile) { self.file = file }

        func write(_ piece: RawSpan) throws(SystemFault) {
            try file.write(piece)
            bytes += piece.byteCount
        }
    }

    private struct Report: Encodable {
        let file: String
        let bytes: Int
    }
}

/// A file that the command is to make: under its name only when it is whole.
private struct FilePlace {
    let path: String
    let directory: Directory
    private let name: String

    init(_ path: String) throws(CommandFault) {
        let steps = path.split(separator: "/", omittingEmptySubsequences: false)
        let last = steps.last.map(String.init) ?? ""
        guard !last.isEmpty, last != ".", last != ".." else { throw .usage("\(path) is a directory: name a file in it") }
        let before = steps.dropLast().joined(separator: "/")
        do throws(SystemFault) {
            directory = try Directory(steps.count == 1 ? "." : before.isEmpty ? "/" : before)
        } catch {
            throw .failed("\(path): \(error.reason)")
        }
        self.path = path
        name = last
    }

    /// What it is called meanwhile.
    private var part: String { "\(name).part" }

    func create() throws(CommandFault) -> NewFile {
        do throws(SystemFault) {
            if try directory.names().contains(name) { throw SystemFault.taken }
            return try directory.create(part, mode: 0o600)
        } catch {
            throw fault(error)
        }
    }

    /// Gives it its name, which nobody else may have taken meanwhile.
    func finish() throws(SystemFault) {
        try directory.link(part, to: name)
        _ = try directory.remove(part)
        try directory.sync()
    }

    /// What was begun is worth nothing.
    func remove() {
        Files.remove("\(directory.path)/\(part)")
    }

    func fault(_ fault: SystemFault) -> CommandFault {
        .failed(fault.isTaken ? "\(path), or \(part), is there already: remove it, or name another file" : "\(path): \(fault.reason)")
    }
}
