// What the portal asks of the database; State answers, `claviger` joins them. Every call is durable when it returns.

package import Gateway
package import Kernel
package import TLS

/// Auth links and what came through them. A call throws where the database fails; its words may be shown.
package protocol LinkStore: Sendable {
    /// `noted` says who made it.
    func create(_ link: AuthLink, token: Digest256, noted: AuditEntry) async throws
    /// The link of a token, deleted ones too.
    func link(token: Digest256) async throws -> AuthLink?
    func link(_ id: LinkID) async throws -> LinkRecord?
    /// Those of a project that are not deleted, the newest first.
    func links(of project: ProjectName) async throws -> [LinkRecord]
    /// Who connected what, the newest first.
    func completions(of id: LinkID) async throws -> [LinkCompletion]
    /// - Returns: the link as it is then; nil where there is none any more.
    func edit(_ id: LinkID, _ edit: LinkEdit, noted: AuditEntry) async throws -> AuthLink?
    /// Another token, another expiry; a spent link is active again.
    func renew(_ id: LinkID, token: Digest256, expires: Int64, noted: AuditEntry) async throws -> AuthLink?
    /// - Returns: whether there was one.
    func delete(_ id: LinkID, noted: AuditEntry) async throws -> Bool
    /// To be called when the credential is stored.
    func record(_ completion: LinkCompletion) async throws
    /// Of all who finish a project link, exactly one gets `spent`. `noted` is written only for that one.
    func spend(_ id: LinkID, by email: UserEmail, noted: AuditEntry) async throws -> LinkSpending
}

/// Who is signed in. Sessions are found by their token's digest.
package protocol SessionStore: Sendable {
    func open(_ session: PortalSession, token: Digest256) async throws
    /// Nil where there is none, or it has expired.
    func session(_ token: Digest256, at now: Int64) async throws -> PortalSession?
    /// Puts `new` in the old token's place. False where the old one is none.
    func renew(_ token: Digest256, as session: PortalSession, token new: Digest256) async throws -> Bool
    /// - Returns: whether there was one.
    func close(_ token: Digest256) async throws -> Bool
    func closeSessions(of email: UserEmail) async throws
}

/// Signing in without a code, once: `claviger sign-in`.
package protocol OneTimeSignIn: Sendable {
    func allowSignIn(_ email: UserEmail, token: Digest256, expires: Int64, noted: AuditEntry) async throws
    /// As whom; nil for a token that is none, was used before, or has expired. Of several at once, one gets it.
    func takeSignIn(_ token: Digest256, at now: Int64) async throws -> UserEmail?
}

/// Bearer tokens of the administration API.
package protocol TokenStore: Sendable {
    func create(_ record: TokenRecord, token: Digest256, noted: AuditEntry) async throws
    /// Nil where there is none, or it has expired.
    func token(_ token: Digest256, at now: Int64) async throws -> TokenRecord?
    func tokens() async throws -> [TokenRecord]
    /// - Returns: whether there was one.
    func revoke(_ id: TokenID, noted: AuditEntry) async throws -> Bool
}

/// The users of projects, beside their credentials.
package protocol UserStore: Sendable {
    /// In order of address.
    func users(_ query: UserQuery, at now: Int64) async throws -> [UserRecord]
    /// Who was there after `since` is recent; who has a credential at one of `servers` that is rejected, or of another origin, is needy.
    func census(_ query: UserQuery, since: Int64, servers: [ServerName: Origin?]) async throws -> UserCensus
    func user(_ email: UserEmail, of project: ProjectName, at now: Int64) async throws -> UserRecord?
    /// Remembers that somebody was there.
    func saw(_ email: UserEmail, in project: ProjectName, at now: Int64) async throws
    /// Forgets one who has no credential left. False where there was none.
    func forget(_ email: UserEmail, in project: ProjectName, noted: AuditEntry) async throws -> Bool
}

/// What is on record of credentials: the same that the broker has recorded.
package protocol DepositStore: Sendable {
    /// In order of server and user.
    func deposits(in project: ProjectName) async throws -> [Deposit]
    /// Of these users alone.
    func deposits(in project: ProjectName, of users: [UserEmail]) async throws -> [Deposit]
    func isRecorded(_ reference: Reference) async throws -> Bool
}

/// The use of navigators' keys.
package protocol KeyUseStore: Sendable {
    /// Of the keys that were used.
    func keyUses(of project: ProjectName) async throws -> [KeyUse]
}

/// The audit.
package protocol AuditStore: Sendable {
    func append(_ entry: AuditEntry) async throws
    /// Writes down that a deposit begins. Where the process ends before `settle`, the next one appends `entry` with words that say so.
    func begin(_ entry: AuditEntry) async throws -> Int64
    /// Appends what came of it, if anything, and ends it: both or neither.
    func settle(_ intent: Int64, as entry: AuditEntry?) async throws
    /// Newest first.
    func audit(_ query: AuditQuery) async throws -> [AuditRow]
}

/// Copying all of it.
package protocol BackupStore: Sendable {
    /// The database as it is now, whole and checked. One at a time.
    func backup() async throws -> StoredFile
}

/// All that the portal keeps beside the credentials.
package typealias PortalState = AuditStore & BackupStore & DepositStore & KeyUseStore & LinkStore & OneTimeSignIn & SessionStore & TokenStore & UserStore
