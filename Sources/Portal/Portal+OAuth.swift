// The way to an OAuth provider and back: the one-time page of a command, the callback, and the client's metadata document.

internal import Gateway
internal import HTTPTypes
internal import Hummingbird
internal import Kernel
internal import Logging
internal import NIOCore
internal import OAuth
internal import Synchronization
internal import Telemetry
internal import TLS

extension Portal {
    // MARK: The API

    /// `POST …/credentials/{server}/connect`: a page for whoever is to sign in at the provider.
    func beginConnection(_ instance: ServerInstance, _ user: UserEmail?, by principal: Principal) throws(APIFault) -> ConnectionBegun {
        guard let oauth = instance.server.oauth, oauth.grant != .clientCredentials else {
            throw APIFault(.conflict, "not_oauth", "\(instance.name) is not connected by signing in: `claviger credential set` takes its credential, if it needs one.")
        }
        guard instance.level == .project || user != nil else {
            throw APIFault(.badRequest, "user_needed", "This server needs a connection for each user: say whose.")
        }
        let (id, page) = connections.begin(
            ConnectionBook.Subject(project: instance.project, server: instance.name, user: instance.level == .user ? user : nil, principal: principal))
        return ConnectionBegun(id: id, url: "\(publicURL)/connect/start/\(page)")
    }

    /// `GET /connections/{id}?after=STATE`: waits up to 25 s for another state than that.
    func connection(_ id: String, after known: String?, for principal: Principal) async throws(APIFault) -> ConnectionReport {
        let known: ConnectionState? =
            switch known {
            case "waiting": .waiting
            case "opened": .opened
            default: nil
            }
        let waiter = ConnectionBook.Waiter(actor: principal.actor, source: principal.source)
        let state: ConnectionState?
        do throws(ConnectionBook.Crowded) {
            state = try await connections.state(of: id, after: known, for: waiter, patience: .seconds(25))
        } catch {
            throw APIFault(
                .tooManyRequests, "too_many_waiting", "You wait for \(ConnectionBook.mostWaiting) connections at once already: ask without `after`, or later.",
                retryAfter: .seconds(5))
        }
        guard let state else { throw .noConnection }
        return ConnectionReport(state)
    }

    // MARK: Pages

    /// `/connect/start/{page}`: opens once, gives the browser a cookie, and sends it to the provider.
    func startConnection(_ request: Request, _ page: String) async -> Response {
        guard request.method == .get else { return .notAllowed("GET") }
        guard let (id, subject) = connections.open(page) else { return MessagePage.spent.response(.gone) }
        guard let instance = snapshot().projects[subject.project]?.instance(subject.server) else {
            connections.end(id, .failed("\(subject.server) is not in \(subject.project) any more"))
            return MessagePage.spent.response(.gone)
        }
        do throws(ConnectFault) {
            return try await sendToProvider(request, instance, user: subject.user, tag: "command:\(id)")
        } catch {
            connections.end(id, .failed(error.operatorWords))
            return fail(error, at: instance.server)
        }
    }

    /// A redirect to the provider, with a cookie that the callback demands.
    ///
    /// - Parameter tag: what is to be known at the callback; see `ConnectErrand`.
    func sendToProvider(_ request: Request, _ instance: ServerInstance, user: UserEmail?, tag: String) async throws(ConnectFault) -> Response {
        // A browser that is on its way already goes on with the cookie it has: two servers may be connected side by side.
        let cookie = ConnectCookie(request) ?? ConnectCookie()
        let url = try await connector.begin(instance, user: user, session: cookie.digest, tag: tag)
        return .seeOther(url).setting(cookie.field)
    }

    /// `/connect/callback/{server}`.
    func finishConnection(_ request: Request, _ server: String) async -> Response {
        guard request.method == .get else { return .notAllowed("GET") }
        guard let cookie = ConnectCookie(request) else { return fail(.unknown, at: nil) }
        let answer = AuthorizationAnswer(request)
        let begun = Intent()
        do throws(Authorizations.Failed) {
            let outcome = try await connector.finish(answer, server: server, session: cookie.digest) { errand in
                if let why = await whyNot(errand, request) { return why }
                return await intend(errand, request, begun)
            }
            let intent = begun.number.withLock { $0 }
            switch outcome {
            case .again(let url):
                await drop(intent)
                return .seeOther(url)
            case .connected(let errand, _, let isReplacing) where errand.isOfPage:
                do { return try await returned(errand, isReplacing: isReplacing, request, intent: intent) } catch {
                    logger.error("\(errand.server) in \(errand.project) is connected, and that could not be told: \(error)")
                    return notice(.trouble)
                }
            case .connected(let errand, let scopes, let isReplacing):
                await note(errand, isReplacing: isReplacing, intent: intent)
                if let id = errand.command { connections.end(id, .connected(scopes: scopes)) }
                return MessagePage.connected(errand.plan.server.title, errand.user).response(.ok)
            }
        } catch {
            await drop(begun.number.withLock { $0 })
            if let id = error.errand?.command { connections.end(id, .failed(error.fault.operatorWords)) }
            var back: String?
            if let errand = error.errand, errand.isOfPage { back = try? await place(of: errand)?.base }
            return fail(error.fault, at: error.errand.flatMap { ServerName($0.plan.server.name) }.flatMap { snapshot().servers[$0] }, back: back)
        }
    }

    /// Why a person who comes back may not go on.
    private func whyNot(_ errand: ConnectErrand, _ request: Request) async -> String? {
        if errand.isOfPage { return await whyNot(page: errand, request) }
        guard let instance = snapshot().projects[errand.project]?.instance(errand.server), instance.server.oauth != nil else { return "\(errand.server) was taken away while you were signing in." }
        return nil
    }

    /// `/.well-known/oauth-client/{server}.json`.
    func clientDocument(_ request: Request, _ path: [String]) -> Response {
        guard request.method == .get || request.method == .head else { return .notAllowed("GET") }
        guard path.count == 2, path[0] == "oauth-client", path[1].hasSuffix(".json"), let name = ServerName(String(path[1].dropLast(5))),
            let document = connector.clientDocument(of: name)
        else { return .notFound }
        return Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "public, max-age=3600", .xContentTypeOptions: "nosniff"],
            body: .init(byteBuffer: ByteBuffer(bytes: document)))
    }

    func fail(_ fault: ConnectFault, at server: Server?, back: String? = nil) -> Response {
        let title = server.map { $0.title ?? $0.name.text }
        switch fault {
        case .provider(let words): logger.error("\(title ?? "a server") cannot be connected: \(words)")
        case .passing(let words): logger.warning("\(title ?? "a server") cannot be connected now: \(words)")
        case .mixedUp: logger.error("\(title ?? "a server"): an answer came in another provider's name; the person was not connected")
        case .unknown, .declined, .notAllowed: break
        }
        var page = MessagePage(fault, title ?? "the server")
        page.back = back
        return page.response(fault.status)
    }

    /// What is written down of who is back.
    private final class Intent: Sendable {
        let number = Mutex<Int64?>(nil)
    }

    /// Writes down that somebody who is back is about to be connected.
    /// - Returns: why he may not, where that cannot be written down.
    private func intend(_ errand: ConnectErrand, _ request: Request, _ begun: Intent) async -> String? {
        guard let instance = snapshot().projects[errand.project]?.instance(errand.server) else { return "\(errand.server) was taken away while you were signing in." }
        do {
            var (principal, link): (Principal?, LinkID?) = (errand.command.flatMap { connections.subject(of: $0)?.principal }, nil)
            if errand.isOfPage, case .known(let session, _) = try await visitor(request, at: .people) {
                principal = Principal(actor: .person(session.email), source: request.peer)
                link = try await place(of: errand)?.link.id
            }
            guard let principal else { return "It was begun too long ago." }
            let isReplacing = try await state.isRecorded(errand.reference)
            let intent = try await state.begin(depositEntry(at: instance, user: errand.user, by: principal, through: link, isReplacing: isReplacing))
            begun.number.withLock { $0 = intent }
            return nil
        } catch {
            logger.error("who comes back from a provider could not be written down: \(error)")
            return "Something on our side does not work just now."
        }
    }

    /// Nothing came of it.
    private func drop(_ intent: Int64?) async {
        guard let intent else { return }
        do { try await state.settle(intent, as: nil) } catch { logger.error("the end of a deposit could not be written down: \(error)") }
    }

    /// The audit and the log of what is connected; it is connected even where they fail.
    private func note(_ errand: ConnectErrand, isReplacing: Bool, intent: Int64?) async {
        guard let id = errand.command, let principal = connections.subject(of: id)?.principal, let intent,
            let instance = snapshot().projects[errand.project]?.instance(errand.server)
        else { return }
        do throws(APIFault) {
            try await deposited(at: instance, user: errand.user, by: principal, through: nil, isReplacing: isReplacing, intent: intent)
        } catch {
            logger.error("\(errand.server) in \(errand.project) is connected, and that is not in the audit: \(error.message)")
        }
    }
}

extension APIFault {
    static let noConnection = APIFault(.notFound, "no_connection", "There is no such connection, or it was too long ago.")
}

extension Portal {
    /// Without a final slash.
    var publicURL: String {
        let url = snapshot().portalURL
        return url.utf8.last == UInt8(ascii: "/") ? String(url.dropLast()) : url
    }
}

extension ConnectErrand {
    /// Begun by a person at his page, not by a command.
    var isOfPage: Bool { tag.hasPrefix("page:") }

    /// Of the command that began it.
    fileprivate var command: String? {
        tag.hasPrefix("command:") ? String(tag.dropFirst(8)) : nil
    }
}

extension ConnectFault {
    fileprivate var status: HTTPResponse.Status {
        switch self {
        case .unknown, .declined, .mixedUp: .badRequest
        case .notAllowed: .gone
        case .provider: .badGateway
        case .passing: .serviceUnavailable
        }
    }

    /// For whoever ran the command.
    fileprivate var operatorWords: String {
        switch self {
        case .unknown: "the browser that came back is not the one that was sent; run it again"
        case .declined(let error): "it was declined at the provider (\(error))"
        case .mixedUp: "the answer named another issuer than the one that was asked (RFC 9207); nothing was kept"
        case .notAllowed(let why): why
        case .provider(let words), .passing(let words): words
        }
    }
}

/// What the browser shows when it comes back from the provider. `__Host-`: from this host alone, over TLS, for every path.
struct ConnectCookie {
    private let token: ConnectToken

    static let name = "__Host-claviger-connect"

    init() {
        token = ConnectToken(random: SecureRandom.bytes(32))
    }

    /// Nil where the browser shows none, or something else.
    init?(_ request: Request) {
        var shown: [Substring] = []
        for field in request.headers[values: .cookie] { shown += field.split(separator: ";").map { pair in pair.drop { $0 == " " } } }
        guard let pair = shown.first(where: { $0.hasPrefix("\(ConnectCookie.name)=") }), let token = ConnectToken(pair.dropFirst(ConnectCookie.name.count + 1))
        else { return nil }
        self.token = token
    }

    var digest: Secret { Secret(copying: token.digest.bytes.span.raw) }

    /// Lax: it comes along when the provider sends the browser back.
    var field: String { "\(ConnectCookie.name)=\(token.text); Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=1200" }
}
