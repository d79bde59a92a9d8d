// Somebody who proved his address and may use the pages for a while. Found by the digest of its token.

/// Times in seconds since 1970.
package struct PortalSession: Hashable, Sendable {
    package let email: UserEmail
    package let created: Int64
    /// When its token was last changed for a new one.
    package let renewed: Int64
    package let expires: Int64
    /// The auth link he came by; nil for a standing link, and for an administrator.
    package let link: LinkID?

    package init(email: UserEmail, created: Int64, renewed: Int64, expires: Int64, link: LinkID?) {
        self.email = email
        self.created = created
        self.renewed = renewed
        self.expires = expires
        self.link = link
    }
}

/// A bearer token of the administration API, without the token.
package struct TokenRecord: Hashable, Sendable {
    package let id: TokenID
    package let note: String?
    package let creator: AuditActor
    /// Times in seconds since 1970.
    package let created: Int64
    /// Nil = never.
    package let expires: Int64?
    /// To the minute or so; nil = never.
    package let lastUsed: Int64?

    package init(id: TokenID, note: String?, creator: AuditActor, created: Int64, expires: Int64?, lastUsed: Int64? = nil) {
        self.id = id
        self.note = note
        self.creator = creator
        self.created = created
        self.expires = expires
        self.lastUsed = lastUsed
    }
}
