// Where an export lies, and under which key: what both commands say of it, and how they read it.

internal import ArgumentParser
internal import Credentials
internal import FoundationEssentials
internal import Kernel

struct ExportPlace: ParsableArguments {
    @Argument(help: "The export's file.", completion: .file()) var file: String
    @Option(name: .customLong("key"), help: "The file of the key that seals it (default: FILE.key).", completion: .file()) var keyFile: String?

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

    /// Opens the file, and looks whose it is: somebody else's is not touched.
    func open(for use: LineFile.Use) throws(CommandFault) -> LineFile {
        if let keyFile, ExportPlace.absolute(keyFile) == ExportPlace.absolute(file) {
            throw .usage("\(file): this cannot be the export and its key: name another file with --key")
        }
        do throws(SystemFault) {
            return try LineFile(file, for: use)
        } catch {
            throw .failed("\(file): \(ExportPlace.words(of: error, for: use))")
        }
    }

    /// Whether the file has no line yet; where it has one, or a part of one, that is an export's first.
    func isNew(_ file: inout LineFile) throws(CommandFault) -> Bool {
        do {
            defer { file.rewind() }
            let first = try file.next(atMost: ExportFile.lineLimit)
            guard first.map(ExportFile.isBegun(with:)) ?? file.isCutOff(ExportFile.mark) else { throw StoreFault(.damaged, ExportFile.foreign) }
            return first == nil
        } catch {
            throw fault(error)
        }
    }

    private static func words(of fault: SystemFault, for use: LineFile.Use) -> String {
        if fault.isHeld { return "another export or import is at work on it" }
        if fault.isSymbolicLink { return "this is a symbolic link, which is not followed: name the file that it leads to" }
        if fault.isNoPlainFile { return "this is a directory, a device or the like: name a file" }
        switch use {
        case .reading: return fault.isMissing ? "there is no such file: name one that `credential export` wrote" : fault.reason
        case .growing: return "\(fault.isMissing ? "no file can be made there" : fault.reason): name a file in a directory where you may write"
        }
    }

    private static func absolute(_ path: String) -> String {
        URL(filePath: path).absoluteURL.standardized.path
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
        case let fault as SystemFault where fault.isTooLarge: .failed("\(file): \(ExportFile.foreign)")
        case let fault as SystemFault where fault.isOthers: .failed("\(file): this is another user's file: name one of your own")
        case let fault as SystemFault where fault.isFull:
            .failed("\(file): \(fault.reason): what is exported so far is kept; make room and run the same command again, it goes on where it stopped")
        case let fault as SystemFault: .failed("\(file): \(fault.reason)")
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
