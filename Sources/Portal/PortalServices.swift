// What the portal needs of the rest of the house; `claviger` joins them.

package import Credentials
package import Gateway

/// Where credentials are set, deleted and listed.
package protocol CredentialDesk: Sendable {
    /// Puts `values` in place of what the instance used for `user`, durably.
    func deposit(_ values: [FieldName: Secret], at instance: ServerInstance, user: UserEmail?) async throws(DepositFault)

    /// - Returns: whether there was one.
    func delete(at instance: ServerInstance, user: UserEmail?) async throws(DepositFault) -> Bool

    /// Deletes what is on record, whatever became of its server.
    /// - Returns: whether there was one.
    func delete(_ deposit: Deposit) async throws(DepositFault) -> Bool

    /// Those of a project. No value is read.
    func list(_ project: ProjectName) async throws(DepositFault) -> [CredentialEntry]
}

/// A stored credential as the API lists it: whose it is, for what, since when. Never what it is.
package struct CredentialEntry: Codable, Equatable, Sendable {
    package let server: String
    package let level: String
    /// Nil for project level, and where nothing is recorded.
    package let user: String?
    /// What it was deposited for; nil where nothing is recorded.
    package let origin: String?
    /// RFC 3339, in UTC.
    package let deposited: String?
    package let updated: String?
    /// Since when the server answers 401 to it; nil where it does not, or was not asked.
    package let rejected: String?
    /// What to do about it, in words.
    package let remedy: String?
    /// Where it is an OAuth grant: with whom, for what, and how new.
    package let grant: Grant?

    package struct Grant: Codable, Equatable, Sendable {
        package let issuer: String
        package let scopes: [String]
        /// One more with every refresh token that the provider gave.
        package let generation: Int
        /// When the last of them came; RFC 3339, in UTC.
        package let refreshed: String

        package init(issuer: String, scopes: [String], generation: Int, refreshed: String) {
            self.issuer = issuer
            self.scopes = scopes
            self.generation = generation
            self.refreshed = refreshed
        }
    }

    package init(
        server: String, level: String, user: String?, origin: String?, deposited: String?, updated: String?, rejected: String? = nil, grant: Grant? = nil
    ) {
        self.server = server
        self.level = level
        self.user = user
        self.origin = origin
        self.deposited = deposited
        self.updated = updated
        self.rejected = rejected
        self.grant = grant
        remedy = rejected.map { _ in
            grant == nil
                ? "The server answers 401 to this credential: deposit a new one, or give it its rights back at the server."
                : "The server, or its provider, takes this connection no more: connect it again."
        }
    }
}

/// `GET …/credentials`.
package struct CredentialList: Codable, Equatable, Sendable {
    package let credentials: [CredentialEntry]

    package init(credentials: [CredentialEntry]) {
        self.credentials = credentials
    }
}

/// `GET …/credentials/{server}`: what is asked of who deposits.
package struct CredentialForm: Codable, Equatable, Sendable {
    package struct Field: Codable, Equatable, Sendable {
        package let name: String
        package let label: String?
        package let help: String?

        package init(name: String, label: String?, help: String?) {
            self.name = name
            self.label = label
            self.help = help
        }
    }

    package let server: String
    package let level: String
    package let fields: [Field]

    package init(server: String, level: String, fields: [Field]) {
        self.server = server
        self.level = level
        self.fields = fields
    }

    init(_ instance: ServerInstance) {
        self.init(
            server: instance.name.text, level: instance.level.rawValue,
            fields: instance.server.fields.map { Field(name: $0.name.text, label: $0.label, help: $0.help) })
    }
}
