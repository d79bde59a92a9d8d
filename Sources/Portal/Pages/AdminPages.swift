// The administrators' pages of one project, and the list of projects: read from the configuration and the database, never a secret.

internal import Credentials
internal import Gateway
internal import HTTPTypes
internal import Hummingbird
internal import Kernel

extension Portal {
    func administrationPage(_ request: Request, _ path: [String], _ visitor: Visitor, _ session: PortalSession) async throws -> Response {
        let projects = administered(by: session.email)
        guard !projects.isEmpty else { return notAnAdministrator(session, visitor) }
        guard let first = path.first else { return try await AdminPages.projects(projects, self, session, visitor) }
        guard let project = projects.first(where: { $0.name.text == first }) else { return notice(.nothingHere) }
        let pages = AdminPages(portal: self, project: project, session: session, visitor: visitor, told: request.uri.queryParameters["did"].map { String($0) })
        switch (path.count, path.dropFirst().first) {
        case (1, _): return .seeOther("\(pages.base)/users")
        case (2, "links"): return try await pages.links(request)
        case (3, "links") where path[2] == "new": return pages.linkForm()
        case (3, "links"): return try await pages.link(path[2], request)
        case (4, "links"): return try await pages.linkChange(path[2], path[3])
        case (2, "users"): return try await pages.users(request)
        case (3, "users"): return try await pages.user(path[2])
        case (4, "users") where path[3] == "delete": return try await pages.userDeletion(path[2])
        case (5, "users") where path[3] == "revoke": return try await pages.userRevocation(path[2], path[4])
        case (2, "servers"): return try await pages.servers()
        case (2, "navigators"): return try await pages.navigators()
        case (2, "audit"): return try await pages.audit(request)
        default: return notice(.nothingHere)
        }
    }

    private func notAnAdministrator(_ session: PortalSession, _ visitor: Visitor) -> Response {
        Page.response(
            .notice,
            [
                "title": "Not an administrator", "house": "Claviger", "headline": "\(session.email.text) administers nothing here",
                "lead": "The configuration names nobody of this address among the administrators.",
                "next": "Sign in with another address, or ask whoever runs this gateway to add yours to `portal.admins` or a project’s `admins`.",
                "leave": "Use another address", "signOut": "/admin/_sign-out", "csrf": Portal.formWord(visitor),
            ], status: .forbidden)
    }
}

struct AdminPages: Sendable {
    let portal: Portal
    let project: Project
    let session: PortalSession
    let visitor: Visitor
    /// What was just done, by the word that the redirect carried.
    var told: String?

    var base: String { "/admin/\(project.name)" }
    var now: Int64 { portal.wallClock() }

    enum Tab: String, CaseIterable { case users, links, servers, navigators, audit }

    /// What every page of a project has.
    func model(_ tab: Tab, _ title: String) -> PageModel {
        let tabs: [PageModel] = Tab.allCases.map { ["href": "\(base)/\($0.rawValue)", "label": Card.readable($0.rawValue), "here": $0 == tab] }
        let told = told.flatMap { AdminPages.words[$0] }
        return [
            "title": title, "house": project.title ?? project.name.text, "project": true, "who": session.email.text, "csrf": Portal.formWord(visitor),
            "hasTabs": true, "tabs": tabs, "base": base, "told": told ?? false, "toldWords": false, "problem": false, "problemWords": false,
        ]
    }

    /// By what redirects carry; anything else says nothing.
    private static let words = [
        "edited": "The link is changed.", "deleted": "The link is deleted. What people connected through it stays connected.",
        "revoked": "It is revoked: agents can no longer use it.", "forgotten": "The user is deleted, with everything they had connected.",
    ]

    static func projects(_ projects: [Project], _ portal: Portal, _ session: PortalSession, _ visitor: Visitor) async throws -> Response {
        var rows: [PageModel] = []
        let now = portal.wallClock()
        for project in projects {
            let people = try await portal.census(UserQuery(project: project.name), in: project)
            let links = try await portal.state.links(of: project.name)
            rows.append([
                "name": project.name.text, "title": project.title ?? project.name.text, "servers": project.instances.values.count,
                "navigators": project.navigators.count, "people": people.all, "links": links.count { $0.link.state(at: now) == .active },
            ])
        }
        return Page.response(
            .adminProjects,
            [
                "title": "Projects", "house": "Claviger", "project": false, "who": session.email.text, "csrf": Portal.formWord(visitor), "hasTabs": false,
                "told": false, "problem": false, "lead": projects.count == 1 ? "One project is yours to administer." : "\(projects.count) projects are yours to administer.",
                "rows": rows, "hasRows": !rows.isEmpty,
            ])
    }

    func confirm(_ tab: Tab, _ headline: String, _ words: String, _ button: String, _ action: String, _ cancel: String, isDanger: Bool = true) -> Response {
        var model = model(tab, headline)
        model.merge(["headline": headline, "words": words, "button": button, "action": action, "cancel": cancel, "tone": isDanger ? "danger" : ""]) { $1 }
        return Page.response(.adminConfirm, model)
    }
}
