// Who reaches how much of the API over TCP: bearers of a token all of it, signed-in administrators what is of their projects.

internal import Gateway
internal import HTTPTypes
internal import Hummingbird

/// Who calls the API, and how far he reaches.
struct APICaller: Sendable {
    let principal: Principal
    /// Nil = every project, and what is the gateway's own.
    let projects: Set<ProjectName>?

    static func everywhere(_ principal: Principal) -> APICaller { APICaller(principal: principal, projects: nil) }
}

extension Portal {
    /// By what he shows: a bearer token, or the cookie of a sign-in at the administration's pages.
    ///
    /// - Throws: 401 where that is nothing; 403 where another site may have sent what he shows.
    func apiCaller(_ request: Request) async throws(APIFault) -> APICaller {
        if let principal = try await bearer(request.headers[.authorization], from: request.peer) { return .everywhere(principal) }
        guard case .known(let session, _) = try await asking({ try await visitor(request, at: .administration) }) else { throw .unauthenticated }
        let projects = administered(by: session.email)
        guard !projects.isEmpty else { throw .unauthenticated }
        // A cookie comes along whoever sends the request; a token does not.
        guard request.method == .get || request.method == .head || isSameSite(request) else {
            throw APIFault(.forbidden, "foreign", "With a sign-in's cookie, changes are taken from this address's own pages only; a bearer token needs none.")
        }
        let principal = Principal(actor: .person(session.email), source: request.peer)
        let isEverywhere = snapshot().portal.admins.contains(session.email)
        return APICaller(principal: principal, projects: isEverywhere ? nil : Set(projects.map(\.name)))
    }

    /// Whether the browser says so; one that says nothing is not believed.
    private func isSameSite(_ request: Request) -> Bool {
        if let site = request.headers[.fetchSite] { return site == "same-origin" }
        return request.headers[.origin] == adminURL
    }

    /// - Throws: for what is not of the caller's projects: as if it were not there, or that it is for others.
    func permit(_ route: APIRoute, _ call: APICall) async throws(APIFault) {
        guard let projects = call.projects else { return }
        if route.names.contains("project") {
            guard let name = ProjectName(call["project"]), projects.contains(name) else { throw .noProject }
            return
        }
        switch route.path {
        // They look at it themselves.
        case "/openapi.json", "/projects": return
        case "/audit":
            guard let name = call.query("project").flatMap({ ProjectName($0) }), projects.contains(name) else {
                throw APIFault(.forbidden, "not_yours", "Say of which project, one of yours: `project=NAME`.")
            }
        case _ where route.path.hasPrefix("/links/"):
            guard projects.contains(try await link(call["id"]).link.project) else { throw .noLink }
        case "/connections/{id}":
            guard let project = connections.subject(of: call["id"])?.project, projects.contains(project) else { throw .noConnection }
        default: throw APIFault(.forbidden, "not_yours", "This is for administrators of every project.")
        }
    }
}

extension APIFault {
    static let noProject = APIFault(.notFound, "unknown_project", "There is no such project; `claviger status` names them.")
}
