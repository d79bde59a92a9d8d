// The page of a person's servers: what is connected, what is not yet, and everything that can be done about it.

internal import Credentials
internal import Gateway
internal import HTTPTypes
internal import Hummingbird
internal import Kernel
internal import Logging

/// For somebody who has proved an address that the link admits.
struct ServersPage: Sendable {
    let portal: Portal
    let place: Place
    let session: PortalSession
    let visitor: Visitor

    var pages: PageServices { portal.pages }

    var offered: [ServerInstance] { place.link.offered(in: portal.snapshot()).sorted { $0.words < $1.words } }

    // MARK: Shown

    /// - Parameter server: whose card is open.
    func shown(_ request: Request, at server: ServerName?) async throws -> Response {
        var open = Card.Opening.closed
        if server != nil {
            let query = request.uri.queryParameters
            open = query["disconnect"] != nil ? .ending : query["replace"] != nil ? .replacing : .form
        }
        let saved = request.uri.queryParameters["saved"].flatMap { ServerName(String($0)) }
        let gone = request.uri.queryParameters["gone"].flatMap { ServerName(String($0)) }
        return try await page(open: server.map { ($0, open) }, saved: saved, gone: gone)
    }

    /// - Parameters:
    ///   - open: which card is open, and how.
    ///   - saved, gone: what a form that was just sent is said to have done; it is said again only where it is so.
    func page(
        open: (server: ServerName, how: Card.Opening)? = nil, trouble: Card.Trouble? = nil, saved: ServerName? = nil, gone: ServerName? = nil,
        status: HTTPResponse.Status = .ok
    ) async throws -> Response {
        let instances = offered
        let found: [ServerName: FoundConnection]
        do throws(DepositFault) {
            found = try await pages.connections.connections(at: instances, user: session.email)
        } catch {
            portal.logger.error("what is connected cannot be looked up: \(error)")
            return portal.notice(.trouble, place)
        }
        let now = portal.wallClock()
        var cards = instances.map { instance in
            Card(
                instance: instance, connection: found[instance.name] ?? .missing, place: place, word: Portal.formWord(visitor), now: now,
                opening: open?.server == instance.name ? open?.how ?? .closed : .closed, trouble: open?.server == instance.name ? trouble : nil)
        }
        // What somebody came for stands first.
        if let at = cards.firstIndex(where: { $0.instance.name == open?.server }) { cards.insert(cards.remove(at: at), at: 0) }
        let done = cards.count { $0.isDone }
        // One thing is the next to do; the others wait.
        if let next = cards.firstIndex(where: { $0.isToDo && $0.connection != .missing }) ?? cards.firstIndex(where: { $0.isToDo }) { cards[next].isNext = !cards.contains { $0.isForm } }
        var model: PageModel = [
            "title": "Connect your accounts", "house": place.house, "who": session.email.text, "signOut": "\(place.base)/_sign-out",
            "csrf": Portal.formWord(visitor), "base": place.base, "headline": headline, "lead": lead, "cards": cards.map(\.model), "count": cards.count,
            "done": done, "hasServers": !cards.isEmpty, "canFinish": place.isShared && !cards.isEmpty, "nothing": nothing,
            "promise": """
            What you enter is encrypted and kept in \(place.house)’s own secret store, apart from everything else. Nobody can read it back, on this page \
            or any other.
            """,
        ]
        if let saved, let card = cards.first(where: { $0.instance.name == saved }), card.isDone {
            model["saved"] = "\(card.instance.words) is connected."
            model["savedWords"] = done == cards.count ? "That was the last one: everything is connected. You can close this page." : "It is stored safely, and in use from now on."
        } else if let gone, let card = cards.first(where: { $0.instance.name == gone }), !card.isDone {
            model["saved"] = "\(card.instance.words) is disconnected."
            model["savedWords"] = "What was stored for it here is deleted. To be thorough, revoke it at \(card.instance.words) too."
        }
        if let open, !instances.contains(where: { $0.name == open.server }) {
            model["problem"] = "\(open.server) is not yours to connect here."
            model["problemWords"] = unoffered(open.server)
        }
        if done == cards.count, !cards.isEmpty, !place.isShared { model["closing"] = "You can close this page, and come back to it at any time." }
        return Page.response(.servers, model, status: status)
    }

    private var headline: String { place.isShared ? "Connect \(place.house)’s services" : "Connect your accounts" }

    private var lead: String {
        place.isShared
            ? "What you connect here serves everybody in \(place.house): their agents use it without ever seeing it."
            : "\(place.house)’s agents can then use these services for you, as you. They never see what you enter here."
    }

    private var nothing: String {
        place.link.id == nil
            ? "No service of \(place.house) needs anything from you."
            : "The services this link was made for are not there any more, or need nothing. Ask whoever sent it."
    }

    private func unoffered(_ server: ServerName) -> String {
        guard let instance = place.project.instance(server), instance.status == .active else { return "There is no such service here now. Ask whoever sent you this page’s address." }
        guard instance.needsDeposit else { return "It needs nothing from you: agents can use it as it is." }
        return instance.level == .project && !place.isShared
            ? "One key serves everybody there, and an administrator of \(place.house) connects it."
            : "This link is not for it. Ask whoever sent it for one that is."
    }

    // MARK: Finished

    func finishing() async throws -> Response {
        guard place.isShared else { return .seeOther(place.base) }
        let instances = offered
        let found = try await pages.connections.connections(at: instances, user: session.email)
        let done = instances.count { found[$0.name]?.isGood == true }
        return Page.response(
            .finish,
            [
                "title": "Finish", "house": place.house, "who": session.email.text, "signOut": "\(place.base)/_sign-out", "csrf": Portal.formWord(visitor),
                "base": place.base,
                "lead": done == instances.count
                    ? "Everything is connected." : "\(done) of \(instances.count) services are connected. The others stay as they are; somebody else may connect them by another link.",
            ])
    }

    func finish(_ source: String) async throws -> Response {
        guard place.isShared, let id = place.link.id else { return .seeOther(place.base) }
        let entry = principal(source).entry(.linkSpent, at: portal.wallClock(), project: place.project.name, link: id)
        let spending = try await portal.state.spend(id, by: session.email, noted: entry)
        switch spending {
        case .spent: return try await finished()
        case .over(let state): return try await portal.over(place, state, visitor)
        case .refused: return portal.notAdmitted(place, session, visitor)
        }
    }

    /// For the one who finished it, then and whenever he comes back.
    func finished() async throws -> Response {
        let instances = offered
        let found = try await pages.connections.connections(at: instances, user: session.email)
        let cards = instances.map { Card(instance: $0, connection: found[$0.name] ?? .missing, place: place, word: "", now: portal.wallClock()) }.filter(\.isDone)
        return Page.response(
            .finished,
            [
                "title": "All done", "house": place.house, "headline": "All done, thank you", "who": session.email.text,
                "signOut": "\(place.base)/_sign-out", "csrf": Portal.formWord(visitor),
                "lead": cards.isEmpty ? "Nothing is connected by this link, and it is closed now." : "\(place.house)’s agents can use what you connected, from now on.",
                "cards": cards.map(\.model), "hasServers": !cards.isEmpty,
                "closing": "This link has done its work and is closed. To change something later, ask whoever sent it for a new one. You can close this page.",
            ])
    }

    func principal(_ source: String) -> Principal { Principal(actor: .person(session.email), source: source) }
}

extension FoundConnection {
    var isGood: Bool {
        switch self {
        case .connected: true
        case .missing, .refused, .moved, .unusable: false
        }
    }
}

extension ServerInstance {
    /// Where browsers load its picture, where it has one.
    var iconPath: String? { server.icon.map { "/connect/\(Portal.iconStep)/\($0.name)" } }

    /// What people read for it.
    var words: String { server.title ?? name.text }
}
