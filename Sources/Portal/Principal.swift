// Who does something, and from where: what every row of the audit begins with.

package import Gateway
internal import HTTPTypes
internal import Hummingbird

package struct Principal: Sendable {
    package let actor: AuditActor
    /// The client's address, or `admin.sock`.
    package let source: String

    package init(actor: AuditActor, source: String) {
        self.actor = actor
        self.source = source
    }

    /// A row of the audit: what this one does at `time`.
    func entry(
        _ action: AuditAction, at time: Int64, project: ProjectName? = nil, server: ServerName? = nil, user: UserEmail? = nil, link: LinkID? = nil,
        detail: String? = nil
    ) -> AuditEntry {
        AuditEntry(
            time: time, actor: actor, action: action, project: project, server: server, user: user, link: link, source: source, detail: detail)
    }
}

extension Request {
    /// The client's address, as our worker says it.
    var peer: String { headers[.clavigerPeer] ?? "unknown" }
}
