// `claviger link …`: auth links made, listed, shown, changed and deleted through the daemon.

internal import ArgumentParser
internal import FoundationEssentials
internal import Kernel
internal import Portal

struct LinkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "link", abstract: "Makes and manages the links by which people connect their accounts.",
        subcommands: [Create.self, List.self, Show.self, Edit.self, Renew.self, Delete.self])

    enum Kind: String, CaseIterable, ExpressibleByArgument { case user, project }

    /// For whom, and until when.
    struct Terms: ParsableArguments {
        @Option(help: ArgumentHelp("Whose addresses may use it, for a user link; may be repeated.", valueName: "domain")) var domain: [String] = []
        @Option(help: "The one address that may use it, for a project link.") var email: String?
        @Option(help: ArgumentHelp("When it ends: a time (RFC 3339) or a duration such as 7d.", valueName: "when")) var expires: String?

        var domains: [String]? { domain.isEmpty ? nil : domain }

        func end() throws(CommandFault) -> String? {
            guard let expires else { return nil }
            return try Expiry(expires, now: WallClock.milliseconds() / 1000).text
        }

        func validate() throws {
            if !domain.isEmpty, email != nil { throw ValidationError("A link is for --domain or for --email, not for both.") }
        }
    }

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a link and prints its URL, this once.",
            discussion: "A user link is for everybody of a domain, a project link for one address, once. Without --expires it ends in seven days.")

        @Option(help: "The project.") var project: String
        @Option(help: "user: each person's own credentials; project: the shared ones.") var type: Kind
        @Option(help: "The servers, with commas between.") var servers: String
        @OptionGroup var terms: Terms
        @OptionGroup var place: RuntimePlace
        @Flag(help: "Print JSON.") var json = false

        func validate() throws {
            switch type {
            case .user where terms.domain.isEmpty: throw ValidationError("A user link needs --domain: whose people may use it.")
            case .project where terms.email == nil: throw ValidationError("A project link needs --email: the one person who may use it.")
            default: break
            }
        }

        func run() throws {
            let order = LinkOrder(type: type.rawValue, servers: Names.split(servers), domains: terms.domains, email: terms.email, expires: try terms.end())
            let link = try AdminClient(place: place).ask(
                for: LinkView.self, "projects/\(AdminClient.encoded(project))/links", method: "POST", sending: order)
            print(json ? JSONText.of(link) : LinkText.made(link))
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists a project's links: active, spent and expired.")

        @Option(help: "The project.") var project: String
        @OptionGroup var place: RuntimePlace
        @Flag(help: "Print JSON.") var json = false

        func run() throws {
            var (links, next): ([LinkView], String?) = ([], nil)
            repeat {
                let query = next.map { [("after", $0)] } ?? []
                let part = try AdminClient(place: place).ask(for: LinkList.self, "projects/\(AdminClient.encoded(project))/links", query: query)
                links += part.links
                next = part.next
            } while next != nil
            let list = LinkList(links: links)
            print(json ? JSONText.of(list) : LinkText.list(list, project))
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows a link, and who connected what through it.")

        @Argument(help: "The link's id.") var id: String
        @OptionGroup var place: RuntimePlace
        @Flag(help: "Print JSON.") var json = false

        func run() throws {
            let link = try AdminClient(place: place).ask(for: LinkView.self, "links/\(AdminClient.encoded(id))")
            print(json ? JSONText.of(link) : LinkText.one(link))
        }
    }

    struct Edit: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Changes for whom a link is, or until when; its URL stays.")

        @Argument(help: "The link's id.") var id: String
        @OptionGroup var terms: Terms
        @OptionGroup var place: RuntimePlace
        @Flag(help: "Print JSON.") var json = false

        func run() throws {
            let change = LinkChange(domains: terms.domains, email: terms.email, expires: try terms.end())
            guard change != LinkChange() else { throw CommandFault.usage("say what is to change: --domain, --email or --expires") }
            let link = try AdminClient(place: place).ask(for: LinkView.self, "links/\(AdminClient.encoded(id))", method: "PATCH", sending: change)
            print(json ? JSONText.of(link) : LinkText.one(link))
        }
    }

    struct Renew: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Gives a link another URL, printed this once; the old one is worth nothing from then on.",
            discussion: "For a URL that was lost or leaked, and for a project link that is spent. Without --expires it lives as long again as it was made for.")

        @Argument(help: "The link's id.") var id: String
        @Option(help: ArgumentHelp("When it ends: a time (RFC 3339) or a duration such as 7d.", valueName: "when")) var expires: String?
        @OptionGroup var place: RuntimePlace
        @Flag(help: "Print JSON.") var json = false

        func run() throws {
            let end = try expires.map { text throws(CommandFault) in try Expiry(text, now: WallClock.milliseconds() / 1000).text }
            let link = try AdminClient(place: place).ask(
                for: LinkView.self, "links/\(AdminClient.encoded(id))/renew", method: "POST", sending: LinkChange(expires: end))
            print(json ? JSONText.of(link) : LinkText.made(link))
        }
    }

    struct Delete: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Deletes a link; what was connected through it stays.")

        @Argument(help: "The link's id.") var id: String
        @OptionGroup var place: RuntimePlace

        func run() throws {
            try AdminClient(place: place).ask("DELETE", "links/\(AdminClient.encoded(id))")
            print("deleted: \(id); credentials stay")
        }
    }
}

enum Names {
    static func split(_ list: String) -> [String] {
        list.split(separator: ",").map { name in
            String(name.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
    }
}

enum LinkText {
    static func made(_ link: LinkView) -> String {
        """
        \(link.url ?? "")

        This is shown once. \(whom(link)) may connect \(link.servers.joined(separator: ", ")) through it until \(link.expires ?? "it is deleted").
        Its id is \(link.id ?? "-").
        """
    }

    static func list(_ list: LinkList, _ project: String) -> String {
        guard !list.links.isEmpty else { return "\(project) has no links" }
        let rows = list.links.map { link in
            [
                link.id ?? "(standing)", link.type, link.state, link.expires ?? "never", link.people.map(String.init) ?? "-", link.lastUsed ?? "-", whom(link),
                link.servers.joined(separator: ","),
            ]
        }
        return Table.lines([["ID", "TYPE", "STATE", "EXPIRES", "PEOPLE", "LAST USED", "FOR", "SERVERS"]] + rows).joined(separator: "\n")
    }

    static func one(_ link: LinkView) -> String {
        var lines = [
            "link      \(link.id ?? "(standing)") of \(link.project), \(link.state)", "for       \(whom(link))",
            "servers   \(link.servers.joined(separator: ", "))",
        ]
        let missing = link.servers.filter { !link.offered.contains($0) }
        if !missing.isEmpty {
            lines.append("          not offered now: \(missing.joined(separator: ", ")) (gone, paused, of the other level, or in need of no credential)")
        }
        lines.append("made      \(link.created ?? "-") by \(link.creator ?? "-")")
        lines.append("expires   \(link.expires ?? "never")" + (link.spent.map { ", spent \($0)" } ?? ""))
        guard let completions = link.completions, !completions.isEmpty else { return (lines + ["used      by nobody yet"]).joined(separator: "\n") }
        lines.append("")
        return (lines + Table.lines([["EMAIL", "SERVER", "CONNECTED"]] + completions.map { [$0.email, $0.server, $0.at] })).joined(separator: "\n")
    }

    private static func whom(_ link: LinkView) -> String {
        link.email ?? "everybody of \(link.domains?.joined(separator: ", ") ?? "-")"
    }
}
