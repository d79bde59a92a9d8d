// What is recorded of a credential beside the secret store: whose it is, for which origin it was given, and when. No secret.

/// What is on record of a stored credential, as far as injecting it goes.
package struct Standing: Hashable, Sendable {
    /// What it was deposited for.
    package let origin: Origin
    /// Whether the server answered 401 to it when last it was asked.
    package let isRejected: Bool

    package init(origin: Origin, isRejected: Bool) {
        self.origin = origin
        self.isRejected = isRejected
    }
}

/// What is on record of an OAuth grant. No token.
package struct GrantStanding: Hashable, Sendable {
    package let issuer: String
    package let scopes: [String]
    /// One more with every refresh token that the provider gave.
    package let generation: Int
    /// Seconds since 1970.
    package let connectedAt: Int64
    package let refreshedAt: Int64

    package init(issuer: String, scopes: [String], generation: Int, connectedAt: Int64, refreshedAt: Int64) {
        self.issuer = issuer
        self.scopes = scopes
        self.generation = generation
        self.connectedAt = connectedAt
        self.refreshedAt = refreshedAt
    }
}

package struct Deposit: Hashable, Sendable {
    package let reference: Reference
    package let project: ProjectName
    /// The server's name in the project.
    package let server: ServerName
    package let level: ServerInstance.Level
    /// Present exactly for user level.
    package let user: UserEmail?
    /// The server's origin when the value was given: it is injected toward no other.
    package let origin: Origin
    /// Seconds since 1970.
    package let depositedAt: Int64
    package let updatedAt: Int64
    /// Since when the server answers 401 to the value that is stored; nil where it does not, or was not asked.
    package let rejectedAt: Int64?

    package init(
        reference: Reference, project: ProjectName, server: ServerName, level: ServerInstance.Level, user: UserEmail?, origin: Origin,
        depositedAt: Int64, updatedAt: Int64, rejectedAt: Int64? = nil
    ) {
        self.reference = reference
        self.project = project
        self.server = server
        self.level = level
        self.user = user
        self.origin = origin
        self.depositedAt = depositedAt
        self.updatedAt = updatedAt
        self.rejectedAt = rejectedAt
    }

    /// A deposit made now for what `instance` is now.
    package init(at instance: ServerInstance, user: UserEmail?, prefix: String, now: Int64) {
        self.init(
            reference: Reference(instance, user: user, prefix: prefix), project: instance.project, server: instance.name,
            level: instance.level, user: instance.level == .user ? user : nil, origin: instance.server.origin, depositedAt: now, updatedAt: now)
    }
}
