// The keys of `gateway:`, declared.

extension Setting {
    private static let patience: ClosedRange<Duration> = .milliseconds(1)...(.seconds(86_400))

    static let gateway: [Setting] = [
        Setting("gateway", .section, "How the gateway listens, and what it grants an exchange."),
        Setting("gateway.listen", .list("listeners"), default: "[{address: 127.0.0.1:8080}]", "Where agents reach the gateway."),
        Setting(
            "gateway.listen[].address", .text(address), default: nil,
            "`host:port`, `[v6]:port`, `unix:/path` for a socket in the file system, or `systemd:NAME` for the sockets that systemd opened: "
                + "those of a `.socket` unit with `FileDescriptorName=NAME`. They outlive the process, so that a restart refuses no connection."),
        Setting("gateway.listen[].tls", .section, "TLS 1.2 and 1.3 toward agents. Without it: plain HTTP."),
        Setting(
            "gateway.listen[].tls.certificates", .list("certificates, each `{certificate: PATH, private_key: PATH}`"),
            "Chosen by the name the client asks for; the first is for all other clients. The files are read again when they change."),
        Setting(
            "gateway.listen[].tls.certificates[].certificate", .text("an absolute path"),
            "PEM file: the gateway's certificate first, then what it is signed with."),
        Setting("gateway.listen[].tls.certificates[].private_key", .text("an absolute path"), "PEM file of its key, without a passphrase."),
        Setting("gateway.listen[].tls.client_ca", .text("an absolute path"), "PEM file of the authorities of the agents' certificates. Without it none is asked for."),
        Setting(
            "gateway.listen[].tls.client_certificates", .choice(["required", "optional"]), default: "required",
            "Where `client_ca` is given: whether an agent without a certificate is let in. One with another's certificate never is."),
        Setting("gateway.public_url", .text(publicURL), "What agents call the gateway. Without it: the first listener."),
        Setting(
            "gateway.hosts", .list("host names"), default: "[]",
            "Names this gateway answers to; another Host gets 421. Empty: any."),
        Setting(
            "gateway.allowed_origins", .list("web origins such as `https://app.example.com`"), default: "[]",
            "Browsers' origins allowed to call /mcp; another Origin gets 403."),
        Setting(
            "gateway.trusted_proxies", .list("networks such as `10.0.0.0/8`"), default: "[]",
            "Whose X-Forwarded-For names the client."),
        Setting("gateway.outbound", .section, "Where the gateway goes when a server or an issuer names the place (OAuth)."),
        Setting(
            "gateway.outbound.allow", .list("networks such as `10.0.0.0/8`"), default: "[]",
            "Networks it may go to although they are not public; every other private, local or reserved address is refused."),
        Setting("gateway.workers", .count(1...256, or: "auto"), default: "auto", "Event loops, one thread each; `auto` is one per core.").fromStartOn(),
        Setting("gateway.limits", .section, "What an agent may use of the gateway."),
        Setting("gateway.limits.connections", .count(1...1_000_000), default: "10000", "Open connections of agents, in all."),
        Setting("gateway.limits.line", .size(256...65_536), default: "8KiB", "A request line; a longer one gets 414."),
        Setting("gateway.limits.head", .size(1024...1_048_576), default: "32KiB", "A request head; a larger one gets 431."),
        Setting("gateway.limits.headers", .count(1...1000), default: "100", "Fields of a request head; more get 431."),
        Setting("gateway.limits.body", .size(1...(1 << 40)), default: "16MiB", "A request body; a larger one gets 413."),
        Setting("gateway.limits.streams_per_user", .count(1...1_000_000), default: "256", "Event streams that one user of a project may have open; one more gets 429."),
        Setting("gateway.limits.per_key", .rate(or: "off"), default: "off", "Requests of one API key; more get 429."),
        Setting(
            "gateway.limits.per_address", .countOrRate(1...1_000_000, or: "off"), default: "off",
            """
            Of one client address (of IPv6, of one network of 64 bits): connections, by a number; more get 503. Or requests, by a rate; more get 429, before a \
            user token is verified. Requests that are refused count too, but who shows no good key learns that, and not that there is a rate.
            """),
        Setting("gateway.timeouts", .section, "How long the gateway waits."),
        Setting("gateway.timeouts.head", .duration(patience), default: "10s", "For a TLS handshake, and for a request head: each in all."),
        Setting("gateway.timeouts.idle", .duration(patience), default: "75s", "Between two requests of a connection."),
        Setting("gateway.timeouts.body", .duration(patience), default: "60s", "For a body, without progress."),
        Setting("gateway.timeouts.connect", .duration(patience), default: "5s", "For a connection to an MCP server, TLS included."),
        Setting("gateway.timeouts.response", .duration(patience), default: "120s", "For an MCP server's response head."),
        Setting(
            "gateway.timeouts.stream_idle", .duration(.milliseconds(1)...(.seconds(30 * 86_400))), default: "1h",
            "For an event stream, without a byte either way."),
        Setting("gateway.timeouts.drain", .duration(.zero...(.seconds(86_400))), default: "30s", "For exchanges to finish when the gateway stops."),
    ]

    static let address = "an address such as `127.0.0.1:8080`, `[::1]:8080` or `unix:/run/claviger/gateway.sock`"
    static let publicURL = "a URL of scheme and host such as `https://gateway.example.com`"
}
