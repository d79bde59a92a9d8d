// A server connected at its provider, from a person's page and back to it.

internal import Gateway
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import OAuth

extension ServersPage {
    /// The page that takes the browser to the provider. Not a redirect: browsers hold a form to where its answer leads, too, and ours may only
    /// lead to us.
    func leave(_ request: Request, for instance: ServerInstance) async throws -> Response {
        guard instance.server.oauth != nil else { return try await page(open: (instance.name, .form), status: .notFound) }
        // A browser that is on its way already goes on with the cookie it has: two servers may be connected side by side.
        let cookie = ConnectCookie(request) ?? ConnectCookie()
        let user = instance.level == .user ? session.email : nil
        let url: String
        do throws(ConnectFault) {
            url = try await portal.connector.begin(instance, user: user, session: cookie.digest, tag: "page:\(place.link.id?.text ?? "")")
        } catch {
            return portal.fail(error, at: instance.server, back: place.base)
        }
        let model: PageModel = [
            "title": "On to \(instance.words)", "house": place.house, "who": session.email.text, "signOut": "\(place.base)/_sign-out",
            "csrf": Portal.formWord(visitor), "target": instance.words, "project": place.house, "url": url,
            "host": String(url.split(separator: "/", maxSplits: 2).dropFirst().first ?? ""), "base": place.base, "isShared": place.isShared,
            "refresh": url,
        ]
        return Page.response(.leaving, model).setting(cookie.field)
    }

    /// Back, and connected: told to audit, link and user; then the page says so.
    func returned(_ instance: ServerInstance, isReplacing: Bool, _ source: String, intent: Int64) async throws -> Response {
        let user = instance.level == .user ? session.email : nil
        try await portal.deposited(at: instance, user: user, by: principal(source), through: place.link.id, isReplacing: isReplacing, intent: intent)
        return try await settled(instance, source)
    }
}

extension Portal {
    /// Where an errand of a page was begun; nil for a command's, and where the place is no more.
    func place(of errand: ConnectErrand) async throws -> Place? {
        guard errand.tag.hasPrefix("page:"), let project = snapshot().projects[errand.project] else { return nil }
        let text = errand.tag.dropFirst(5)
        if text.isEmpty { return AuthLink(standingFor: project).map { Place(link: $0, project: project, base: "/connect/\(project.name)") } }
        guard let id = LinkID(text), let link = try await state.link(id)?.link, link.project == project.name else { return nil }
        return Place(link: link, project: project, base: "/connect/link_\(id)")
    }

    /// Why a person who comes back to a page may not go on: everything that was so when he left is asked again.
    func whyNot(page errand: ConnectErrand, _ request: Request) async -> String? {
        do {
            guard let place = try await place(of: errand) else { return "The link was taken back while you were there." }
            switch place.link.state(at: wallClock()) {
            case .active: break
            case .expired: return "The link has ended while you were there."
            case .spent: return "The link was finished while you were there."
            case .deleted: return "The link was taken back while you were there."
            }
            guard case .known(let session, _) = try await visitor(request, at: .people), errand.user == nil || errand.user == session.email else {
                return "You are signed in here as somebody else now, or not any more."
            }
            guard place.link.admits(session.email) else { return "The link is not for \(session.email.text) any more." }
            guard place.link.offered(in: snapshot()).contains(where: { $0.name == errand.server }) else { return "It is not offered here any more." }
            return nil
        } catch {
            logger.error("who comes back from a provider could not be looked up: \(error)")
            return "Something on our side does not work just now."
        }
    }

    func returned(_ errand: ConnectErrand, isReplacing: Bool, _ request: Request, intent: Int64?) async throws -> Response {
        guard let intent, let place = try await place(of: errand), let instance = place.project.instance(errand.server),
            case .known(let session, let token) = try await visitor(request, at: .people)
        else { return notice(.trouble) }
        let page = ServersPage(portal: self, place: place, session: session, visitor: .known(session, token))
        return try await page.returned(instance, isReplacing: isReplacing, request.peer, intent: intent)
    }
}
