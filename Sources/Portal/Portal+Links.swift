// Auth links made, changed and deleted: what API, commands and pages all do by these calls.

internal import Gateway
internal import HTTPTypes

/// What a new link is to be; `LinkServers` and the restriction are checked when it is made.
struct LinkDraft: Sendable {
    var project: Project
    var servers: [String]
    var restriction: LinkRestriction
    /// In seconds since 1970; nil = in seven days.
    var expires: Int64?
}

extension Portal {
    static let usualLife: Int64 = 7 * 86_400
    static let longestLife: Int64 = 366 * 86_400

    /// - Returns: the link, and its token, which is nowhere else and not shown again.
    func createLink(_ draft: LinkDraft, by principal: Principal) async throws(APIFault) -> (link: AuthLink, token: LinkToken) {
        let now = wallClock()
        let level = draft.restriction.level
        guard !draft.servers.isEmpty else { throw APIFault(.unprocessableContent, "no_servers", "A link is for one server at least: name them.") }
        let servers: LinkServers
        do throws(UnfitServers) { servers = try LinkServers(draft.servers, of: level, in: draft.project) } catch { throw APIFault(error) }
        let link = AuthLink(
            id: LinkID(random: random(10)), project: draft.project.name, servers: servers, restriction: draft.restriction, created: now,
            expires: try expiry(draft.expires, now))
        let token = LinkToken(random: random(32))
        let entry = principal.entry(.linkCreated, at: now, project: link.project, link: link.id, detail: link.words)
        try await asking { try await state.create(link, token: token.digest, noted: entry) }
        return (link, token)
    }

    /// What is there under this id, in a project that is still configured.
    func link(_ id: String) async throws(APIFault) -> LinkRecord {
        guard let id = LinkID(id), let record = try await asking({ try await state.link(id) }), record.link.deleted == nil else {
            throw .noLink
        }
        return record
    }

    /// - Throws: also where the restriction is of the other type: a link's type does not change.
    func editLink(_ id: LinkID, _ edit: LinkEdit, by principal: Principal) async throws(APIFault) -> AuthLink {
        let now = wallClock()
        guard let before = try await asking({ try await state.link(id) })?.link, before.deleted == nil else { throw .noLink }
        if let restriction = edit.restriction, restriction.level != before.level {
            throw APIFault(
                .unprocessableContent, "other_type",
                before.level == .user
                    ? "A user link is for domains, not for one address: make a project link for that." : "A project link is for one address, not for domains: make a user link for that.")
        }
        guard edit != LinkEdit() else { throw APIFault(.unprocessableContent, "nothing_to_change", "Say what is to change: the domains or the email, or the expiry.") }
        if edit.expires != nil { _ = try expiry(edit.expires, now) }
        let words = [edit.restriction.map { "now for \($0.words)" }, edit.expires.map { "now until \(Timestamp.text($0))" }].compactMap { $0 }
        let entry = principal.entry(.linkEdited, at: now, project: before.project, link: id, detail: words.joined(separator: ", "))
        guard let link = try await asking({ try await state.edit(id, edit, noted: entry) }) else { throw .noLink }
        return link
    }

    /// Another URL, the old one being worth nothing; a spent link can be used again.
    /// - Parameter expires: nil = as long from now as it was made for.
    func renewLink(_ id: LinkID, expires: Int64?, by principal: Principal) async throws(APIFault) -> (link: AuthLink, token: LinkToken) {
        let now = wallClock()
        guard let before = try await asking({ try await state.link(id) })?.link, let created = before.created, let ended = before.expires else {
            throw .noLink
        }
        let end = try expiry(expires ?? now + min(max(ended - created, 3600), Portal.longestLife), now)
        let token = LinkToken(random: random(32))
        let entry = principal.entry(.linkRenewed, at: now, project: before.project, link: id, detail: "now until \(Timestamp.text(end))")
        guard let link = try await asking({ try await state.renew(id, token: token.digest, expires: end, noted: entry) }) else { throw .noLink }
        return (link, token)
    }

    /// Credentials stay.
    func deleteLink(_ id: LinkID, by principal: Principal) async throws(APIFault) {
        guard let link = try await asking({ try await state.link(id) })?.link else { throw .noLink }
        let entry = principal.entry(.linkDeleted, at: wallClock(), project: link.project, link: id, detail: link.words)
        guard try await asking({ try await state.delete(id, noted: entry) }) else { throw .noLink }
    }

    /// What people are sent.
    func url(of token: LinkToken) -> String { "\(snapshot().portalURL)/connect/\(token.text)" }

    private func expiry(_ given: Int64?, _ now: Int64) throws(APIFault) -> Int64 {
        let end = given ?? now + Portal.usualLife
        guard end > now else { throw APIFault(.unprocessableContent, "expired", "The expiry is in the past.") }
        guard end <= now + Portal.longestLife else {
            throw APIFault(.unprocessableContent, "too_long", "A link lives 366 days at most; `projects.*.connect` is the one that never expires.")
        }
        return end
    }
}

extension APIFault {
    static let noLink = APIFault(.notFound, "no_link", "There is no such link; `claviger link list` names those of a project.")

    init(_ unfit: UnfitServers) {
        let reasons = unfit.servers.map { server in
            let name = ServerName(server.name)?.text ?? "one of the names"
            switch server.reason {
            case .unknown: return "\(name) is no server of the project"
            case .otherLevel(let level): return "\(name) is of \(level.rawValue) level"
            case .paused: return "\(name) is paused"
            case .needsNone: return "\(name) needs no credential"
            }
        }
        self.init(
            .unprocessableContent, "unfit_servers",
            "A \(unfit.level.rawValue) link is for active servers of \(unfit.level.rawValue) level that need a credential: \(reasons.joined(separator: "; ")).")
    }
}

extension AuthLink {
    /// For the audit.
    fileprivate var words: String {
        let names =
            switch servers {
            case .everyOne: "every server"
            case .these(let names): names.map(\.text).joined(separator: ", ")
            }
        return "\(level.rawValue) link for \(restriction.words): \(names)"
    }
}

extension LinkRestriction {
    var words: String {
        switch self {
        case .domains(let domains): domains.map(\.text).joined(separator: ", ")
        case .email(let email): email.text
        }
    }
}
