// A "no" that the gateway says itself: what is thrown, logged and answered.

/// Thrown by everything that decides on an exchange. `RefusalAnswer` alone turns it into HTTP.
package struct Refusal: Error, Sendable {
    package let code: RefusalCode
    /// For the log: which of the code's cases it was. Never part of an answer; holds no secret and nothing of a stranger's input.
    package let detail: String
    /// When to come back; where it is nil and the code needs a time, the answer says one second.
    package let retryAfter: Duration?
    /// Where a credential is to be connected: present with `credential_missing` and `credential_rejected`.
    package let connect: ConnectPointer?

    package init(_ code: RefusalCode, _ detail: String, retryAfter: Duration? = nil, connect: ConnectPointer? = nil) {
        self.code = code
        self.detail = detail
        self.retryAfter = retryAfter
        self.connect = connect
    }
}

/// Where a person connects a credential, and what to call the server in words that an agent passes on.
package struct ConnectPointer: Hashable, Sendable {
    /// `{portal.public_url}/connect/{project}/{server}`: carries no secret and no address, signs nobody in.
    package let url: String
    /// For project level: an administrator has to connect it, not the user.
    package let needsAdministrator: Bool
    /// The server's title, or its name in the project.
    package let serverTitle: String
    /// It is connected, with fewer rights than the server wants.
    package var needsMore = false

    package init(url: String, needsAdministrator: Bool, serverTitle: String) {
        self.url = url
        self.needsAdministrator = needsAdministrator
        self.serverTitle = serverTitle
    }

    /// - Parameter portalURL: `Snapshot.portalURL`; a final slash is not doubled.
    package init(to instance: ServerInstance, portalURL: String) {
        let separator = portalURL.utf8.last == UInt8(ascii: "/") ? "" : "/"
        url = "\(portalURL)\(separator)connect/\(instance.project)/\(instance.name)"
        needsAdministrator = instance.level == .project
        serverTitle = instance.server.title ?? instance.name.text
    }
}
