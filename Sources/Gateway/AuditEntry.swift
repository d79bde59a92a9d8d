// A row of the audit: who did what, for whom, when, and from where. Kept in the database, written with what it tells of. No secret.

package struct AuditEntry: Hashable, Sendable {
    /// Seconds since 1970.
    package let time: Int64
    package let actor: AuditActor
    package let action: AuditAction
    package let project: ProjectName?
    package let server: ServerName?
    /// For whom: whose credential or account; nil for a project's shared credential and for what is nobody's.
    package let user: UserEmail?
    package let link: LinkID?
    /// The client's address, or `admin.sock`; nil for what the gateway did by itself.
    package let source: String?
    /// One line of words that say what changed. Nothing secret.
    package let detail: String?

    package init(
        time: Int64, actor: AuditActor, action: AuditAction, project: ProjectName? = nil, server: ServerName? = nil, user: UserEmail? = nil,
        link: LinkID? = nil, source: String? = nil, detail: String? = nil
    ) {
        self.time = time
        self.actor = actor
        self.action = action
        self.project = project
        self.server = server
        self.user = user
        self.link = link
        self.source = source
        self.detail = detail
    }

    /// The same with these words.
    package func saying(_ detail: String) -> AuditEntry {
        AuditEntry(time: time, actor: actor, action: action, project: project, server: server, user: user, link: link, source: source, detail: detail)
    }
}

/// Who did it.
package enum AuditActor: Hashable, Sendable, CustomStringConvertible {
    /// Proved the address.
    case person(UserEmail)
    /// Holds admin.sock, as this user of the machine.
    case uid(String)
    /// Brought this bearer token.
    case token(TokenID)
    case gateway

    /// One word: an address, or `uid:0`, `token:abcdefghjk`, `gateway`. No address has a colon.
    package var description: String {
        switch self {
        case .person(let email): email.text
        case .uid(let uid): "uid:\(uid)"
        case .token(let id): "token:\(id)"
        case .gateway: "gateway"
        }
    }

    /// As `description` writes it; nil for what it never does.
    package init?(_ text: String) {
        if text == "gateway" {
            self = .gateway
        } else if text.hasPrefix("uid:") {
            self = .uid(String(text.dropFirst(4)))
        } else if text.hasPrefix("token:") {
            guard let id = TokenID(text.dropFirst(6)) else { return nil }
            self = .token(id)
        } else {
            guard let email = UserEmail(text) else { return nil }
            self = .person(email)
        }
    }
}

/// What was done. The raw values are the database's and the API's.
package enum AuditAction: String, Hashable, Sendable, CaseIterable {
    case deposit
    /// A deposit in place of an older one.
    case replacement
    case revocation
    case signIn = "sign_in"
    case signOut = "sign_out"
    /// An administrator's one-time link was made.
    case signInLink = "sign_in_link"
    case linkCreated = "link_created"
    case linkEdited = "link_edited"
    case linkRenewed = "link_renewed"
    case linkDeleted = "link_deleted"
    case linkSpent = "link_spent"
    case userDeleted = "user_deleted"
    case tokenCreated = "token_created"
    case tokenRevoked = "token_revoked"
    case credentialsExported = "credentials_exported"
    case credentialsImported = "credentials_imported"
    case backup
    case reload

    package var documentation: String {
        switch self {
        case .deposit: "A credential was deposited where there was none."
        case .replacement: "A credential was deposited in place of another."
        case .revocation: "A credential was deleted."
        case .signIn: "Somebody proved an address and was signed in."
        case .signOut: "Somebody signed out."
        case .signInLink: "A one-time sign-in link was made for somebody."
        case .linkCreated: "An auth link was made."
        case .linkEdited: "An auth link's restriction or expiry was changed."
        case .linkRenewed: "An auth link got a new URL; the old one is worth nothing."
        case .linkDeleted: "An auth link was deleted; credentials stayed."
        case .linkSpent: "A project link's person was done with it."
        case .userDeleted: "A user and all his credentials were deleted from a project."
        case .tokenCreated: "A bearer token of the administration API was made."
        case .tokenRevoked: "A bearer token of the administration API was revoked."
        case .credentialsExported: "Credentials left, sealed, for another store."
        case .credentialsImported: "Credentials came in from another store."
        case .backup: "The database was copied."
        case .reload: "Another configuration was put in force."
        }
    }
}

/// Which rows of the audit are wanted; nil asks for any.
package struct AuditQuery: Hashable, Sendable {
    package var project: ProjectName?
    package var user: UserEmail?
    package var action: AuditAction?
    package var server: ServerName?
    package var link: LinkID?
    /// Seconds since 1970: not older, not newer.
    package var since: Int64?
    package var until: Int64?
    /// Rows older than this one, to go on where a page ended.
    package var before: Int64?
    /// How many, newest first; 1,000 at most.
    package var limit: Int

    package init(project: ProjectName? = nil, limit: Int = 100) {
        self.project = project
        self.limit = limit
    }
}

/// A row with the number that `AuditQuery.before` takes.
package struct AuditRow: Hashable, Sendable {
    package let number: Int64
    package let entry: AuditEntry

    package init(number: Int64, entry: AuditEntry) {
        self.number = number
        self.entry = entry
    }
}
