// What was done through an auth link: who connected which server, when; and how finishing one ends.

/// A link beside what came through it.
package struct LinkRecord: Hashable, Sendable {
    package let link: AuthLink
    /// Who made it, as the audit has it.
    package let creator: AuditActor
    /// How many people connected at least one server through it.
    package let people: Int
    /// When somebody last did, in seconds since 1970.
    package let lastUsed: Int64?

    package init(link: AuthLink, creator: AuditActor, people: Int, lastUsed: Int64?) {
        self.link = link
        self.creator = creator
        self.people = people
        self.lastUsed = lastUsed
    }
}

/// Somebody connected a server through a link; said again when he replaces it.
package struct LinkCompletion: Hashable, Sendable {
    package let link: LinkID
    package let email: UserEmail
    package let server: ServerName
    /// In seconds since 1970.
    package let at: Int64

    package init(link: LinkID, email: UserEmail, server: ServerName, at: Int64) {
        self.link = link
        self.email = email
        self.server = server
        self.at = at
    }
}

/// What came of finishing with a link of project type.
package enum LinkSpending: Hashable, Sendable {
    /// This call spent it; no other did or will.
    case spent
    /// It was not there to be spent: it is in this state now.
    case over(AuthLink.State)
    /// It is somebody else's, or a link that is never spent.
    case refused
}

/// What of a link is changed; nil leaves it as it is. A link's type does not change: a restriction of the other type is no edit.
package struct LinkEdit: Hashable, Sendable {
    package var restriction: LinkRestriction?
    package var expires: Int64?

    package init(restriction: LinkRestriction? = nil, expires: Int64? = nil) {
        self.restriction = restriction
        self.expires = expires
    }
}
