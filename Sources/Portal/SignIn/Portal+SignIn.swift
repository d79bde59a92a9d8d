// Proving an address, step by step: the address, the code that was sent to it, and the way out.

internal import Gateway
internal import HTTPTypes
internal import Hummingbird
internal import Kernel
internal import Logging
internal import Telemetry

/// What a sign-in is for, on either side.
struct SignInScene: Sendable {
    let side: Side
    /// The path that its pages begin with; a code is good for this alone.
    let base: String
    /// What people's browsers call the side.
    let origin: String
    let house: String
    let subtitle: String?
    let headline: String
    let lead: String
    let hint: String
    /// To go before "meant for ADDRESS".
    let purpose: String
    let link: LinkID?
    let project: ProjectName?
    /// Where it goes on afterwards, behind `base`; empty for its own page.
    let focus: String
    let admits: @Sendable (UserEmail) -> Bool
}

extension Portal {
    /// The page of the step that this browser has come to.
    func signInPage(_ request: Request, _ scene: SignInScene, _ visit: VisitToken) -> Response {
        let awaited = request.uri.queryParameters["address"] == nil
            ? pages.desk.awaited(at: scene.base, visit: visit.digest, now: wallClock()) : nil
        let page = awaited.map { codePage(scene, visit, $0) } ?? addressPage(scene, visit)
        return page.setting(visitCookie(request, visit))
    }

    /// Takes the address, has a code sent where it may use one, and says the same in either case.
    func takeAddress(_ request: Request, _ form: FormBody, _ scene: SignInScene, _ visit: VisitToken) -> Response {
        guard offersCode else { return addressPage(scene, visit) }
        guard let email = UserEmail(form.text("email")) else {
            return addressPage(scene, visit, typed: form.text("email"), error: "This is not an email address as we know them: name@example.com, in plain letters.")
        }
        let code: String?
        do {
            code = try pages.desk.begin(
                email, at: scene.base, visit: visit.digest, isAdmitted: scene.admits(email), source: request.peer, now: wallClock())
        } catch {
            let words =
                switch error {
                case .address: "Several codes were sent to this address already. Use the newest one, or try again in an hour."
                case .source: "Many codes were asked for from your network. Try again in an hour."
                case .crowded: "Many people are signing in just now. Try again in a few minutes."
                }
            return addressPage(scene, visit, typed: email.text, error: words, status: .tooManyRequests)
        }
        if let code { send(code, to: email, scene) }
        return .seeOther(scene.base + scene.focus).setting(visitCookie(request, visit))
    }

    /// - Parameter form: with the code.
    func takeCode(_ request: Request, _ form: FormBody, _ scene: SignInScene, _ visit: VisitToken) async throws -> Response {
        let now = wallClock()
        guard let email = pages.desk.awaited(at: scene.base, visit: visit.digest, now: now) else {
            return addressPage(scene, visit, error: "The code’s ten minutes are over, or it was asked for in another browser. Ask for another one.")
        }
        switch pages.desk.redeem(form.text("code"), at: scene.base, visit: visit.digest, now: now) {
        case .proved(let email):
            // What it may do is asked again: it may have changed since the code was sent.
            let cookies = try await signIn(email, project: scene.project, link: scene.link, at: scene.side, source: request.peer, how: "by code")
            var response = Response.seeOther(scene.base + scene.focus)
            for cookie in cookies { response = response.setting(cookie) }
            return response
        case .wrong(let left):
            return codePage(scene, visit, email, error: "This is not the code. Look at the newest message from us: you have \(left == 1 ? "one try" : "\(left) tries") left.")
        case .none:
            return addressPage(scene, visit, typed: email.text, error: "That was not the code either, and it is used up now. Ask for another one.")
        }
    }

    func signOut(_ request: Request, _ visitor: Visitor, _ scene: SignInScene) async throws -> Response {
        if case .known(let session, let token) = visitor {
            _ = try await state.close(token.digest)
            try await state.append(
                AuditEntry(time: wallClock(), actor: .person(session.email), action: .signOut, project: scene.project, user: session.email, source: request.peer))
        }
        return .seeOther(scene.base + scene.focus).setting(Cookie.clear(scene.side.cookie))
    }

    // MARK: Pages

    /// - Parameters:
    ///   - error: of the address that was typed.
    ///   - providerError: of the way to the identity provider.
    func addressPage(
        _ scene: SignInScene, _ visit: VisitToken, typed: String = "", error: String? = nil, providerError: String? = nil, status: HTTPResponse.Status? = nil
    ) -> Response {
        let offersProvider = snapshot().portal.oidc != nil
        let model: PageModel = [
            "title": scene.headline, "house": scene.house, "subtitle": scene.subtitle ?? false, "headline": scene.headline, "lead": scene.lead,
            "hint": scene.hint, "base": scene.base, "csrf": Portal.formWord(.stranger(visit)), "focus": scene.focus, "email": typed,
            "error": error ?? false, "trouble": isMailInTrouble, "offersCode": offersCode, "offersProvider": offersProvider,
            "providerError": providerError ?? false, "canSignIn": offersCode || offersProvider,
            "promise": offersCode
                ? "We use your address to know what to show you, and send it one message with a code."
                : "We learn your address from your company’s sign-in, and use it to know what to show you.",
        ]
        return Page.response(.address, model, status: status ?? (error == nil ? .ok : .unprocessableContent))
    }

    private var offersCode: Bool {
        if case .nowhere = pages.codes { false } else { true }
    }

    private func codePage(_ scene: SignInScene, _ visit: VisitToken, _ email: UserEmail, error: String? = nil) -> Response {
        var isLogged = false
        if case .log = pages.codes { isLogged = true }
        let model: PageModel = [
            "title": "Check your mail", "house": scene.house, "subtitle": scene.subtitle ?? false, "purpose": scene.purpose, "email": email.text,
            "base": scene.base, "csrf": Portal.formWord(.stranger(visit)), "focus": scene.focus, "error": error ?? false,
            "trouble": isMailInTrouble, "logged": isLogged, "isAdmin": scene.side == .administration,
        ]
        return Page.response(.code, model, status: error == nil ? .ok : .unprocessableContent)
    }

    private var isMailInTrouble: Bool {
        if case .mail(let mailer) = pages.codes { mailer.isInTrouble } else { false }
    }

    // MARK: The message

    private func send(_ code: String, to email: UserEmail, _ scene: SignInScene) {
        let spaced = "\(code.prefix(4)) \(code.suffix(4))"
        switch pages.codes {
        case .mail(let mailer):
            mailer.post(
                subject: "\(spaced) is your code for \(scene.house)",
                text: """
                    Your code for \(scene.house):

                        \(spaced)

                    Enter it in the browser where you asked for it. It works for ten minutes, and once.

                    Nobody will ever ask you for this code, on the phone or in a message. If it was not you who asked for it, do nothing: without the code nothing happens.

                    \(scene.origin)\(scene.base)

                    """, to: email)
        case .log:
            logger.warning(
                "SIGN-IN CODE \(code): no mail server is configured, so the code is written here; set portal.sign_in.email_code before anybody but you uses this gateway",
                metadata: label.text(for: email).map { ["user": "\($0)"] })
        case .nowhere: break
        }
    }
}
