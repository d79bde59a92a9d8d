// Auth links as the API gives and takes them; the commands read the same.

internal import Gateway

/// A link, and what came through it.
package struct LinkView: Codable, Equatable, Sendable {
    package struct Completion: Codable, Equatable, Sendable {
        package let email: String
        package let server: String
        package let at: String
    }

    /// Nil for the project's standing link.
    package let id: String?
    package let project: String
    /// `user` or `project`.
    package let type: String
    package let state: String
    /// What was chosen; for the standing link, what the project has now.
    package let servers: [String]
    /// Those of `servers` that a person finds on its page now.
    package let offered: [String]
    /// Of a user link.
    package let domains: [String]?
    /// Of a project link.
    package let email: String?
    /// Times are RFC 3339, in UTC.
    package let created: String?
    package let creator: String?
    /// Nil for the standing link, which never does.
    package let expires: String?
    package let spent: String?
    package let people: Int?
    package let lastUsed: String?
    /// Only where it is made or renewed, and for the standing link: it is not kept.
    package let url: String?
    /// Only of a single link.
    package let completions: [Completion]?

    enum CodingKeys: String, CodingKey {
        case id, project, type, state, servers, offered, domains, email, created, creator, expires, spent, people, url, completions
        case lastUsed = "last_used"
    }

    static let shape = Shape.object([
        .optional("id", .text("Absent for the project's standing link")), .needed("project", .name), .needed("type", .word(["user", "project"])),
        .needed("state", .word(AuthLink.State.allCases.map(\.rawValue))), .needed("servers", .list(.name)), .needed("offered", .list(.name)),
        .optional("domains", .list(.name)), .optional("email", .email), .optional("created", .time), .optional("creator", .text()),
        .optional("expires", .time), .optional("spent", .time), .optional("people", .whole), .optional("last_used", .time),
        .optional("url", .text("Shown once", format: "uri")),
        .optional("completions", .list(.object([.needed("email", .email), .needed("server", .name), .needed("at", .time)]))),
    ])
}

/// `GET …/links`.
package struct LinkList: Codable, Equatable, Sendable {
    package let links: [LinkView]
    /// What to give as `after` for more; nil at the end.
    package let next: String?

    package init(links: [LinkView], next: String? = nil) {
        self.links = links
        self.next = next
    }

    static let shape = Shape.object([.needed("links", .list(LinkView.shape)), .optional("next", .name)])
}

/// `POST …/links`.
package struct LinkOrder: Codable, Equatable, Sendable {
    package let type: String
    package let servers: [String]
    package let domains: [String]?
    package let email: String?
    package let expires: String?

    package init(type: String, servers: [String], domains: [String]?, email: String?, expires: String?) {
        self.type = type
        self.servers = servers
        self.domains = domains
        self.email = email
        self.expires = expires
    }

    static let shape = Shape.object([
        .needed("type", .word(["user", "project"])), .needed("servers", .list(.name)), .optional("domains", .list(.name)), .optional("email", .email),
        .optional("expires", .text("Without it, in seven days", format: "date-time")),
    ])
}

/// `PATCH …/links/{id}`: what is absent stays. `POST …/links/{id}/renew` takes `expires` alone.
package struct LinkChange: Codable, Equatable, Sendable {
    package let domains: [String]?
    package let email: String?
    package let expires: String?

    package init(domains: [String]? = nil, email: String? = nil, expires: String? = nil) {
        self.domains = domains
        self.email = email
        self.expires = expires
    }

    static let shape = Shape.object([.optional("domains", .list(.name)), .optional("email", .email), .optional("expires", .time)])
    static let renewal = Shape.object([.optional("expires", .text("Without it, as long from now as it was made for", format: "date-time"))])
}

extension LinkView {
    init(_ link: AuthLink, _ record: LinkRecord?, in snapshot: Snapshot, at now: Int64, url: String? = nil, completions: [LinkCompletion]? = nil) {
        let offered = link.offered(in: snapshot).map(\.name.text)
        id = link.id?.text
        project = link.project.text
        type = link.level.rawValue
        state = link.state(at: now).rawValue
        servers =
            switch link.servers {
            case .everyOne: offered
            case .these(let names): names.map(\.text)
            }
        self.offered = offered
        switch link.restriction {
        case .domains(let names): (domains, email) = (names.map(\.text), nil)
        case .email(let address): (domains, email) = (nil, address.text)
        }
        created = link.created.map(Timestamp.text)
        creator = record?.creator.description
        expires = link.expires.map(Timestamp.text)
        spent = link.spent.map(Timestamp.text)
        people = record?.people
        lastUsed = record?.lastUsed.map(Timestamp.text)
        self.url = url
        self.completions = completions?.map { Completion(email: $0.email.text, server: $0.server.text, at: Timestamp.text($0.at)) }
    }
}
