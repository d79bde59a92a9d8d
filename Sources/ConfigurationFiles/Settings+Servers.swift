// The keys of `servers:`, declared.

extension Setting {
    private static let patience: ClosedRange<Duration> = .milliseconds(1)...(.seconds(86_400))

    static let servers: [Setting] = [
        Setting("servers", .names("servers by name"), "MCP servers, each defined once; joined over files."),
        Setting("servers.*", .section, "One MCP server."),
        Setting("servers.*.url", .text("a URL such as `https://mcp.example.com/mcp`"), "Where it is. `{field}` may stand in the path, with `auth: path`."),
        Setting("servers.*.title", .text("a line of text"), "What people read instead of its name."),
        Setting("servers.*.description", .text("a line of text"), "What people read about it: what it is for."),
        Setting(
            "servers.*.icon", .text("the absolute path of a PNG, SVG, JPEG or WebP file of 32 KiB at most"),
            "What people see of it. Read at the start and on reload; the pages load it from the gateway itself."),
        Setting(
            "servers.*.auth", .choice(["header", "path", "query", "oauth", "none"]),
            "How a credential enters its requests."),
        Setting("servers.*.headers", .names("header values by name"), "With `auth: header`: what is set to what."),
        Setting("servers.*.headers.*", .text("a line of text with `{field}` where a secret belongs"), "One header's value."),
        Setting("servers.*.query", .names("query values by name"), "With `auth: query`: what is set to what."),
        Setting("servers.*.query.*", .text("a line of text with `{field}` where a secret belongs"), "One parameter's value."),
        Setting("servers.*.fields", .names("fields by name"), "How people are asked for the secrets."),
        Setting("servers.*.fields.*", .section, "One placeholder of this server."),
        Setting("servers.*.fields.*.label", .text("a line of text"), "What it is called. Without it: its name."),
        Setting("servers.*.fields.*.help", .text("a text"), "Where to find it."),
        Setting("servers.*.fields.*.pattern", .text("a regular expression"), "What a whole value looks like."),
        Setting("servers.*.transport", .choice(["http", "sse"]), default: "http", "Streamable HTTP, or HTTP+SSE of 2024-11-05."),
        Setting("servers.*.probe", .flag, default: "true", "Whether what people enter is tried with it before it is kept."),
        Setting("servers.*.tls", .section, "How it is recognised."),
        Setting("servers.*.tls.ca", .text("an absolute path"), "PEM file of the authorities to trust instead of the system's."),
        Setting("servers.*.tls.server_name", .text("a host name"), "The name to ask for and to verify instead of the URL's."),
        Setting(
            "servers.*.tls.client_certificate", .text("an absolute path"),
            "PEM file of the gateway's own certificate, shown where the server asks for one: the certificate first, then what it is signed with."),
        Setting("servers.*.tls.client_key", .text("an absolute path"), "PEM file of its key, without a passphrase."),
        Setting("servers.*.timeouts", .section, "Instead of the gateway's."),
        Setting("servers.*.timeouts.connect", .duration(patience), "For a connection, TLS included."),
        Setting("servers.*.timeouts.response", .duration(patience), "For a response head."),
        Setting("servers.*.timeouts.body", .duration(patience), "For a body, without progress."),
        Setting("servers.*.timeouts.stream_idle", .duration(.milliseconds(1)...(.seconds(30 * 86_400))), "For an event stream, without a byte either way."),
        Setting("servers.*.plaintext", .flag, default: "false", "Allows `http://` to anything but loopback."),
    ]
}
