// The administration API: JSON, the usual verbs. The commands are its first users.

internal import Credentials
internal import Gateway
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import Telemetry

extension Portal {
    /// - Parameters:
    ///   - path: behind `/api/`, by its slashes.
    ///   - uid: whose change it is, for the log.
    func api(_ request: Request, _ path: [String], uid: String) async -> Response {
        guard path.first == "v1" else { return .notFound }
        switch path.count {
        case 2 where path[1] == "status":
            guard request.method == .get else { return .notAllowed("GET") }
            return .json(.ok, await status())
        case 2 where path[1] == "credentials":
            guard request.method == .get else { return .notAllowed("GET") }
            return references()
        case 3 where path[1] == "credentials" && path[2] == "export":
            guard request.method == .post else { return .notAllowed("POST") }
            return await export(request, uid: uid)
        case 3 where path[1] == "credentials" && path[2] == "import":
            guard request.method == .post else { return .notAllowed("POST") }
            return await takeIn(request, uid: uid)
        case 4 where path[1] == "projects" && path[3] == "credentials":
            guard request.method == .get else { return .notAllowed("GET") }
            return await list(path[2])
        case 5 where path[1] == "projects" && path[3] == "credentials":
            return await change(request, project: path[2], server: path[4], uid: uid)
        default: return .notFound
        }
    }

    private func list(_ name: String) async -> Response {
        do throws(APIFault) {
            let project = try project(name)
            do throws(DepositFault) {
                return .json(.ok, CredentialList(credentials: try await desk.list(project.name)))
            } catch {
                throw APIFault(error)
            }
        } catch {
            return error.response
        }
    }

    private func change(_ request: Request, project: String, server: String, uid: String) async -> Response {
        do throws(APIFault) {
            let instance = try instance(server, in: try self.project(project))
            let user = try user(request, at: instance)
            switch request.method {
            case .get:
                return .json(.ok, CredentialForm(instance))
            case .put, .post:
                try await deposit(try await secrets(request, limit: 256 << 10), at: instance, user: user)
                record("credential set", instance, user, uid)
                return Response(status: .noContent)
            case .delete:
                let existed = try await delete(at: instance, user: user)
                guard existed else { throw APIFault(.notFound, "no_credential", "There is no such credential.") }
                record("credential deleted", instance, user, uid)
                return Response(status: .noContent)
            default:
                return .notAllowed("GET, PUT, POST, DELETE")
            }
        } catch {
            return error.response
        }
    }

    private func deposit(_ values: [FieldName: Secret], at instance: ServerInstance, user: UserEmail?) async throws(APIFault) {
        do throws(DepositFault) { try await desk.deposit(values, at: instance, user: user) } catch { throw APIFault(error) }
    }

    private func delete(at instance: ServerInstance, user: UserEmail?) async throws(APIFault) -> Bool {
        do throws(DepositFault) { return try await desk.delete(at: instance, user: user) } catch { throw APIFault(error) }
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

    private func project(_ name: String) throws(APIFault) -> Project {
        guard let name = ProjectName(name), let project = snapshot().projects[name] else {
            throw APIFault(.notFound, "unknown_project", "There is no such project; `claviger status` names them.")
        }
        return project
    }

    private func instance(_ name: String, in project: Project) throws(APIFault) -> ServerInstance {
        guard let instance = project.instances.values.first(where: { $0.name.text == name }) else {
            throw APIFault(.notFound, "unknown_server", "Project \(project.name) has no such server; `claviger status` names them.")
        }
        return instance
    }

    private func user(_ request: Request, at instance: ServerInstance) throws(APIFault) -> UserEmail? {
        guard let text = request.uri.queryParameters["user"] else { return nil }
        guard let user = UserEmail(String(text)) else { throw APIFault(.badRequest, "bad_email", "The user is not an email address.") }
        guard instance.level == .user else {
            throw APIFault(.badRequest, "no_user", "\(instance.name) is of project level: it has one credential for everybody, name no user.")
        }
        return user
    }

    private func record(_ change: String, _ instance: ServerInstance, _ user: UserEmail?, _ uid: String) {
        var fields: Logger.Metadata = ["project": "\(instance.project)", "server": "\(instance.name)", "uid": "\(uid)"]
        if let label = user.flatMap(label.text) { fields["user"] = "\(label)" }
        logger.notice("\(change)", metadata: fields)
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
        if let retryAfter { response.headers[.retryAfter] = "\(RefusalAnswer.wholeSeconds(retryAfter))" }
        return response
    }
}
