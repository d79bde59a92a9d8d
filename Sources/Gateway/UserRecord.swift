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

/// Which of a project's users are wanted, in order of address.
package struct UserQuery: Hashable, Sendable {
    package var project: ProjectName
    /// What their addresses begin with, in small letters; empty asks for all.
    package var prefix: String
    /// Those behind this address, to go on where a page ended.
    package var after: UserEmail?
    /// How many; 1,000 at most.
    package var limit: Int

    /// The beginning of an address as addresses are kept: in small letters, and without blanks, of which they have none.
    package static func folded(_ text: String) -> String {
        String(decoding: text.utf8.filter { $0 > 0x20 }.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    package init(project: ProjectName, prefix: String = "", after: UserEmail? = nil, limit: Int = 1000) {
        self.project = project
        self.prefix = prefix
        self.after = after
        self.limit = limit
    }
}

/// How many users a project has, in all and of some kinds.
package struct UserCensus: Hashable, Sendable {
    package let all: Int
    /// Whose address begins as it was asked for.
    package let matching: Int
    /// Who were there since the time that was asked for.
    package let recent: Int
    /// Who have to connect something again.
    package let needy: Int

    package init(all: Int, matching: Int, recent: Int, needy: Int) {
        self.all = all
        self.matching = matching
        self.recent = recent
        self.needy = needy
    }
}

/// That a navigator's key was used.
package struct KeyUse: Hashable, Sendable {
    package let project: ProjectName
    package let navigator: NavigatorName
    package let key: APIKeyID
    /// Requests that it vouched for, refused ones too.
    package let calls: Int
    /// Of the last of them, in seconds since 1970.
    package let last: Int64

    package init(project: ProjectName, navigator: NavigatorName, key: APIKeyID, calls: Int, last: Int64) {
        self.project = project
        self.navigator = navigator
        self.key = key
        self.calls = calls
        self.last = last
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
