// `claviger token …` and `claviger sign-in`: who gets in over the network, to the API and to the administration's pages.

internal import ArgumentParser
internal import Kernel
internal import Portal

struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Makes, lists and revokes bearer tokens of the administration API.", subcommands: [New.self, List.self, Revoke.self])

    struct New: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints a new token, this once.", discussion: "It opens the API at admin.address, as `Authorization: Bearer TOKEN`, for all projects.")

        @Option(help: ArgumentHelp("When it ends: a time (RFC 3339) or a duration such as 90d (default: never).", valueName: "when")) var expires: String?
        @Option(help: "What it is for.") var note: String?
        @OptionGroup var place: RuntimePlace
        @Flag(help: "Print JSON.") var json = false

        func run() throws {
            let end = try expires.map { text throws(CommandFault) in try Expiry(text, now: WallClock.milliseconds() / 1000).text }
            let made = try AdminClient(place: place).ask(for: TokenView.self, "tokens", method: "POST", sending: TokenOrder(note: note, expires: end))
            print(json ? JSONText.of(made) : "\(made.token ?? "")\n\nThis is shown once. Its id is \(made.id), it ends \(made.expires ?? "never").")
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the tokens by id: what they are for, when they were used last.")

        @OptionGroup var place: RuntimePlace
        @Flag(help: "Print JSON.") var json = false

        func run() throws {
            let list = try AdminClient(place: place).ask(for: TokenList.self, "tokens")
            print(json ? JSONText.of(list) : List.text(list))
        }

        static func text(_ list: TokenList) -> String {
            guard !list.tokens.isEmpty else { return "there are no tokens" }
            let rows = list.tokens.map { [$0.id, $0.created, $0.creator, $0.expires ?? "never", $0.lastUsed ?? "never", $0.note ?? ""] }
            return Table.lines([["ID", "MADE", "BY", "ENDS", "LAST USED", "NOTE"]] + rows).joined(separator: "\n")
        }
    }

    struct Revoke: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Revokes a token; its next request is refused.")

        @Argument(help: "The token's id.") var id: String
        @OptionGroup var place: RuntimePlace

        func run() throws {
            try AdminClient(place: place).ask("DELETE", "tokens/\(AdminClient.encoded(id))")
            print("revoked: \(id)")
        }
    }
}

struct SignIn: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign-in", abstract: "Prints a link that signs an administrator in, once, within fifteen minutes.",
        discussion: "For the first sign-in, and where no mail gets through. The address must be an administrator's in the configuration.")

    @Argument(help: "The administrator's email address.") var email: String
    @OptionGroup var place: RuntimePlace
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
        let made = try AdminClient(place: place).ask(for: SignInView.self, "sign-ins", method: "POST", sending: SignInOrder(email: email))
        print(json ? JSONText.of(made) : "\(made.url)\n\nGood once, until \(made.expires), for \(made.email).")
    }
}
