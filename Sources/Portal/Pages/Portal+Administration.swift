// The administrators' side of the portal: `/admin/…`, at `admin.address` alone.

internal import Gateway
internal import HTTPTypes
internal import Hummingbird
internal import Logging

extension Portal {
    /// - Parameter path: behind `/admin/`, by its slashes.
    func administration(_ request: Request, _ path: [String]) async -> Response {
        let path = path.last == "" ? Array(path.dropLast()) : path
        do {
            let visitor = try await visitor(request, at: .administration)
            switch request.method {
            case .get, .head:
                if path == ["_provider"] { return try await returnFromProvider(request, at: .administration) }
                if path.count == 2, path[0] == "_enter" { return enterPage(request, path[1], visitor) }
                switch visitor {
                case .stranger(let visit): return signInPage(request, adminScene, visit)
                case .known(let session, _): return try await administrationPage(request, path, visitor, session)
                }
            case .post:
                guard let form = await FormBody(request) else { return notice(.tooLarge) }
                guard isOurs(request, form, visitor, origin: adminURL) else { return notice(.foreignForm) }
                switch (path, visitor) {
                case (["_sign-in"], .stranger(let visit)): return takeAddress(request, form, adminScene, visit)
                case (["_code"], .stranger(let visit)): return try await takeCode(request, form, adminScene, visit)
                case (["_provider"], .stranger(let visit)): return await leaveForProvider(request, adminScene, visit)
                case (["_sign-out"], _): return try await signOut(request, visitor, adminScene)
                case (_, _) where path.count == 2 && path[0] == "_enter": return try await enterOnce(request, path[1])
                case (_, .stranger): return .seeOther("/admin")
                case (_, .known(let session, _)): return try await administrationForm(request, form, path, visitor, session)
                }
            default: return .notAllowed("GET, POST")
            }
        } catch let fault as APIFault {
            return adminNotice(fault)
        } catch {
            logger.error("a page could not be shown: \(error)")
            return notice(.trouble)
        }
    }

    /// Scheme and authority by which administrators' browsers reach us.
    var adminURL: String {
        let admin = snapshot().admin
        if let url = admin.publicURL { return url }
        guard case .tcp(let host, let port)? = admin.address else { return "http://localhost" }
        return Origin(scheme: .http, host: host, port: port).description
    }

    /// Whom the configuration lets into the pages, and into which projects.
    func administered(by email: UserEmail) -> [Project] {
        let snapshot = snapshot()
        let all = snapshot.projects.values.sorted { $0.name < $1.name }
        return snapshot.portal.admins.contains(email) ? all : all.filter { $0.admins.contains(email) }
    }

    private var adminScene: SignInScene {
        SignInScene(
            side: .administration, base: "/admin", origin: adminURL, house: "Claviger", subtitle: "administration", headline: "Sign in to the administration",
            lead: "For those whom the configuration names as administrators.", hint: "We send a code to it, if it is an administrator’s.",
            purpose: "these pages are", link: nil, project: nil, focus: "", admits: { !administered(by: $0).isEmpty })
    }

    func adminNotice(_ fault: APIFault) -> Response {
        Page.response(
            .notice,
            [
                "title": "That did not work", "house": "Claviger", "headline": "That did not work", "lead": fault.message,
                "next": "Go back and try again, or look at the log.", "links": [["href": "/admin", "label": "To the projects", "quiet": true] as PageModel],
            ], status: fault.status)
    }

    // MARK: A one-time link

    /// Opened by whoever sees the URL, mail scanners among them; used only by the button.
    private func enterPage(_ request: Request, _ text: String, _ visitor: Visitor) -> Response {
        guard SignInToken(text) != nil else { return notice(.nothingHere) }
        let visit: VisitToken? = if case .stranger(let visit) = visitor { visit } else { nil }
        return Page.response(
            .adminEnter,
            [
                "title": "Sign in", "house": "Claviger", "subtitle": "administration", "action": "/admin/_enter/\(text)",
                "csrf": Portal.formWord(visitor),
            ]
        ).setting(visit.flatMap { visitCookie(request, $0) })
    }

    private func enterOnce(_ request: Request, _ text: String) async throws -> Response {
        guard let token = SignInToken(text), let email = try await state.takeSignIn(token.digest, at: wallClock()) else {
            return Page.response(
                .notice,
                [
                    "title": "This link was used", "house": "Claviger", "headline": "This link does not work any more",
                    "lead": "It works once and for a few minutes.", "next": "Make another one on the gateway’s machine.",
                    "command": false, "operator": false,
                ], status: .gone)
        }
        var response = Response.seeOther("/admin")
        for cookie in try await signIn(email, project: nil, link: nil, at: .administration, source: request.peer, how: "by one-time link") { response = response.setting(cookie) }
        return response
    }
}
