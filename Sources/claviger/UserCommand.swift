// `claviger user …`: who is connected to what, taken back, or deleted, through the daemon.

internal import ArgumentParser
internal import Portal

struct UserCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Lists a project's users, and takes back what they have connected.",
        subcommands: [List.self, Show.self, Revoke.self, Delete.self])

    /// Which user.
    struct Subject: ParsableArguments {
        @Argument(help: "The user's email address.") var email: String
        @Option(help: "The project.") var project: String

        var path: String { "projects/\(AdminClient.encoded(project))/users/\(AdminClient.encoded(email))" }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists a project's users: what they are connected to, and how much they call.")

        @Option(help: "The project.") var project: String
        @Option(help: "Only those whose address begins so.") var prefix: String?
        @OptionGroup var place: RuntimePlace
        @Flag(help: "Print JSON.") var json = false

        func run() throws {
            var (users, next): ([UserView], String?) = ([], nil)
            repeat {
                let query = [("prefix", prefix), ("after", next)].compactMap { name, value in value.map { (name, $0) } }
                let list = try AdminClient(place: place).ask(for: UserList.self, "projects/\(AdminClient.encoded(project))/users", query: query)
                users += list.users
                next = list.next
            } while next != nil
            let list = UserList(users: users)
            print(json ? JSONText.of(list) : List.text(list, project))
        }

        static func text(_ list: UserList, _ project: String) -> String {
            guard !list.users.isEmpty else { return "\(project) has no users yet" }
            let rows = list.users.map { ["\($0.email)", "\($0.connected) of \($0.servers.count)", $0.lastActive ?? "-", "\($0.calls)"] }
            return Table.lines([["EMAIL", "CONNECTED", "LAST ACTIVE", "CALLS IN 7 DAYS"]] + rows).joined(separator: "\n")
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows how a user stands with each server.")

        @OptionGroup var subject: Subject
        @OptionGroup var place: RuntimePlace
        @Flag(help: "Print JSON.") var json = false

        func run() throws {
            let user = try AdminClient(place: place).ask(for: UserView.self, subject.path)
            print(json ? JSONText.of(user) : Show.text(user))
        }

        static func text(_ user: UserView) -> String {
            let rows = user.servers.map { [$0.server, words($0), $0.updated ?? "-"] }
            let lines = ["\(user.email): \(user.calls) calls in 7 days, last active \(user.lastActive ?? "never")"]
            guard !rows.isEmpty else { return lines[0] }
            return (lines + [""] + Table.lines([["SERVER", "STATE", "UPDATED"]] + rows)).joined(separator: "\n")
        }

        private static func words(_ server: UserView.Server) -> String {
            switch Connection(rawValue: server.state) {
            case .connected: "connected"
            case .rejected: "needs renewing: rejected since \(server.rejected ?? "-")"
            case .moved: "not used: the server has moved since"
            case .missing, nil: "not connected"
            }
        }
    }

    struct Revoke: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Deletes what a user has deposited for some servers; the next request misses it.")

        @OptionGroup var subject: Subject
        @Option(help: "The servers, with commas between.") var servers: String
        @OptionGroup var place: RuntimePlace
        @Flag(help: "Print JSON.") var json = false

        func run() throws {
            let done = try AdminClient(place: place).ask(
                for: RevocationView.self, "\(subject.path)/revoke", method: "POST", sending: RevocationOrder(servers: Names.split(servers)))
            guard !json else { return print(JSONText.of(done)) }
            print(done.revoked.isEmpty ? "\(subject.email) had nothing there" : "revoked: \(done.revoked.joined(separator: ", ")) for \(subject.email)")
        }
    }

    struct Delete: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Deletes a user from a project: all his credentials, and what is known of him; he is signed out everywhere.",
            discussion: "What the audit has of him stays until its time is over (audit.keep).")

        @OptionGroup var subject: Subject
        @OptionGroup var place: RuntimePlace

        func run() throws {
            try AdminClient(place: place).ask("DELETE", subject.path)
            print("deleted: \(subject.email) in \(subject.project)")
        }
    }
}
