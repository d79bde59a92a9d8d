// claviger(1): every command, from what the command line says of itself.

enum CommandManual {
    static func page(of tree: CommandTree, date: String) -> String {
        var page = Mdoc("claviger", section: 1, date: date, purpose: "administer the gateway that puts credentials into MCP requests")
        page.section("SYNOPSIS")
        page.macro("Nm")
        page.macro("Ar command")
        page.macro("Op Ar option ...")
        page.section("DESCRIPTION")
        page.prose(
            """
            Claviger is a reverse proxy between AI agents and the MCP servers they use. An agent sends an API key and the address of the person it works \
            for; the gateway puts that person's credential into the request and relays the request and the streamed answer. The agent never sees a \
            credential.

            Most commands ask the daemon that runs, over `admin.sock` in its runtime directory: root may, and who is in the group `claviger`. \
            `check`, `key new` and `version` need no daemon. Every command has `--help`.

            These are the same wherever they stand:
            """)
        let shared = sharedOptions(of: tree)
        page.list(shared.map { ($0.macros, $0.sentences) })
        page.section("COMMANDS")
        for command in tree.command.shown { describe(command, beside: shared, in: &page) }
        page.section("ENVIRONMENT")
        page.list([
            ("Ev CONFIGURATION_DIRECTORY , Ev RUNTIME_DIRECTORY , Ev STATE_DIRECTORY",
             "Where configuration, runtime files and state are, unless an option says so. systemd sets them for its services."),
            ("Ev AWS_*", "Where Parameter Store is the secret store: the variables that AWS's own tools read count for the daemon and for `check --online`."),
        ])
        files(in: &page)
        exitStatus(in: &page)
        page.section("EXAMPLES")
        for example in examples {
            page.prose(example.sentence)
            page.example(example.lines)
        }
        page.seeAlso([("systemctl", 1), ("claviger.conf", 5), ("claviger", 8)])
        return page.text
    }

    /// What more than a third of the commands take, said once.
    private static func sharedOptions(of tree: CommandTree) -> [CommandTree.Argument] {
        let leaves = tree.command.leaves().map(\.node.own)
        var shared: [CommandTree.Argument] = []
        for option in leaves.joined() where !shared.contains(option) && leaves.count(where: { $0.contains(option) }) * 3 > leaves.count {
            shared.append(option)
        }
        return shared
    }

    private static func describe(_ command: CommandTree.Node, beside shared: [CommandTree.Argument], in page: inout Mdoc) {
        page.subsection("claviger \(command.commandName)")
        if !command.shown.isEmpty { page.prose(command.abstract ?? "") }
        page.macro("Bl -tag -width Ds")
        for (words, node) in command.leaves() {
            page.macro("It \(node.synopsis(words))")
            page.prose([node.abstract, node.discussion].compactMap(\.self).joined(separator: "\n\n"))
            let options = node.own.filter { !shared.contains($0) }
            guard !options.isEmpty else { continue }
            page.macro("Pp")
            page.list(options.map { ($0.macros, $0.sentences) }, isCompact: true)
        }
        page.macro("El")
    }

    /// Of commands and daemon alike.
    static func files(in page: inout Mdoc) {
        page.section("FILES")
        page.list([
            ("Pa /etc/claviger/conf.d/*.yaml", "The configuration, read in the order of names as one document: claviger.conf(5)."),
            ("Pa /var/lib/claviger/state.db", "Users, references, links and the audit: an SQLite database. No secret is in it."),
            ("Pa /var/lib/claviger/log.key", "The key of the names that the log has for people, where `log.user` is `hashed`. Without it they get others."),
            ("Pa /var/lib/claviger/secrets/ , Pa /var/lib/claviger/master.key", "Sealed credentials and the key that opens them, where sealed files are the secret store."),
            ("Pa /run/claviger/admin.sock", "Where the commands ask the daemon."),
        ])
    }

    static func exitStatus(in page: inout Mdoc) {
        page.section("EXIT STATUS")
        page.list([("Li 0", "Done.")] + CommandFault.Kind.allCases.map { ("Li \($0.rawValue)", $0.sentence) }, isCompact: true)
    }

    /// Each is run by a scenario.
    private static let examples: [(sentence: String, lines: [String])] = [
        ("Look over the configuration before it is put into force:", ["claviger check"]),
        ("Make an API key for an agent, and the line for its navigator:", ["claviger key new --id crm2027 --note production --expires 365d"]),
        (
            "Deposit a person's credential; fields come on standard input, never as arguments:",
            ["echo \"token=$TOKEN\" | claviger credential set --project acme --server crm --user ana@acme.com"]
        ),
        ("See whose credentials a project has, and since when:", ["claviger credential list --project acme"]),
        (
            "Let everybody of a domain connect their own accounts, for a month:",
            ["claviger link create --project acme --type user --servers crm --domain acme.com --expires 30d"]
        ),
        ("Take back what somebody has connected:", ["claviger user revoke ana@acme.com --project acme --servers crm"]),
        ("See who did what in a project since the first of November, as JSON:", ["claviger audit --project acme --since 2026-11-01T00:00:00Z --json"]),
        ("Let the first administrator in, and a program to the API:", ["claviger sign-in ops@acme.com", "claviger token new --note backup-job --expires 90d"]),
        ("Copy the database, and export all credentials, sealed:", ["claviger backup claviger.db", "claviger credential export credentials.export"]),
    ]
}
