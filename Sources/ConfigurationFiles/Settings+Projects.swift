// The keys of `projects:`, declared.

extension Setting {
    private static let navigator = "projects.*.navigators.*"

    static let projects: [Setting] = [
        Setting("projects", .names("projects by name"), "The units of isolation; joined over files."),
        Setting("projects.*", .section, "One project."),
        Setting("projects.*.title", .text("a line of text"), "What people read instead of its name."),
        Setting("projects.*.admins", .list("email addresses"), default: "[]", "Its administrators, beside those of `portal.admins`."),
        Setting(
            "projects.*.connect", .section,
            "Its standing user link: never expiring, following its servers, and where a missing credential's refusal points to. Without it, people connect by links that are made."),
        Setting("projects.*.connect.domains", .list("domains"), "For whom the link is: addresses of exactly these domains."),
        Setting("projects.*.servers", .names("servers by name in the project"), "The servers its agents may reach."),
        Setting("projects.*.servers.*", .section, "One server in the project."),
        Setting("projects.*.servers.*.server", .text("a name under `servers`"), "Its definition. Without it: the one of the same name."),
        Setting("projects.*.servers.*.level", .choice(["user", "project"]), default: "user", "Whose credential: each user's own, or one for all. Not with `auth: none`."),
        Setting("projects.*.servers.*.status", .choice(["active", "paused"]), default: "active", "A paused server is unknown to agents."),
        Setting("projects.*.navigators", .names("navigators by name"), "The agents' deployments."),
        Setting(navigator, .section, "One navigator."),
        Setting("\(navigator).keys", .list("keys"), default: "[]", "Its API keys: the lines that `claviger key new` prints."),
        Setting("\(navigator).keys[].id", .text("a key's id: 4 to 16 lower-case letters and digits"), "The part between `ck_` and the dot."),
        Setting("\(navigator).keys[].sha256", .text("64 hexadecimal digits"), "SHA-256 of the secret's text."),
        Setting("\(navigator).keys[].expires", .time, "When it ends. Without it: never."),
        Setting("\(navigator).keys[].note", .text("a line of text"), "What it is for."),
        Setting("\(navigator).users", .section, "For whom its keys may speak. Without it: for every address."),
        Setting("\(navigator).users.domains", .list("domains"), default: "[]", "Addresses of exactly these domains."),
        Setting("\(navigator).users.emails", .list("email addresses"), default: "[]", "These addresses."),
        Setting(
            "\(navigator).users.token", .section,
            "The user comes in a signed token, in `x-user-token`, and not in the header. With `domains` or `emails` beside it, only those of them that these name."),
        Setting("\(navigator).users.token.issuer", .text("an `https://` URL; `http://` on loopback only"), "Whose tokens: their `iss`, to the byte."),
        Setting("\(navigator).users.token.audience", .text("a line of text"), "For whom they are: one of their `aud`."),
        Setting("\(navigator).users.token.claim", .text("the name of a claim"), default: "email", "Where the address is."),
        Setting(
            "\(navigator).users.token.jwks", .text("a URL or an absolute path"),
            "The issuer's public keys, as a JSON Web Key Set. Without it: where the issuer's own metadata says."),
        Setting("\(navigator).deny", .section, "What it may not reach."),
        Setting("\(navigator).deny.servers", .list("servers of the project"), default: "[]", "Servers it may not reach."),
        .later("\(navigator).deny.tools", .names("lists of tools by server"), "Tools it may not call."),
        .later("\(navigator).deny.tools.*", .list("tools"), "Of one server."),
        Setting("\(navigator).rate", .rate(or: "off"), "Requests of each of its keys, instead of `gateway.limits.per_key`."),
    ]
}
