// Tokens, sign-in links, projects and the audit as the API gives and takes them; the commands read the same.

internal import Gateway

package struct TokenView: Codable, Equatable, Sendable {
    package let id: String
    package let note: String?
    package let creator: String
    package let created: String
    package let expires: String?
    package let lastUsed: String?
    /// Only where it is made: it is not kept.
    package let token: String?

    enum CodingKeys: String, CodingKey {
        case id, note, creator, created, expires, token
        case lastUsed = "last_used"
    }

    static let shape = Shape.object([
        .needed("id", .name), .optional("note", .text()), .needed("creator", .text()), .needed("created", .time), .optional("expires", .time),
        .optional("last_used", .time), .optional("token", .text("Shown once")),
    ])

    init(_ record: TokenRecord, token: AdministrationToken? = nil) {
        id = record.id.text
        note = record.note
        creator = record.creator.description
        created = Timestamp.text(record.created)
        expires = record.expires.map(Timestamp.text)
        lastUsed = record.lastUsed.map(Timestamp.text)
        self.token = token?.text
    }
}

package struct TokenList: Codable, Equatable, Sendable {
    package let tokens: [TokenView]

    static let shape = Shape.object([.needed("tokens", .list(TokenView.shape))])
}

package struct TokenOrder: Codable, Equatable, Sendable {
    package let note: String?
    package let expires: String?

    package init(note: String?, expires: String?) {
        self.note = note
        self.expires = expires
    }

    static let shape = Shape.object([.optional("note", .text("One line")), .optional("expires", .text("Without it, never", format: "date-time"))])
}

package struct SignInOrder: Codable, Equatable, Sendable {
    package let email: String

    package init(email: String) { self.email = email }

    static let shape = Shape.object([.needed("email", .email)])
}

package struct SignInView: Codable, Equatable, Sendable {
    package let email: String
    package let url: String
    package let expires: String

    static let shape = Shape.object([.needed("email", .email), .needed("url", .text("Good once", format: "uri")), .needed("expires", .time)])
}

package struct ProjectView: Codable, Equatable, Sendable {
    package struct Server: Codable, Equatable, Sendable {
        package let server: String
        package let title: String?
        package let level: String
        package let status: String
        package let needsCredential: Bool

        enum CodingKeys: String, CodingKey {
            case server, title, level, status
            case needsCredential = "needs_credential"
        }
    }

    package let project: String
    package let title: String?
    package let administrators: [String]
    package let servers: [Server]

    static let shape = Shape.object([
        .needed("project", .name), .optional("title", .text()), .needed("administrators", .list(.email)),
        .needed(
            "servers",
            .list(
                .object([
                    .needed("server", .name), .optional("title", .text()), .needed("level", .word(["user", "project"])),
                    .needed("status", .word(["active", "paused"])), .needed("needs_credential", .flag),
                ]))),
    ])

    init(_ project: Project) {
        self.project = project.name.text
        title = project.title
        administrators = project.admins.map(\.text)
        servers = project.instances.values.map {
            Server(
                server: $0.name.text, title: $0.server.title, level: $0.level.rawValue, status: $0.status.rawValue, needsCredential: $0.needsDeposit)
        }
    }
}

package struct ProjectList: Codable, Equatable, Sendable {
    package let projects: [ProjectView]

    static let shape = Shape.object([.needed("projects", .list(ProjectView.shape))])
}

package struct AuditView: Codable, Equatable, Sendable {
    /// For `before`.
    package let number: Int64
    package let time: String
    package let actor: String
    package let action: String
    package let project: String?
    package let server: String?
    /// For whom.
    package let user: String?
    package let link: String?
    package let source: String?
    package let detail: String?

    static let shape = Shape.object([
        .needed("number", .whole), .needed("time", .time), .needed("actor", .text("An address, uid:N, token:ID, or gateway")),
        .needed("action", .word(AuditAction.allCases.map(\.rawValue))), .optional("project", .name), .optional("server", .name),
        .optional("user", .email), .optional("link", .name), .optional("source", .text()), .optional("detail", .text()),
    ])

    init(_ row: AuditRow) {
        number = row.number
        time = Timestamp.text(row.entry.time)
        actor = row.entry.actor.description
        action = row.entry.action.rawValue
        project = row.entry.project?.text
        server = row.entry.server?.text
        user = row.entry.user?.text
        link = row.entry.link?.text
        source = row.entry.source
        detail = row.entry.detail
    }
}

package struct AuditList: Codable, Equatable, Sendable {
    package let rows: [AuditView]

    static let shape = Shape.object([.needed("rows", .list(AuditView.shape))])
}
