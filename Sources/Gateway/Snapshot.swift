// The validated configuration in force: immutable, swapped whole. An exchange keeps the one it began with.

internal import Kernel
package import TLS

package final class Snapshot: Sendable {
    package let gateway: GatewaySettings
    package let secrets: SecretsSettings
    package let cache: CacheSettings
    package let portalURL: String
    package let portal: PortalSettings
    package let admin: AdminSettings
    package let log: LogSettings
    package let audit: AuditSettings
    /// Nil = no spans.
    package let trace: TraceSettings?
    package let servers: [ServerName: Server]
    package let projects: [ProjectName: Project]
    package let keys: [APIKeyID: KeyEntry]
    /// Of the files it was read from: what `status` and the start line call it by.
    package let digest: Digest256
    /// What those files said, to compare it with another's.
    package let outline: Outline

    package init(
        gateway: GatewaySettings, secrets: SecretsSettings, cache: CacheSettings, portalURL: String, portal: PortalSettings = PortalSettings(),
        admin: AdminSettings, log: LogSettings, audit: AuditSettings = AuditSettings(), trace: TraceSettings? = nil, servers: [ServerName: Server],
        projects: [ProjectName: Project], keys: [APIKeyID: KeyEntry], digest: Digest256, outline: Outline = Outline()
    ) {
        self.gateway = gateway
        self.secrets = secrets
        self.cache = cache
        self.portalURL = portalURL
        self.portal = portal
        self.admin = admin
        self.log = log
        self.audit = audit
        self.trace = trace
        self.servers = servers
        self.projects = projects
        self.keys = keys
        self.digest = digest
        self.outline = outline
    }
}

extension Snapshot {
    /// Whether who was admitted under an earlier snapshot would be let in now, to the same place: the key has its secret and speaks for the user, who
    /// is known in the same way, the instance may be reached, and its server has the origin it had.
    package func stillAdmits(_ key: KeyEntry, for user: UserEmail, to instance: ServerInstance) -> Bool {
        guard let known = keys[key.id], known.sha256 == key.sha256, known.navigator.project == key.navigator.project,
            known.navigator.token?.digest == key.navigator.token?.digest, known.navigator.maySpeak(for: user),
            let reachable = known.navigator.reachable[instance.name.text.utf8Span.span.raw]
        else { return false }
        return reachable.status == .active && reachable.level == instance.level && reachable.server.origin == instance.server.origin
    }
}

/// The unit of isolation: its server instances and navigators are its own.
package final class Project: Sendable {
    package let name: ProjectName
    package let title: String?
    /// Its administrators, beside those of every project.
    package let admins: [UserEmail]
    /// For whose people its standing link is; empty = it has none.
    package let connect: [EmailDomain]
    package let instances: NameTable<ServerInstance>
    package let navigators: [NavigatorName: Navigator]

    package init(
        name: ProjectName, title: String?, admins: [UserEmail] = [], connect: [EmailDomain] = [], instances: NameTable<ServerInstance>,
        navigators: [NavigatorName: Navigator]
    ) {
        self.name = name
        self.title = title
        self.admins = admins
        self.connect = connect
        self.instances = instances
        self.navigators = navigators
    }
}

/// A server taken into a project.
package final class ServerInstance: Sendable {
    package enum Level: String, Sendable { case user, project }
    package enum Status: String, Sendable { case active, paused }

    package let project: ProjectName
    /// The name in the project; `server.name` is the definition's.
    package let name: ServerName
    package let server: Server
    package let level: Level
    package let status: Status
    /// Says project, name and level: half of what the cache knows a credential by.
    package let digest: Digest256

    package init(project: ProjectName, name: ServerName, server: Server, level: Level, status: Status) {
        self.project = project
        self.name = name
        self.server = server
        self.level = level
        self.status = status
        digest = ServerInstance.digest(project, name, level)
    }

    package static func digest(_ project: ProjectName, _ name: ServerName, _ level: Level) -> Digest256 {
        // The names' alphabets have no slash: no two triples read alike.
        Digest256(hashing: "\(project)/\(name)/\(level.rawValue)".utf8Span.span.raw)
    }
}

/// An agent deployment in a project.
package final class Navigator: Sendable {
    package let project: ProjectName
    package let name: NavigatorName
    package let users: UserPolicy
    /// Where its users come in signed tokens; nil where `x-user-email` names them.
    package let token: UserTokenRule?
    package let deniedServers: Set<ServerName>
    /// Instead of `limits.per_key`.
    package let rate: Rate?
    /// The project's instances less the denied: a look-up tells denied from unknown only to the log.
    package let reachable: NameTable<ServerInstance>
    private let userDomains: NameTable<Void>
    private let userDigests: Set<Digest256>

    package init(
        project: ProjectName, name: NavigatorName, users: UserPolicy, token: UserTokenRule? = nil, deniedServers: Set<ServerName>, rate: Rate?,
        reachable: NameTable<ServerInstance>
    ) {
        self.project = project
        self.name = name
        self.users = users
        self.token = token
        self.deniedServers = deniedServers
        self.rate = rate
        self.reachable = reachable
        switch users {
        case .everyone:
            userDomains = NameTable([])
            userDigests = []
        case .only(let domains, let emails):
            userDomains = NameTable(domains.map { ($0, ()) })
            userDigests = Set(emails.compactMap { UserEmail($0)?.digest })
        }
    }

    /// Whether a key of this navigator may speak for `user`: the domain is compared whole, the address in its normalised form.
    package func maySpeak(for user: UserEmail) -> Bool {
        switch users {
        case .everyone: true
        case .only: userDomains[user.domain] != nil || userDigests.contains(user.digest)
        }
    }
}

/// For whom a navigator's key may speak.
package enum UserPolicy: Sendable {
    case everyone
    /// Domains and addresses, lower-case; a domain is compared whole, never as a suffix.
    case only(domains: Set<String>, emails: Set<String>)
}

/// An API key of a navigator. A class, so that a look-up copies one reference.
package final class KeyEntry: Sendable {
    package let id: APIKeyID
    /// Of the secret's text.
    package let sha256: Digest256
    /// Seconds since 1970; nil = never.
    package let expires: Int64?
    package let note: String?
    package let navigator: Navigator
    /// Whether its navigator has a `token`; known here, where every request looks.
    let comesWithToken: Bool

    package init(id: APIKeyID, sha256: Digest256, expires: Int64?, note: String?, navigator: Navigator) {
        comesWithToken = navigator.token != nil
        self.id = id
        self.sha256 = sha256
        self.expires = expires
        self.note = note
        self.navigator = navigator
    }
}
