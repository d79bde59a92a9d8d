// The API's routes of the gateway itself: status, projects, tokens, sign-in links, the audit, and its own description.

internal import Gateway
internal import HTTPTypes
internal import Hummingbird
internal import Kernel
internal import NIOCore

extension APIRoute {
    static let administration: [APIRoute] = [
        APIRoute(.get, "/status", "What runs, since when, and how it does.", answer: .json(.ok, .object([]))) { portal, _ async throws(APIFault) in
            .json(.ok, await portal.status())
        },
        .reload,
        APIRoute(.get, "/openapi.json", "This description.", answer: .json(.ok, .object([]))) { _, _ async throws(APIFault) in
            .json(.ok, OpenAPI.document)
        },
        APIRoute(.get, "/projects", "The projects and their servers.", answer: .json(.ok, ProjectList.shape)) { portal, call async throws(APIFault) in
            let projects = portal.snapshot().projects.values.filter { call.projects?.contains($0.name) ?? true }
            return .json(.ok, ProjectList(projects: projects.sorted { $0.name < $1.name }.map { ProjectView($0) }))
        },
        APIRoute(.get, "/projects/{project}/navigators", "The navigators of a project and their keys, without the keys.", answer: .json(.ok, NavigatorList.shape)) {
            portal, call async throws(APIFault) in
            let project = try portal.project(call["project"])
            let uses = try await portal.asking { try await portal.state.keyUses(of: project.name) }
            return .json(.ok, NavigatorList(project, keys: portal.snapshot().keys.values.filter { $0.navigator.project == project.name }, uses: uses))
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
        return Response(
            status: .ok, headers: [.contentType: "application/vnd.sqlite3", .cacheControl: "no-store"],
            body: ResponseBody(contentLength: copy.size) { writer in
                var sent = 0
                while sent < copy.size {
                    let piece = try copy.read(min(1 << 18, copy.size - sent), at: sent)
                    guard !piece.isEmpty else { break }
                    try await writer.write(ByteBuffer(bytes: piece))
                    sent += piece.count
                }
                try await writer.finish(nil)
            })
    }
}

extension AuditQuery {
    fileprivate init(_ call: APICall) throws(APIFault) {
        self.init()
        project = try call.checked("project") { ProjectName($0) }
        user = try call.checked("user") { UserEmail($0) }
        action = try call.checked("action") { AuditAction(rawValue: $0) }
        server = try call.checked("server") { ServerName($0) }
        link = try call.checked("link") { LinkID($0) }
        since = try call.checked("since") { Timestamp.seconds($0) }
        until = try call.checked("until") { Timestamp.seconds($0) }
        before = try call.checked("before") { Int64($0) }
        limit = try call.limit() ?? 100
    }
}
