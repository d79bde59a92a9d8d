// claviger.conf(5): the configuration's form, and every key from its declaration.

internal import ConfigurationFiles

enum ConfigurationManual {
    static func page(date: String) -> String {
        var page = Mdoc("claviger.conf", section: 5, date: date, purpose: "configuration of the gateway Claviger")
        page.section("SYNOPSIS")
        page.macro("Pa /etc/claviger/conf.d/*.yaml")
        page.section("DESCRIPTION")
        page.prose(
            """
            All files of the directory whose names end in `.yaml` are read in the order of their names, as one document. They are YAML, read \
            strictly: a key that is unknown, a value of the wrong form, a name that leads nowhere, a placeholder in the wrong place are errors, each \
            with file, line, column and what would be right. The maps `servers` and `projects` are joined over the files; every other section stands in one \
            file.

            `claviger check` reports every problem at once. A configuration with an error is never in force in part: the daemon does not start with it, and a reload \
            with it changes nothing.

            Files and directory must not be writable by others than root, the daemon's user and its group.
            """)
        values(in: &page)
        page.section("SETTINGS")
        page.prose(
            """
            `*` stands for a name of yours, `[]` for an element of a list. A setting without a default stands for nothing when it is absent, or its \
            sentence says what holds then.
            """)
        for section in Setting.all.filter({ !$0.path.contains(".") }) {
            page.subsection(section.path)
            page.prose(section.sentence)
            page.list(Setting.all.filter { $0.path.hasPrefix("\(section.path).") }.map { ("Sy \($0.path)", text(of: $0)) })
        }
        page.section("EXAMPLES")
        page.prose("A gateway with one server and one project, whose agents work for the people of one domain:")
        page.example(example)
        page.seeAlso([("claviger", 1), ("systemd.exec", 5), ("claviger", 8)])
        return page.text
    }

    private static func values(in page: inout Mdoc) {
        page.section("VALUES")
        page.list([
            ("Em durations", "`500ms`, `30s`, `5m`, `2h`, `7d`."),
            ("Em sizes", "`512B`, `16KiB`, `8MiB`."),
            ("Em rates", "`100/s`, `60/m`, `1000/h`."),
            ("Em times", "`2027-01-01T00:00:00Z` (RFC 3339)."),
            ("Em names", "Of projects, servers and navigators: lower-case letters, digits and `-`, 63 at most, not beginning with `-`."),
            ("Em placeholders", "`{field}` in a server's header and query values and in its URL's path, never in its host: what a credential is made of."),
        ])
        page.prose("A value may stand elsewhere. The reference is then the whole value, in quotes; one newline at the end of what it leads to is dropped.")
        page.list([
            ("Li ${credential:NAME}", "A file of systemd's credentials directory (`LoadCredential=`): best for secrets. It changes with a restart of the service."),
            ("Li ${file:/path}", "A file that the daemon may read."),
            ("Li ${env:NAME}", "A variable of the daemon's environment."),
        ])
        page.prose("`claviger check` warns of a secret that stands in a file in plain text.")
    }

    private static func text(of setting: Setting) -> String {
        guard setting.isSupported else { return "\(setting.sentence) Not supported by this version." }
        if case .section = setting.form { return setting.sentence }
        let moment = Setting.needsRestart(setting.path) ? " Another value counts only after a restart." : ""
        return "\(setting.sentence) Takes \(setting.form.words)." + (setting.standard.map { " Default: `\($0)`." } ?? "") + moment
    }

    /// A scenario checks and serves it.
    private static let example = [
        "gateway:",
        "  listen: [ { address: 127.0.0.1:8080 } ]",
        "  public_url: https://gateway.example.com",
        "",
        "portal:",
        "  admins: [ops@acme.com]",
        "  sign_in: { email_code: { smtp: \"smtps://mail.example.com\", from: \"Claviger <connect@example.com>\" } }",
        "",
        "servers:",
        "  crm:",
        "    url: https://crm.example.com/mcp",
        "    auth: header",
        "    headers: { Authorization: \"Bearer {token}\" }",
        "",
        "projects:",
        "  acme:",
        "    connect: { domains: [acme.com] }",
        "    servers: { crm: {} }",
        "    navigators:",
        "      support:",
        "        keys:",
        "          # claviger key new --id crm2027 --note production",
        "          - { id: crm2027, sha256: d3950c481584385bb3d3fb78343d3f24fd49958a379a7aae86bba0fd3b6206d1, note: production }",
        "        users: { domains: [acme.com] }",
    ]
}
