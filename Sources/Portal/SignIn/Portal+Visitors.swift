// Who asks for a page, and whether a form was sent from one of ours.

internal import Gateway
internal import HTTPTypes
internal import Hummingbird
internal import Kernel
internal import TLS

/// The two sides of the portal a browser may be signed in at, apart from one another.
enum Side: Sendable {
    case people, administration

    var cookie: String {
        switch self {
        case .people: Cookie.session
        case .administration: Cookie.adminSession
        }
    }
}

extension Portal {
    /// Seconds for which a sign-in is good.
    static let sessionLife: Int64 = 12 * 3600
    private static let visitLife: Int64 = 3600

    /// - Throws: what the database says.
    func visitor(_ request: Request, at side: Side) async throws -> Visitor {
        if let token = request.cookie(side.cookie).flatMap({ SessionToken($0) }),
            let session = try await state.session(token.digest, at: wallClock())
        {
            Acquaintance.isMade()
            return .known(session, token)
        }
        return .stranger(request.cookie(Cookie.visit).flatMap { VisitToken($0) } ?? VisitToken(random: random(32)))
    }

    /// The cookie by which a stranger's browser is known again; nil where it has it.
    func visitCookie(_ request: Request, _ token: VisitToken) -> String? {
        request.cookie(Cookie.visit) == token.text ? nil : Cookie.set(Cookie.visit, token.text, life: Portal.visitLife)
    }

    /// Makes a session for who has proved `email`, with an id that was never anybody's.
    /// - Returns: the cookie that says so.
    func signIn(_ email: UserEmail, project: ProjectName?, link: LinkID?, at side: Side, source: String, how: String) async throws -> [String] {
        let now = wallClock()
        let token = SessionToken(random: random(32))
        try await state.open(
            PortalSession(email: email, created: now, renewed: now, expires: now + Portal.sessionLife, link: link), token: token.digest)
        try await state.append(
            AuditEntry(time: now, actor: .person(email), action: .signIn, project: project, user: email, link: link, source: source, detail: how))
        return [Cookie.set(side.cookie, token.text, life: Portal.sessionLife), Cookie.clear(Cookie.visit)]
    }

    /// The word that a form of this browser carries.
    static func formWord(_ visitor: Visitor) -> String {
        String(Base64URL.text(Digest256(hashing: "form \(visitor.secret)".utf8Span.span.raw).bytes).prefix(32))
    }

    /// Whether a POST was sent from one of our pages, by the browser they were made for.
    ///
    /// Pages are sent with `no-referrer`, for which browsers say `Origin: null`; they then say the site by `Sec-Fetch-Site`, and the word,
    /// which only our pages know, is asked for in any case.
    ///
    /// - Parameter origin: as people's browsers know this side.
    func isOurs(_ request: Request, _ form: FormBody, _ visitor: Visitor, origin: String) -> Bool {
        if let site = request.headers[.fetchSite] {
            guard site == "same-origin" else { return false }
        } else if let sender = request.headers[.origin], sender != "null" {
            guard sender == origin || sender == "http://\(request.head.authority ?? "")" else { return false }
        }
        guard let word = form.secret("csrf") else { return false }
        return word.isSame(as: Secret(copying: Portal.formWord(visitor).utf8Span.span.raw))
    }
}
