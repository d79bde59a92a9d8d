// Why a command did not do what it was asked: an exit code, and one line that names what and what to do.

internal import ArgumentParser
internal import Kernel

struct CommandFault: Error {
    enum Kind: Int32, CaseIterable {
        case failed = 1
        case usage = 64
        case unreachable = 69
        case configuration = 78

        /// For the manual.
        var sentence: String {
            switch self {
            case .failed: "It could not be done; one line on standard error names what and what to do."
            case .usage: "The command line is wrong."
            case .unreachable: "The daemon is not reachable."
            case .configuration: "The configuration has errors; nothing of it is in force."
            }
        }
    }

    let kind: Kind
    /// Nil where everything was said already.
    let line: String?

    static func failed(_ line: String) -> CommandFault { CommandFault(kind: .failed, line: line) }
    static func usage(_ line: String) -> CommandFault { CommandFault(kind: .usage, line: line) }

    /// The line as it is printed: one, whatever is in it.
    var printed: String? {
        line.map { line in
            "claviger: " + String(String.UnicodeScalarView(line.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 })) + "\n"
        }
    }

    func end() -> Never {
        if let printed { StandardError.write(Array(printed.utf8).span.raw) }
        Claviger.exit(withError: ExitCode(kind.rawValue))
    }
}
