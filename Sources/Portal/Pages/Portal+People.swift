// The people's side of the portal: `/connect/…`, from the link somebody was sent to the servers he connects.

internal import Credentials
internal import Gateway
internal import HTTPTypes
internal import Hummingbird
internal import Logging

extension Portal {
    /// - Parameter path: behind `/connect/`, by its slashes.
    func people(_ request: Request, _ path: [String]) async -> Response {
        switch path {
        case ["claviger.css"]: return .asset(Stylesheet.text, type: "text/css; charset=utf-8")
        case ["key.svg"]: return .asset(PageTemplate.icon, type: "image/svg+xml")
        default: break
        }
        if path.count == 2, path[0] == Portal.iconStep { return icon(path[1]) }
        if path.count == 2, path[0] == "start" { return await startConnection(request, path[1]) }
        if path.count == 2, path[0] == "callback" { return await finishConnection(request, path[1]) }
        do {
            if path == ["_sign-in", "callback"] { return try await returnFromProvider(request, at: .people) }
            guard let first = path.first else { return notice(.nothingHere) }
            if path.count == 1, first.utf8.starts(with: LinkTokenKind.prefix.utf8) { return try await enter(request, first) }
            switch try await place(request, first) {
            case .found(let place): return try await visit(request, place, Array(path.dropFirst()))
            case .linkUnknown: return notice(.linkUnknown)
            case .closed(let project): return closed(request, project, Array(path.dropFirst()))
            case .nothing: return notice(.nothingHere)
            }
        } catch {
            logger.error("a page could not be shown: \(error)")
            return notice(.trouble)
        }
    }

    /// No project's name begins so.
    static let iconStep = "_icon"

    /// A server's picture, under the name of its content: found by who has a page that shows it, and kept by his browser.
    private func icon(_ name: String) -> Response {
        guard let icon = snapshot().servers.values.lazy.compactMap(\.icon).first(where: { $0.name == name }) else { return notice(.nothingHere) }
        var response = Response.asset(icon.bytes, type: icon.form.mediaType)
        // Opened by itself, an SVG file is a document, which could hold scripts: here it is one without any rights.
        response.headers[.contentSecurityPolicy] = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
        return response
    }

    // MARK: Where somebody stands

    private enum Whereabouts {
        case found(Place)
        /// The browser has not visited the link's URL, or there is no such link.
        case linkUnknown
        /// Well-formed, but without a standing link; whether there is such a project does not show.
        case closed(ProjectName)
        case nothing
    }

    private func place(_ request: Request, _ first: String) async throws -> Whereabouts {
        if first.hasPrefix("link_") {
            guard let id = LinkID(first.dropFirst(5)), let token = request.cookie(Cookie.link(id.text)).flatMap({ LinkToken($0) }),
                let link = try await state.link(token: token.digest), link.id == id, let project = snapshot().projects[link.project]
            else { return .linkUnknown }
            return .found(Place(link: link, project: project, base: "/connect/\(first)"))
        }
        guard let name = ProjectName(first) else { return .nothing }
        guard let project = snapshot().projects[name], let link = AuthLink(standingFor: project) else { return .closed(name) }
        return .found(Place(link: link, project: project, base: "/connect/\(name)"))
    }

    /// Where a sign-in was begun, by the path that its pages begin with; nil where it is no more, or this browser does not have the link.
    func place(_ request: Request, at base: String) async throws -> Place? {
        guard case .found(let place) = try await place(request, String(base.split(separator: "/").last ?? "")) else { return nil }
        return place
    }

    /// The first visit: the token moves from the URL, which others may see, into a cookie.
    private func enter(_ request: Request, _ text: String) async throws -> Response {
        guard request.method == .get || request.method == .head else { return .notAllowed("GET") }
        guard let token = LinkToken(text), let link = try await state.link(token: token.digest), let id = link.id else { return notice(.linkUnknown) }
        return .seeOther("/connect/link_\(id)").setting(Cookie.set(Cookie.link(id.text), token.text, life: 30 * 86_400))
    }

    // MARK: A visit

    private func visit(_ request: Request, _ place: Place, _ rest: [String]) async throws -> Response {
        guard rest.count <= 2 else { return notice(.nothingHere) }
        let visitor = try await visitor(request, at: .people)
        let state = place.link.state(at: wallClock())
        guard state == .active else { return try await over(place, state, visitor) }
        switch request.method {
        case .get, .head: return try await show(request, place, visitor, rest)
        case .post:
            guard let form = await FormBody(request) else { return notice(.tooLarge, place) }
            guard isOurs(request, form, visitor, origin: snapshot().portalURL) else { return notice(.foreignForm, place) }
            return try await take(request, form, place, visitor, rest)
        default: return .notAllowed("GET, POST")
        }
    }

    private func show(_ request: Request, _ place: Place, _ visitor: Visitor, _ rest: [String]) async throws -> Response {
        let server = rest.first.flatMap { ServerName($0) }
        guard rest.isEmpty || rest == ["_finish"] || rest.count == 1 && server != nil else { return notice(.nothingHere, place) }
        switch visitor {
        case .stranger(let visit): return signInPage(request, scene(place, focus: server), visit)
        case .known(let session, _):
            guard place.link.admits(session.email) else { return notAdmitted(place, session, visitor) }
            let page = ServersPage(portal: self, place: place, session: session, visitor: visitor)
            if rest == ["_finish"] { return try await page.finishing() }
            return try await page.shown(request, at: server)
        }
    }

    private func take(_ request: Request, _ form: FormBody, _ place: Place, _ visitor: Visitor, _ rest: [String]) async throws -> Response {
        // Only a server's own name goes into the path that is gone to afterwards.
        let focus = ServerName(String(form.text("server").drop { $0 == "/" }))
        let scene = scene(place, focus: focus)
        switch (rest, visitor) {
        case (["_sign-in"], .stranger(let visit)): return takeAddress(request, form, scene, visit)
        case (["_code"], .stranger(let visit)): return try await takeCode(request, form, scene, visit)
        case (["_provider"], .stranger(let visit)): return await leaveForProvider(request, scene, visit)
        case (["_sign-out"], _): return try await signOut(request, visitor, scene)
        case (_, .stranger): return .seeOther(place.base)
        case (_, .known(let session, let token)):
            guard place.link.admits(session.email) else { return notAdmitted(place, session, visitor) }
            let page = ServersPage(portal: self, place: place, session: session, visitor: visitor)
            switch rest {
            case ["_sign-in"], ["_code"], ["_provider"]: return .seeOther(place.base)
            case ["_finish"]: return try await page.finish(request.peer)
            default:
                guard let server = rest.first.flatMap({ ServerName($0) }) else { return notice(.nothingHere, place) }
                return try await page.take(request, form, at: server, Array(rest.dropFirst()), token: token)
            }
        }
    }

    // MARK: Words

    private func scene(_ place: Place, focus: ServerName?) -> SignInScene {
        let link = place.link
        return SignInScene(
            side: .people, base: place.base, origin: snapshot().portalURL, house: place.house, subtitle: nil,
            headline: place.isShared ? "\(place.house) asks you to connect its services" : "Connect your accounts",
            lead: place.isShared
                ? "You were asked to connect services for everybody in \(place.house). First show that it is you."
                : "\(place.house)’s agents can use services for you, as you, when you connect them here. First show that it is you.",
            hint: "We send a code to it. \(link.id == nil ? "Use your address at work." : "Use the address that the link was sent to.")",
            purpose: link.id == nil ? "these pages are" : "this link is", link: link.id, project: place.project.name, focus: focus.map { "/\($0)" } ?? "",
            admits: { link.admits($0) })
    }
}
