// The administration API: JSON, the usual verbs. The commands are its first users.

internal import Credentials
internal import Gateway
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

extension Portal {
    /// - Parameter path: behind `/api/`, by its slashes.
    func api(_ request: Request, _ path: [String], by caller: APICaller) async -> Response {
        var steps: [String] = []
        for step in path.dropFirst() {
            guard let decoded = PathText.decoded(step), !decoded.isEmpty else { return .notFound }
            steps.append(decoded)
        }
        guard path.first == "v1" else { return .notFound }
        let matching = APIRoute.all.compactMap { route in route.match(steps).map { (route: route, names: $0) } }
        guard !matching.isEmpty else { return .notFound }
        guard let (route, names) = matching.first(where: { $0.route.method == request.method }) else {
            return .notAllowed(matching.map(\.route.method.rawValue).joined(separator: ", "))
        }
        do throws(APIFault) {
            let call = APICall(request: request, names: names, principal: caller.principal, projects: caller.projects)
            try await permit(route, call)
            return try await route.run(self, call)
        } catch {
            return error.response
        }
    }

    func list(_ project: Project) async throws(APIFault) -> Response {
        do throws(DepositFault) {
            return .json(.ok, CredentialList(credentials: try await desk.list(project.name)))
        } catch {
            throw APIFault(error)
        }
    }

    /// The body's fields, a flat JSON object, none of whose values becomes a String; what was received is overwritten where it lay.
    func secrets(_ request: Request, limit: Int) async throws(APIFault) -> [FieldName: Secret] {
        guard var body = try? await request.body.collect(upTo: limit) else {
            throw APIFault(.contentTooLarge, "too_large", "The body has \(limit >> 10) KiB at most.")
        }
        defer { body.setRepeatingByte(0, count: body.readableBytes, at: body.readerIndex) }
        do throws(CredentialJSON.Malformed) {
            return try CredentialJSON.read(body.readableBytesSpan)
        } catch {
            throw APIFault(.badRequest, "bad_request", "The body is one flat JSON object of fields, each a string (byte \(error.offset)).")
        }
    }

    func project(_ name: String) throws(APIFault) -> Project {
        guard let name = ProjectName(name), let project = snapshot().projects[name] else {
            throw .noProject
        }
        return project
    }

    func instance(_ name: String, in project: Project) throws(APIFault) -> ServerInstance {
        guard let instance = ServerName(name).flatMap({ project.instance($0) }) else {
            throw APIFault(.notFound, "unknown_server", "Project \(project.name) has no such server; `claviger status` names them.")
        }
        return instance
    }

    /// Which credential a call is about.
    func subject(_ call: APICall) throws(APIFault) -> (ServerInstance, UserEmail?) {
        let instance = try instance(call["server"], in: try project(call["project"]))
        return (instance, try user(call, at: instance))
    }

    private func user(_ call: APICall, at instance: ServerInstance) throws(APIFault) -> UserEmail? {
        guard let text = call.query("user") else { return nil }
        guard let user = UserEmail(text) else { throw APIFault(.badRequest, "bad_email", "The user is not an email address.") }
        guard instance.level == .user else {
            throw APIFault(.badRequest, "no_user", "\(instance.name) is of project level: it has one credential for everybody, name no user.")
        }
        return user
    }
}

/// A no of the API's.
struct APIFault: Error {
    let status: HTTPResponse.Status
    let code: String
    let message: String
    /// When to ask again.
    let retryAfter: Duration?

    init(_ status: HTTPResponse.Status, _ code: String, _ message: String, retryAfter: Duration? = nil) {
        self.status = status
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }

    init(_ fault: DepositFault) {
        switch fault {
        case .noCredentialNeeded: self.init(.conflict, "not_needed", "This server takes no credential.")
        case .connectInstead: self.init(.conflict, "connect_instead", "This server is connected by signing in at its provider: use `claviger credential connect`, or its page.")
        case .userNeeded: self.init(.badRequest, "user_needed", "This server needs a credential for each user: say whose.")
        case .values: self.init(.unprocessableContent, "invalid_values", fault.description)
        case .store(let fault) where fault.kind == .rejected: self.init(.unprocessableContent, "store_rejected", fault.description)
        case .store(let cause):
            self.init(.serviceUnavailable, "store_unavailable", fault.description, retryAfter: cause.retryAfter ?? .seconds(2))
        case .ledger: self.init(.serviceUnavailable, "state_unavailable", fault.description)
        }
    }

    var response: Response {
        var response = Response.error(status, code, message)
        if status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer realm=\"claviger\"" }
        if let retryAfter { response.headers[.retryAfter] = "\(RefusalAnswer.wholeSeconds(retryAfter))" }
        return response
    }
}
