// `claviger manual PAGE`: the manual's pages, made of commands and declarations. `make install` asks for them; people ask man(1).

internal import ArgumentParser

/// A page of the manual, by the name of its file.
enum ManualPage: String, CaseIterable, ExpressibleByArgument {
    case commands = "claviger.1"
    case configuration = "claviger.conf.5"
    case daemon = "claviger.8"

    /// - Parameter date: as mdoc(7) has it: `November 21, 2026`.
    /// - Throws: where the command line's own description cannot be read: a library has changed its form.
    func text(date: String) throws -> String {
        switch self {
        case .commands: CommandManual.page(of: try CommandTree.described(), date: date)
        case .configuration: ConfigurationManual.page(date: date)
        case .daemon: DaemonManual.page(of: try CommandTree.described(), date: date)
        }
    }
}

struct ManualCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "manual", abstract: "Prints a page of the manual as mdoc(7).", shouldDisplay: false)

    @Argument(help: "The page's file name.") var page: ManualPage
    @Option(help: "The day it is of, as in: November 21, 2026.") var date: String

    func run() throws {
        print(try page.text(date: date), terminator: "")
    }
}
