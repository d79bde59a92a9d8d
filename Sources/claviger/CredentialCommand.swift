// `claviger credential …`: deposits, deletes and lists credentials through the daemon.

internal import ArgumentParser
internal import Credentials
internal import Gateway
internal import Kernel
internal import Portal

struct CredentialCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "credential", abstract: "Sets, connects, lists, deletes and moves credentials.",
        subcommands: [Set.self, Connect.self, List.self, Delete.self, Export.self, Import.self])

    /// Which credential.
    struct Subject: ParsableArguments {
        @Option(help: "The project.") var project: String
        @Option(help: "The server's name in the project.") var server: String
        @Option(help: "Whose: an email address; for a server of user level.") var user: String?

        var path: String { "projects/\(AdminClient.encoded(project))/credentials/\(AdminClient.encoded(server))" }
        var query: [(String, String)] { user.map { [("user", $0)] } ?? [] }
        var words: String { "\(server) in \(project)" + (user.map { " for \($0)" } ?? "") }
    }

    struct Set: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Puts a credential in place of the present one; in force for the next request.",
            discussion: "Reads FIELD=VALUE lines from standard input, one for each of the server's fields; at a terminal it asks without echo.")

        @OptionGroup var subject: Subject
        @OptionGroup var place: RuntimePlace

        func run() throws {
            let daemon = AdminClient(place: place)
            let fields = try StandardInput.isTerminal
                ? FieldInput.prompted(for: daemon.ask(for: CredentialForm.self, subject.path)) : FieldInput.read()
            let body = CredentialJSON.write(fields)
            try daemon.ask("PUT", subject.path, query: subject.query, body: body.bytes)
            print("set: \(subject.words)")
        }
    }

    struct Delete: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Deletes a credential; the next request misses it.")

        @OptionGroup var subject: Subject
        @OptionGroup var place: RuntimePlace

        func run() throws {
            try AdminClient(place: place).ask("DELETE", subject.path, query: subject.query)
            print("deleted: \(subject.words)")
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists a project's credentials: whose and since when, never what.")

        @Option(help: "The project.") var project: String
        @OptionGroup var place: RuntimePlace
        @Flag(help: "Print JSON.") var json = false

        func run() throws {
            let path = "projects/\(AdminClient.encoded(project))/credentials"
            let list = try AdminClient(place: place).ask(for: CredentialList.self, path)
            print(json ? JSONText.of(list) : List.text(list, project))
        }

        static func text(_ list: CredentialList, _ project: String) -> String {
            guard !list.credentials.isEmpty else { return "\(project) has no credentials" }
            let rows = list.credentials.map {
                [$0.server, $0.level, $0.user ?? ($0.level == "project" ? "(everybody)" : "(not recorded)"), $0.updated ?? "-", $0.origin ?? "-"]
            }
            var lines = Table.lines([["SERVER", "LEVEL", "USER", "UPDATED", "ORIGIN"]] + rows)
            for entry in list.credentials {
                guard let rejected = entry.rejected, let remedy = entry.remedy else { continue }
                lines.append("\(entry.server) for \(entry.user ?? "everybody"): rejected since \(rejected). \(remedy)")
            }
            return lines.joined(separator: "\n")
        }
    }
}
