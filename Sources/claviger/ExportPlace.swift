// Where an export lies, and under which key: what both commands say of it, and how they read it.

internal import ArgumentParser
internal import Credentials
internal import Kernel

struct ExportPlace: ParsableArguments {
    @Argument(help: "The export's file.") var file: String
    @Option(name: .customLong("key"), help: "The file of the key that seals it (default: FILE.key).") var keyFile: String?

    /// - Parameter makes: whether a key is made where there is none.
    func key(makes: Bool) throws(CommandFault) -> MasterKey {
        let (directory, name) = ExportPlace.parts(of: keyFile ?? "\(file).key")
        do throws(StoreFault) {
            let remedy = "only the key opens the export: put it beside it, or name it with --key"
            return try MasterKey.load(name, in: directory, unlessMissing: makes ? nil : remedy)
        } catch {
            throw .failed(error.description)
        }
    }

    /// Opens the file.
    /// - Parameter makes: whether it is made where there is none.
    func open(makes: Bool) throws(CommandFault) -> LineFile {
        do throws(SystemFault) {
            return try LineFile(file, makes: makes)
        } catch {
            if error.isHeld { throw .failed("\(file): another export or import is at work on it") }
            throw .failed("\(file): \(error.reason)")
        }
    }

    /// Makes the file's name survive a crash, too.
    func sync() throws(SystemFault) {
        try Directory(ExportPlace.parts(of: file).directory).sync()
    }

    private static func parts(of path: String) -> (directory: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        return (slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.index(after: slash)...]))
    }

    /// What went wrong with the file, naming it.
    func fault(_ error: any Error) -> CommandFault {
        switch error {
        case let fault as CommandFault: fault
        case let fault as SystemFault: .failed("\(file): \(fault.isTooLarge ? "this is no export of credentials: name another file" : fault.reason)")
        default: .failed("\(file): \(error)")
        }
    }
}

/// What is said while it takes long: on a terminal only, on one line.
struct Progress {
    private let isShown = StandardError.isTerminal
    let word: String
    let total: Int

    func show(_ count: Int) {
        guard isShown else { return }
        StandardError.write(Array("\r\(word) \(count) of \(total)\(count == total ? "\n" : "")".utf8).span.raw)
    }
}

/// How long to wait between tries while the store or the state does not answer: half a minute in all.
let transferPauses: [Duration] = [.seconds(1), .seconds(2), .seconds(4), .seconds(8), .seconds(15)]

extension StandardError {
    /// One line, whatever is in it.
    static func say(_ line: String) {
        guard let printed = CommandFault.failed(line).printed else { return }
        write(Array(printed.utf8).span.raw)
    }
}
