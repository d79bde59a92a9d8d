// The API's routes of a project's users.

internal import Gateway
internal import HTTPTypes
internal import Hummingbird

extension APIRoute {
    static let users: [APIRoute] = [
        APIRoute(
            .get, "/projects/{project}/users", "The users of a project by address, and how each stands with its servers.",
            query: [
                Query(name: "prefix", sentence: "Whose address begins so."), Query(name: "after", sentence: "Behind this address, which the last answer gave as `next`."),
                Query(name: "limit", sentence: "So many at most: 1 to 1,000, 1,000 unless said."),
            ], answer: .json(.ok, UserList.shape)
        ) { portal, call async throws(APIFault) in
            let project = try portal.project(call["project"])
            var query = UserQuery(project: project.name)
            query.prefix = UserQuery.folded(call.query("prefix") ?? "")
            query.after = try call.checked("after") { UserEmail($0) }
            query.limit = try call.limit() ?? 1000
            return .json(.ok, try await portal.users(query, of: project))
        },
        APIRoute(.get, "/projects/{project}/users/{email}", "One user.", answer: .json(.ok, UserView.shape)) { portal, call async throws(APIFault) in
            let (project, email) = (try portal.project(call["project"]), try address(call))
            let record = try await portal.asking { try await portal.state.user(email, of: project.name, at: portal.wallClock()) }
            guard let record else { throw .noUser }
            return .json(.ok, UserView(email, record, try await portal.connections(in: project, of: [email]).of(email, in: project)))
        },
        APIRoute(
            .post, "/projects/{project}/users/{email}/revoke", "Deletes what a user has deposited for some servers, or for all.", body: RevocationOrder.shape,
            answer: .json(.ok, RevocationView.shape)
        ) { portal, call async throws(APIFault) in
            let (project, email) = (try portal.project(call["project"]), try address(call))
            let order = try await call.body(RevocationOrder.self, of: RevocationOrder.shape)
            let revoked = try await portal.revoke(email, servers: order.servers, in: project, by: call.principal)
            return .json(.ok, RevocationView(revoked: revoked.map(\.text)))
        },
        APIRoute(
            .delete, "/projects/{project}/users/{email}", "Deletes a user: his credentials, what is known of him in the project, and where he is signed in.",
            answer: .nothing
        ) { portal, call async throws(APIFault) in
            try await portal.deleteUser(try address(call), in: try portal.project(call["project"]), by: call.principal)
            return Response(status: .noContent)
        },
    ]

    private static func address(_ call: APICall) throws(APIFault) -> UserEmail {
        guard let email = UserEmail(call["email"]) else { throw APIFault(.badRequest, "bad_email", "The user is not an email address.") }
        return email
    }
}

extension Portal {
    func users(_ query: UserQuery, of project: Project) async throws(APIFault) -> UserList {
        let now = wallClock()
        let records = try await asking { try await state.users(query, at: now) }
        let connections = try await connections(in: project, of: records.map(\.email))
        return UserList(
            users: records.map { UserView($0.email, $0, connections.of($0.email, in: project)) },
            next: records.count == query.limit ? records.last?.email.text : nil)
    }
}
