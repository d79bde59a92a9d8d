// The gateway that the cases ask: one project with a server for each injector, one navigator with one key, and a warm cache.

internal import Credentials
internal import Gateway
internal import Kernel
internal import TLS

package struct Fixtures: Sendable {
    /// Seconds since 1970, as the daemon's clock gives them.
    static let wallClock: Int64 = 1_795_000_000
    static let requestID = RequestID(random: (0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210))

    let snapshot: Snapshot
    let none: ServerInstance
    let header: ServerInstance
    let path: ServerInstance
    let query: ServerInstance
    /// Of the old transport; without an injector.
    let stream: ServerInstance
    /// What the broker gave for `header`, for each of `users`.
    let cached: [CachedCredential]
    /// 256; the first is the one who asks in `Text.request`.
    let users: [UserEmail]
    /// At which `cached` is fresh.
    let now: MonotonicTime

    package init() async throws {
        func text(_ literals: String...) throws -> Template {
            // Every odd part is a field.
            Template(parts: try literals.enumerated().map { index, text in
                index % 2 == 0 ? .literal(text) : .field(try FieldName(text).orUnfit(text))
            })
        }
        let mcp = try text("/mcp")
        none = try Fixtures.instance("docs", path: mcp)
        header = try Fixtures.instance("crm", path: mcp, injector: .header([("Authorization", try text("Bearer ", "token"))]))
        path = try Fixtures.instance("maps", path: try text("/u/", "token", "/mcp"), injector: .path)
        query = try Fixtures.instance("search", path: mcp, injector: .query([("api_key", try text("", "token"))]))
        stream = try Fixtures.instance("legacy", path: try text("/sse"), transport: .sse)
        snapshot = try Fixtures.snapshot([none, header, path, query, stream])
        let users = try (0..<256).map { try UserEmail($0 == 0 ? Text.user : "user\($0)@acme.com").orUnfit("a user") }
        let desk = try Desk()
        var cached: [CachedCredential] = []
        for user in users { cached.append(try await desk.credential(at: header, for: user)) }
        desk.close()
        self.users = users
        self.cached = cached
        now = desk.now
    }

    /// `Text.token`, rendered for a server; nil for one without an injector.
    func credential(for instance: ServerInstance) throws -> RenderedCredential? {
        if case .none = instance.server.injector { return nil }
        let field = try FieldName("token").orUnfit("a field")
        return try RenderedCredential.render([field: Secret(copying: Text.token.utf8Span.span.raw)], for: instance.server)
    }

    private static func instance(
        _ name: String, path: Template, transport: Server.Transport = .http, injector: Injector = .none
    ) throws -> ServerInstance {
        let name = try ServerName(name).orUnfit(name)
        var fields: [Field] = []
        if case .none = injector {} else { fields = [Field(name: try FieldName("token").orUnfit("a field"))] }
        let second = Duration.seconds(1)
        let server = Server(
            name: name, title: nil, origin: Origin(scheme: .https, host: "\(name).example.com", port: 443), path: path, query: nil,
            transport: transport, injector: injector, fields: fields, tls: UpstreamTLS(),
            timeouts: UpstreamTimeouts(connect: second, response: second, body: second, streamIdle: second))
        return ServerInstance(
            project: try ProjectName("acme").orUnfit("a project"), name: name, server: server, level: .user, status: .active)
    }

    private static func snapshot(_ instances: [ServerInstance]) throws -> Snapshot {
        let acme = try ProjectName("acme").orUnfit("a project")
        let table = NameTable(instances.map { ($0.name.text, $0) })
        let navigator = Navigator(
            project: acme, name: try NavigatorName("support").orUnfit("a navigator"), users: .only(domains: ["acme.com"], emails: []),
            deniedServers: [], rate: nil, reachable: table)
        let digest = Digest256(hashing: Text.secret.utf8Span.span.raw)
        let id = try APIKeyID(Text.keyID).orUnfit("a key")
        return Snapshot(
            gateway: GatewaySettings(listen: [], publicURL: "https://\(Text.host)", hosts: [Text.host], workers: 1),
            secrets: .sealedFiles(directory: nil, key: nil), cache: CacheSettings(), portalURL: "https://\(Text.host)",
            admin: AdminSettings(), log: LogSettings(),
            servers: Dictionary(uniqueKeysWithValues: instances.map { ($0.server.name, $0.server) }),
            projects: [acme: Project(name: acme, title: nil, instances: table, navigators: [navigator.name: navigator])],
            keys: [id: KeyEntry(id: id, sha256: digest, expires: nil, note: nil, navigator: navigator)], digest: digest)
    }
}
