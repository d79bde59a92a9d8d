// claviger(8): the daemon: how it starts, ends and is told things, and every refusal from its declaration.

internal import Gateway

enum DaemonManual {
    static func page(of tree: CommandTree, date: String) -> String {
        var page = Mdoc("claviger", section: 8, date: date, purpose: "reverse proxy that puts credentials into MCP requests")
        let serve = tree.command.shown.first { $0.commandName == "serve" }
        page.section("SYNOPSIS")
        page.macro("Nm")
        if let serve { page.macro(serve.synopsis(["serve"])) }
        page.section("DESCRIPTION")
        page.prose(
            """
            `claviger serve` is the daemon. It stays in the foreground, writes its log to standard error, and is mostly started by systemd. An agent calls \
            `/mcp/SERVER` with `x-api-key`, which names its navigator and project, and `x-user-email`, for whom it works; the daemon puts that \
            person's credential for the server into the request and relays it.
            """)
        if let serve {
            page.prose("Its options:")
            page.list(serve.own.map { ($0.macros, $0.sentences) })
        }
        page.section("SIGNALS")
        page.list(signals.map { ("Dv \($0.name)", $0.text) })
        page.section("UNITS")
        page.list(units.map { ("Pa \($0.name)", $0.text) })
        page.section("ENVIRONMENT")
        page.list(environment.map { ("Ev \($0.names)", $0.text) })
        CommandManual.files(in: &page)
        CommandManual.exitStatus(in: &page)
        page.section("DIAGNOSTICS")
        page.prose(
            """
            Every "no" that the gateway says itself has a name, in the header `x-claviger-refusal`, in the access record and in the metrics. An answer without that \
            header is the MCP server's own.
            """)
        page.list(RefusalCode.allCases.map { ("Sy \($0.rawValue) Pq \($0.status)", "\($0.documentation) \($0.remedy)") })
        page.seeAlso([("claviger", 1), ("journalctl", 1), ("systemctl", 1), ("claviger.conf", 5), ("systemd.exec", 5), ("systemd.socket", 5)])
        page.section("SECURITY CONSIDERATIONS")
        page.prose(
            """
            `x-user-email` is only asserted: whoever holds a key may speak for every address that the key's navigator allows, so give each navigator its \
            `users`. Bodies are relayed as they are: a server that writes a credential into its answer shows it to the agent.
            """)
        return page.text
    }

    private static let signals: [(name: String, text: String)] = [
        (
            "SIGTERM , Dv SIGINT",
            """
            The daemon ends: `/readyz` answers 503, and every answer ends its connection. Its own listeners are closed; at `claviger.socket` callers are \
            answered as long as connections from before are left, and who comes after that is the next daemon's. What is under way may finish within \
            `gateway.timeouts.drain`, event streams are ended when that is over. A second one ends it at once.
            """
        ),
        (
            "SIGHUP",
            """
            The configuration is read again, checked and put into force as a whole, as by `claviger reload`, which also says what changed. A bad one changes \
            nothing.
            """
        ),
    ]

    private static let units: [(name: String, text: String)] = [
        (
            "claviger.service",
            """
            The daemon, as the user `claviger`, with its configuration checked before it starts; a start that fails is tried again every two seconds. It \
            brings claviger.socket with it. `systemctl reload` comes back when the new configuration is in force, and fails where it is not. \
            `systemctl edit claviger` changes what the unit says.
            """
        ),
        (
            "claviger.socket",
            """
            The socket for agents, 127.0.0.1:8080 unless changed. systemd keeps it open while the daemon restarts, so that no connection is refused. In the \
            configuration it is `address: systemd:claviger`. Where the daemon listens by itself: `systemctl mask --now claviger.socket`.
            """
        ),
    ]

    private static let environment: [(names: String, text: String)] = [
        ("CONFIGURATION_DIRECTORY , Ev STATE_DIRECTORY , Ev RUNTIME_DIRECTORY", "Its directories, unless an option says so. systemd sets them."),
        ("CREDENTIALS_DIRECTORY", "Where `${credential:NAME}` of the configuration is a file: what `LoadCredential=` of the unit gives it."),
        (
            "NOTIFY_SOCKET , Ev WATCHDOG_USEC",
            """
            Whom it tells that it serves, reloads and ends, with a line of status for `systemctl status`; and how often it has to give a sign of life, which \
            it does only while every loop turns that never waits for a disk.
            """
        ),
        ("JOURNAL_STREAM", "Whether standard error is the journal: `log.format: auto` asks."),
        ("AWS_*", "Where Parameter Store is the secret store: region, profile and credentials, as AWS's own tools read them."),
        ("HTTPS_PROXY , Ev NO_PROXY", "How AWS is reached. MCP servers are always reached directly."),
    ]
}
