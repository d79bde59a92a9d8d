// The command line as it describes itself: every command with its options, as argument-parser writes it down.

internal import ArgumentParser
internal import FoundationEssentials

/// What `claviger --experimental-dump-help` prints, as far as the manual needs it.
struct CommandTree: Decodable {
    let command: Node

    struct Node: Decodable {
        let commandName: String
        let shouldDisplay: Bool?
        let abstract: String?
        let discussion: String?
        let arguments: [Argument]?
        let subcommands: [Node]?
    }

    struct Argument: Decodable, Equatable {
        enum Kind: String, Decodable { case positional, option, flag }
        struct Name: Decodable, Equatable { let name: String }

        let kind: Kind
        let shouldDisplay: Bool?
        let isOptional: Bool
        let isRepeating: Bool
        let preferredName: Name?
        let valueName: String?
        let defaultValue: String?
        let abstract: String?
    }

    /// - Throws: `DecodingError` where argument-parser describes in another form than it did.
    static func described() throws -> CommandTree {
        try JSONDecoder().decode(CommandTree.self, from: Data(Claviger._dumpHelp().utf8))
    }
}

extension CommandTree.Node {
    /// The commands below that people are shown; `help` says what every command's `--help` says.
    var shown: [CommandTree.Node] { (subcommands ?? []).filter { $0.shouldDisplay != false && $0.commandName != "help" } }

    /// The commands that do something, each with the words it is called by.
    func leaves(after words: [String] = []) -> [(words: [String], node: CommandTree.Node)] {
        let here = words + [commandName]
        return shown.isEmpty ? [(here, self)] : shown.flatMap { $0.leaves(after: here) }
    }

    /// Its own options and arguments: those of every command are said once.
    var own: [CommandTree.Argument] {
        (arguments ?? []).filter { $0.shouldDisplay != false && !["help", "version"].contains($0.preferredName?.name) }
    }

    /// Its words and what may follow, as macros of one line.
    func synopsis(_ words: [String]) -> String {
        let arguments = own.filter { !$0.isOptional } + own.filter(\.isOptional)
        return (["Cm \(words.joined(separator: " "))"] + arguments.map { $0.isOptional ? "Oo \($0.macros) Oc" : $0.macros }).joined(separator: " ")
    }
}

extension CommandTree.Argument {
    var macros: String {
        let value = "Ar \(valueName ?? "value")\(isRepeating ? " Ar ..." : "")"
        switch kind {
        case .positional: return value
        case .flag: return "Fl -\(preferredName?.name ?? "")"
        case .option: return "Fl -\(preferredName?.name ?? "") \(value)"
        }
    }

    var sentences: String {
        (abstract ?? "") + (defaultValue.map { " Default: `\($0)`." } ?? "")
    }
}
