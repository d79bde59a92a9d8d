// Proving an address at the company's identity provider: the way there, and back to where it was begun.

internal import Gateway
internal import HTTPTypes
internal import Hummingbird
internal import Kernel
internal import Logging
internal import OAuth
internal import Telemetry
internal import TLS

/// Where a sign-in was begun, as the provider's desk keeps it. Nothing of it comes from the browser that returns.
private struct SignInErrand {
    /// The path that the pages of the place begin with.
    let base: String
    /// Where it goes on, behind `base`.
    let focus: String

    init(_ scene: SignInScene) {
        (base, focus) = (scene.base, scene.focus)
    }

    init(tag: String) {
        let parts = tag.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        (base, focus) = (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
    }

    var tag: String { "\(base)\n\(focus)" }
    var isAdministration: Bool { base == "/admin" }
}

extension Portal {
    /// To be registered at the provider.
    var signInRedirectURI: String { "\(publicURL)/connect/_sign-in/callback" }

    // MARK: There

    /// The page that takes the browser to the provider. Not a redirect: browsers hold a form to where its answer leads, too.
    func leaveForProvider(_ request: Request, _ scene: SignInScene, _ visit: VisitToken) async -> Response {
        guard let settings = snapshot().portal.oidc else { return addressPage(scene, visit) }
        guard pages.desk.mayLeave(request.peer, now: wallClock()) else {
            return addressPage(scene, visit, providerError: "Many people from your network are signing in just now. Try again in a few minutes.", status: .tooManyRequests)
        }
        let url: String
        do throws(SignInFault) {
            url = try await pages.provider.begin(
                settings, redirectURI: signInRedirectURI, session: Portal.session(of: visit), tag: SignInErrand(scene).tag)
        } catch {
            note(error)
            let words = MessagePage(error)
            return addressPage(scene, visit, providerError: "\(words.lead) \(words.advice)", status: error.status)
        }
        let host = String(url.split(separator: "/", maxSplits: 2).dropFirst().first ?? "")
        let model: PageModel = [
            "title": "On to your company’s sign-in", "house": scene.house, "subtitle": scene.subtitle ?? false, "url": url, "host": host, "base": scene.base,
            "refresh": url,
        ]
        return Page.response(.toProvider, model).setting(visitCookie(request, visit))
    }

    // MARK: And back

    /// `/connect/_sign-in/callback`, which the provider knows; from there, for a sign-in that was begun at the administration, `/admin/_provider`: its
    /// browser's cookie is of that host.
    func returnFromProvider(_ request: Request, at side: Side) async throws -> Response {
        guard request.method == .get else { return .notAllowed("GET") }
        let answer = AuthorizationAnswer(request)
        if side == .people, let state = answer.state, let tag = await pages.provider.tag(of: state), SignInErrand(tag: tag).isAdministration {
            return .seeOther("\(adminURL)/admin/_provider?\(request.uri.query ?? "")")
        }
        guard let visit = request.cookie(Cookie.visit).flatMap({ VisitToken($0) }) else { return MessagePage(SignInFault.unknown).response(.badRequest) }
        let errand: SignInErrand
        let email: UserEmail
        do throws(SignIns.Failed) {
            let done = try await pages.provider.finish(answer, session: Portal.session(of: visit), under: snapshot().portal.oidc)
            (errand, email) = (SignInErrand(tag: done.tag), done.user)
        } catch {
            note(error.fault)
            var page = MessagePage(error.fault)
            page.back = error.tag.map { SignInErrand(tag: $0).base }
            return page.response(error.fault.status)
        }
        guard errand.isAdministration == (side == .administration) else { return MessagePage(SignInFault.unknown).response(.badRequest) }
        return try await admit(email, errand, request, at: side)
    }

    /// The address is proved. What it may do here is asked now: it may have changed since the person left.
    private func admit(_ email: UserEmail, _ errand: SignInErrand, _ request: Request, at side: Side) async throws -> Response {
        var project: ProjectName?
        var link: LinkID?
        switch side {
        case .administration:
            guard !administered(by: email).isEmpty else {
                return notFor(email, errand, "Claviger", "The configuration names nobody of this address among the administrators.")
            }
        case .people:
            guard let place = try await place(request, at: errand.base) else { return notice(.linkUnknown) }
            let state = place.link.state(at: wallClock())
            guard state == .active else { return try await over(place, state, nil) }
            guard place.link.admits(email) else { return notFor(email, errand, place.house, whomItIsFor(place)) }
            (project, link) = (place.project.name, place.link.id)
        }
        let cookies = try await signIn(email, project: project, link: link, at: side, source: request.peer, how: "at the identity provider")
        logger.info("signed in", metadata: label.text(for: email).map { ["user": "\($0)"] })
        var response = Response.seeOther(errand.base + errand.focus)
        for cookie in cookies { response = response.setting(cookie) }
        return response
    }

    /// Somebody, but nobody whom this is for. He is not signed in.
    private func notFor(_ email: UserEmail, _ errand: SignInErrand, _ house: String, _ words: String) -> Response {
        Page.response(
            .notice,
            [
                "title": "This is not for this address", "house": house, "headline": "This is not for \(email.text)", "lead": words,
                "next": "If you have another account that it may be for, sign out at your company’s sign-in first, then try again. Otherwise ask whoever sent you here.",
                "links": [["href": errand.base, "label": "Back to the page", "quiet": true] as PageModel],
            ], status: .forbidden)
    }

    private func note(_ fault: SignInFault) {
        switch fault {
        case .provider(let words), .clock(let words): logger.error("somebody cannot sign in at the identity provider: \(words)")
        case .passing(let words): logger.warning("somebody cannot sign in at the identity provider now: \(words)")
        case .mixedUp: logger.error("a sign-in's answer came in another provider's name; nobody was signed in")
        case .unverified: logger.warning("somebody cannot sign in: the identity provider does not say that his address is verified (email_verified)")
        case .nobody: logger.warning("somebody cannot sign in: the identity provider gives no address for him, or none that we know (the claim email)")
        case .unknown, .declined: break
        }
    }

    private static func session(of visit: VisitToken) -> Secret { Secret(copying: visit.digest.bytes.span.raw) }
}

extension AuthorizationAnswer {
    /// What the provider's redirect has in its query.
    init(_ request: Request) {
        let query = request.uri.queryParameters
        func secret(_ name: Substring) -> Secret? { query[name].map { Secret(copying: Array($0.utf8).span.raw) } }
        self.init(
            code: secret("code"), state: secret("state"), issuer: query["iss"].map(String.init),
            error: query["error"].map { String($0.prefix(64).unicodeScalars.filter { (0x20..<0x7F).contains($0.value) }) })
    }
}

extension SignInFault {
    fileprivate var status: HTTPResponse.Status {
        switch self {
        case .unknown, .declined, .mixedUp: .badRequest
        case .unverified, .nobody: .forbidden
        case .clock, .provider: .badGateway
        case .passing: .serviceUnavailable
        }
    }
}

extension MessagePage {
    init(_ fault: SignInFault) {
        switch fault {
        case .unknown:
            self.init(
                title: "This sign-in cannot be finished", lead: "It was begun in another browser, finished before, or too long ago.",
                advice: "Open the page again, and stay in one browser window until you are back here.")
        case .declined:
            self.init(title: "You are not signed in", lead: "The sign-in was declined or broken off there.", advice: "If that was not on purpose, go back and try again.")
        case .mixedUp:
            self.init(
                title: "You are not signed in", lead: "An answer came in the name of another service. Nothing was done with it.",
                advice: "Do not try again; tell whoever runs this gateway.")
        case .unverified:
            self.init(
                title: "Your address is not confirmed", lead: "Your company’s sign-in does not say that your email address is really yours.",
                advice: "Confirm the address there, or ask whoever looks after the accounts; then sign in again.")
        case .nobody:
            self.init(
                title: "Your account has no address", lead: "Your company’s sign-in gave no email address for you.",
                advice: "Ask whoever looks after the accounts to enter one; then sign in again.")
        case .clock:
            self.init(
                title: "The clocks do not agree", lead: "Your company’s sign-in and this gateway do not have the same time, so its answer cannot be relied on.",
                advice: "Tell whoever runs this gateway: its log says more. There is nothing to do at your side.")
        case .provider:
            self.init(
                title: "Signing in does not work", lead: "Your company’s sign-in is not set up rightly here, or it refused this gateway.",
                advice: "Tell whoever runs this gateway: its log says what is wrong.")
        case .passing:
            self.init(title: "Signing in does not work just now", lead: "Your company’s sign-in does not answer.", advice: "Try again in a minute.")
        }
    }
}
