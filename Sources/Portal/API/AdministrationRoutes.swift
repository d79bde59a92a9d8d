// The API's routes of the gateway itself: status, projects, tokens, sign-in links, the audit, and its own description.

internal import FoundationEssentials
internal import Gateway
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore

extension APIRoute {
    static let administration: [APIRoute] = [
        APIRoute(.get, "/status", "What runs, since when, and how it does.", answer: .json(.ok, .object([]))) { portal, _ async throws(APIFault) in
            .json(.ok, await portal.status())
        },
        APIRoute(.get, "/openapi.json", "This description.", answer: .json(.ok, .object([]))) { _, _ async throws(APIFault) in
            .json(.ok, OpenAPI.document)
        },
        APIRoute(.get, "/projects", "The projects and their servers.", answer: .json(.ok, ProjectList.shape)) { portal, call async throws(APIFault) in
            let projects = portal.snapshot().projects.values.filter { call.projects?.contains($0.name) ?? true }
            return .json(.ok, ProjectList(projects: projects.sorted { $0.name < $1.name }.map { ProjectView($0) }))
        },
        APIRoute(.get, "/tokens", "The bearer tokens of this API, without the tokens.", answer: .json(.ok, TokenList.shape)) { portal, _ async throws(APIFault) in
            .json(.ok, TokenList(tokens: try await portal.asking { try await portal.state.tokens() }.map { TokenView($0) }))
        },
        APIRoute(.post, "/tokens", "Makes a bearer token; it is shown this once.", body: TokenOrder.shape, answer: .json(.created, TokenView.shape)) {
            portal, call async throws(APIFault) in
            let order = try await call.body(TokenOrder.self, of: TokenOrder.shape)
            let made = try await portal.createToken(note: order.note, expires: try time(order.expires), by: call.principal)
            return .json(.created, TokenView(made.record, token: made.token))
        },
        APIRoute(.delete, "/tokens/{id}", "Revokes a bearer token.", answer: .nothing) { portal, call async throws(APIFault) in
            try await portal.revokeToken(call["id"], by: call.principal)
            return Response(status: .noContent)
        },
        APIRoute(
            .post, "/sign-ins", "Makes a link that signs an administrator in, once.", body: SignInOrder.shape, answer: .json(.created, SignInView.shape)
        ) { portal, call async throws(APIFault) in
            let order = try await call.body(SignInOrder.self, of: SignInOrder.shape)
            return .json(.created, try await portal.createSignIn(order.email, by: call.principal))
        },
        APIRoute(.get, "/backup", "The database as it is now; no secret is in it.", answer: .bytes("application/vnd.sqlite3")) { portal, call async throws(APIFault) in
            try await portal.backup(by: call.principal)
        },
        APIRoute(
            .get, "/audit", "Who did what, for whom, when and from where; newest first.",
            query: [
                Query(name: "project", sentence: "Of this project."), Query(name: "user", sentence: "For this user."),
                Query(name: "action", sentence: "Of this kind."), Query(name: "server", sentence: "At this server."),
                Query(name: "link", sentence: "Through this link."), Query(name: "since", sentence: "Not older (RFC 3339)."),
                Query(name: "until", sentence: "Not newer (RFC 3339)."), Query(name: "before", sentence: "Before the row of this number."),
                Query(name: "limit", sentence: "So many at most: 1 to 1,000, 100 unless said."),
            ], answer: .json(.ok, AuditList.shape)
        ) { portal, call async throws(APIFault) in
            let query = try AuditQuery(call)
            return .json(.ok, AuditList(rows: try await portal.asking { try await portal.state.audit(query) }.map { AuditView($0) }))
        },
    ]
}

extension Portal {
    fileprivate func backup(by principal: Principal) async throws(APIFault) -> Response {
        // First, so that the copy tells of itself.
        try await asking { try await state.append(principal.entry(.backup, at: wallClock())) }
        let copy = try await asking { try await state.backup() }
        logger.notice("database copied", metadata: by(principal).merging(["bytes": "\(copy.count)"]) { $1 })
        return Response(
            status: .ok, headers: [.contentType: "application/vnd.sqlite3", .cacheControl: "no-store"],
            body: ResponseBody(contentLength: copy.count) { writer in
                var rest = copy[...]
                while !rest.isEmpty {
                    try await writer.write(ByteBuffer(bytes: rest.prefix(1 << 18)))
                    rest = rest.dropFirst(1 << 18)
                }
                try await writer.finish(nil)
            })
    }
}

extension AuditQuery {
    fileprivate init(_ call: APICall) throws(APIFault) {
        self.init()
        project = try AuditQuery.checked(call, "project") { ProjectName($0) }
        user = try AuditQuery.checked(call, "user") { UserEmail($0) }
        action = try AuditQuery.checked(call, "action") { AuditAction(rawValue: $0) }
        server = try AuditQuery.checked(call, "server") { ServerName($0) }
        link = try AuditQuery.checked(call, "link") { LinkID($0) }
        since = try AuditQuery.checked(call, "since") { Timestamp.seconds($0) }
        until = try AuditQuery.checked(call, "until") { Timestamp.seconds($0) }
        before = try AuditQuery.checked(call, "before") { Int64($0) }
        limit = try AuditQuery.checked(call, "limit") { Int($0).flatMap { 1...1000 ~= $0 ? $0 : nil } } ?? 100
    }

    private static func checked<Value>(_ call: APICall, _ name: String, _ read: (String) -> Value?) throws(APIFault) -> Value? {
        guard let text = call.query(name) else { return nil }
        guard let value = read(text) else { throw APIFault(.badRequest, "bad_query", "`\(name)` is not what it takes; /api/v1/openapi.json says what that is.") }
        return value
    }
}
