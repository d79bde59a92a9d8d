// A project's users as the API gives them; the commands read the same.

internal import Gateway

package struct UserView: Codable, Equatable, Sendable {
    package struct Server: Codable, Equatable, Sendable {
        package let server: String
        package let state: String
        /// Since when, and when it was replaced last.
        package let deposited: String?
        package let updated: String?
        package let rejected: String?
    }

    package let email: String
    /// Nil where nobody has seen him yet. Times are RFC 3339, in UTC.
    package let firstSeen: String?
    package let lastActive: String?
    /// Exchanges of the last seven days.
    package let calls: Int
    /// Those that work, of all that want a credential of his.
    package let connected: Int
    package let servers: [Server]

    enum CodingKeys: String, CodingKey {
        case email, connected, servers
        case firstSeen = "first_seen"
        case lastActive = "last_active"
        case calls = "calls_7_days"
    }

    static let shape = Shape.object([
        .needed("email", .email), .optional("first_seen", .time), .optional("last_active", .time), .needed("calls_7_days", .whole),
        .needed("connected", .whole),
        .needed(
            "servers",
            .list(
                .object([
                    .needed("server", .name), .needed("state", .word(Connection.allCases.map(\.rawValue))), .optional("deposited", .time),
                    .optional("updated", .time), .optional("rejected", .time),
                ]))),
    ])
}

/// `GET …/users`.
package struct UserList: Codable, Equatable, Sendable {
    package let users: [UserView]
    /// What to give as `after` for more; nil at the end.
    package let next: String?

    package init(users: [UserView], next: String? = nil) {
        self.users = users
        self.next = next
    }

    static let shape = Shape.object([.needed("users", .list(UserView.shape)), .optional("next", .email)])
}

/// `POST …/users/{email}/revoke`; without servers, all he has.
package struct RevocationOrder: Codable, Equatable, Sendable {
    package let servers: [String]?

    package init(servers: [String]?) { self.servers = servers }

    static let shape = Shape.object([.optional("servers", .list(.name))])
}

/// Whose credential there was.
package struct RevocationView: Codable, Equatable, Sendable {
    package let revoked: [String]

    static let shape = Shape.object([.needed("revoked", .list(.name))])
}

extension UserView {
    init(_ email: UserEmail, _ record: UserRecord?, _ connections: [ServerConnection]) {
        self.email = email.text
        firstSeen = record.map { Timestamp.text($0.firstSeen) }
        lastActive = record.map { Timestamp.text($0.lastSeen) }
        calls = record?.calls ?? 0
        connected = connections.count { $0.state == .connected }
        servers = connections.map { connection in
            Server(
                server: connection.instance.name.text, state: connection.state.rawValue,
                deposited: connection.deposit.map { Timestamp.text($0.depositedAt) }, updated: connection.deposit.map { Timestamp.text($0.updatedAt) },
                rejected: connection.deposit?.rejectedAt.map(Timestamp.text))
        }
    }
}
