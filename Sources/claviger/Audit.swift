// `claviger audit`: who did what, for whom, when and from where.

internal import ArgumentParser
internal import Gateway
internal import Portal

struct Audit: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Lists who did what, for whom, when and from where; the newest first.",
        discussion: "Actions: \(AuditAction.allCases.map(\.rawValue).joined(separator: ", ")).")

    @Option(help: "Of this project.") var project: String?
    @Option(help: "For this user.") var user: String?
    @Option(help: "Of this kind.") var action: String?
    @Option(help: "At this server.") var server: String?
    @Option(help: "Through or of this link.") var link: String?
    @Option(help: "Not older than this time (RFC 3339).") var since: String?
    @Option(help: "Not newer than this time (RFC 3339).") var until: String?
    @Option(help: "Older than the row of this number: to go on.") var before: Int?
    @Option(help: "So many rows at most, 1 to 1,000.") var limit = 100
    @OptionGroup var place: RuntimePlace
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
        let given = [
            ("project", project), ("user", user), ("action", action), ("server", server), ("link", link), ("since", since), ("until", until),
            ("before", before.map(String.init)), ("limit", "\(limit)"),
        ]
        let query = given.compactMap { name, value in value.map { "\(name)=\(AdminClient.encoded($0))" } }.joined(separator: "&")
        let list = try AdminClient(place: place).ask(for: AuditList.self, "audit?\(query)")
        print(json ? JSONText.of(list) : Audit.text(list))
    }

    static func text(_ list: AuditList) -> String {
        guard !list.rows.isEmpty else { return "the audit has no such row" }
        let rows = list.rows.map { row in
            [
                "\(row.number)", row.time, row.actor, row.action, row.project ?? "-", row.server ?? "-", row.user ?? "-", row.link ?? "-", row.source ?? "-",
                row.detail ?? "",
            ]
        }
        return Table.lines([["NUMBER", "TIME", "WHO", "ACTION", "PROJECT", "SERVER", "FOR", "LINK", "FROM", ""]] + rows).joined(separator: "\n")
    }
}
