// What is known of a project's user beside his credentials: since when, when last, how much.

/// Times in seconds since 1970.
package struct UserRecord: Hashable, Sendable {
    package let email: UserEmail
    package let firstSeen: Int64
    /// When he, or an agent for him, was last there.
    package let lastSeen: Int64
    /// Exchanges of the last seven days, today's included.
    package let calls: Int

    package init(email: UserEmail, firstSeen: Int64, lastSeen: Int64, calls: Int) {
        self.email = email
        self.firstSeen = firstSeen
        self.lastSeen = lastSeen
        self.calls = calls
    }
}

/// Exchanges of a user with a server that were counted together.
package struct UseCount: Hashable, Sendable {
    package let project: ProjectName
    package let server: ServerName
    package let user: UserEmail
    package let calls: Int
    /// Of the last of them, in seconds since 1970.
    package let last: Int64

    package init(project: ProjectName, server: ServerName, user: UserEmail, calls: Int, last: Int64) {
        self.project = project
        self.server = server
        self.user = user
        self.calls = calls
        self.last = last
    }
}
