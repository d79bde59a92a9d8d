// A desk that remembers what it was given, and the small world its portal stands in.

import Credentials
import Foundation
import Gateway
import HTTPTypes
import Hummingbird
import Kernel
import Logging
import Metrics
import NIOCore
import State
import Synchronization
import TLS
import Telemetry
import Testing

@testable import Portal

extension StateDatabase: PortalState {}

final class FakeDesk: CredentialDesk {
    struct Given: Equatable {
        var server: String
        var user: String?
        var fields: [String: String]
    }

    let given = Mutex<[Given]>([])
    let fault: DepositFault?
    /// Where deposits are recorded, as the broker does it.
    let ledger = Mutex<StateDatabase?>(nil)

    init(fault: DepositFault? = nil) {
        self.fault = fault
    }

    func deposit(_ values: [FieldName: Secret], at instance: ServerInstance, user: UserEmail?) async throws(DepositFault) {
        if let fault { throw fault }
        let fields = values.map { ($0.text, String(decoding: $1.bytes.copied(), as: UTF8.self)) }
        given.withLock { $0.append(Given(server: instance.name.text, user: user?.text, fields: Dictionary(uniqueKeysWithValues: fields))) }
        try await recording { try await $0.record(Deposit(at: instance, user: user, prefix: "", now: 1_000_000_000)) }
    }

    private func recording(_ body: (StateDatabase) async throws -> Void) async throws(DepositFault) {
        guard let state = ledger.withLock({ $0 }) else { return }
        do { try await body(state) } catch { throw .ledger("\(error)") }
    }

    func delete(at instance: ServerInstance, user: UserEmail?) async throws(DepositFault) -> Bool {
        if let fault { throw fault }
        guard instance.level == .project || user != nil else { throw .userNeeded }
        try await recording { try await $0.forget(Reference(instance, user: user)) }
        return given.withLock { given in
            let before = given.count
            given.removeAll { $0.server == instance.name.text && $0.user == user?.text }
            return given.count < before
        }
    }

    func delete(_ deposit: Deposit) async throws(DepositFault) -> Bool {
        if let fault { throw fault }
        try await recording { try await $0.forget(deposit.reference) }
        given.withLock { $0.removeAll { $0.server == deposit.server.text && $0.user == deposit.user?.text } }
        return true
    }

    func list(_ project: ProjectName) async throws(DepositFault) -> [CredentialEntry] {
        if let fault { throw fault }
        return given.withLock { given in
            given.map {
                CredentialEntry(server: $0.server, level: "user", user: $0.user, origin: "https://crm.example.com", deposited: nil, updated: nil)
            }
        }
    }
}

/// A portal over project `acme` with servers `crm` (user level) and `shared` (project level), and what it logged.
struct World {
    let desk: FakeDesk
    let connector = FakeConnector()
    let provider = FakeProvider()
    let portal: Portal
    let state: StateDatabase
    /// Set by the test; 1,000,000,000 at first.
    let time = Clock()
    private let output: LogOutput
    private let logged: Logged
    private let place: Place

    final class Clock: Sendable {
        let now = Mutex<Int64>(1_000_000_000)

        func advance(_ seconds: Int64) { now.withLock { $0 += seconds } }
    }

    /// The state's directory, which goes with the world.
    private final class Place: Sendable {
        let path = FileManager.default.temporaryDirectory.path + "/claviger-portal-" + SecureRandom.bytes(8).map { String($0, radix: 16) }.joined()

        init() throws { _ = try Directory(path, createdWith: 0o700) }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    private final class Logged: Sendable {
        let bytes = Mutex<[UInt8]>([])
    }

    /// - Parameters:
    ///   - admins: of every project.
    ///   - connect: the domains of the project's standing link.
    ///   - signing: whether the project has a server `hub` that is connected by signing in.
    ///   - hasProvider: whether people may sign in at an identity provider.
    init(
        _ desk: FakeDesk = FakeDesk(), admins: [String] = [], connect: [String] = [], signing: Bool = false, hasProvider: Bool = false, codes: CodeDelivery = .log
    ) throws {
        let snapshot = try World.snapshot(admins, connect, signing, hasProvider)
        let logged = Logged()
        let output = LogOutput(format: .prefixed, metrics: SharedShard()) { span, _ in
            let copy = span.copied()
            logged.bytes.withLock { $0 += copy }
            return 0
        }
        let key = KeyedDigest(key: [UInt8](repeating: 1, count: 32).span.raw)
        let place = try Place()
        let state = try StateDatabase(inState: place.path)
        desk.ledger.withLock { $0 = state }
        let audit = AuditLog(to: output, label: UserLabel(.hashed, key: key))
        state.tellAudit { audit.write($0) }
        self.state = state
        let time = time
        let pages = PageServices(connections: FakePages(desk: desk), trial: FakePages(desk: desk), codes: codes, provider: provider, random: { SecureRandom.bytes($0) })
        portal = Portal(
            desk: desk, connector: connector, state: state, pages: pages, snapshot: { snapshot }, status: { World.report }, reload: { World.reload(by: $0) },
            metrics: { "# TYPE x gauge\nx 1\n" },
            label: UserLabel(.hashed, key: key), logger: output.logger("portal", level: .info), wallClock: { time.now.withLock { $0 } },
            random: { SecureRandom.bytes($0) })
        self.place = place
        (self.desk, self.output, self.logged) = (desk, output, logged)
    }

    /// What was logged so far.
    func log() -> String {
        output.end()
        return logged.bytes.withLock { String(decoding: $0, as: UTF8.self) }
    }

    func ask(
        _ method: HTTPRequest.Method, _ path: String, door: String?, body: String = "", bearer: String? = nil, cookie: String? = nil, site: String? = nil
    ) async -> (status: Int, headers: HTTPFields, body: String) {
        var head = HTTPRequest(method: method, scheme: "http", authority: "localhost", path: path)
        if let door, let name = HTTPField.Name("x-claviger-door"), let uid = HTTPField.Name("x-claviger-uid") {
            head.headerFields[name] = door
            if door == "socket" { head.headerFields[uid] = "1000" }
        }
        if let peer = HTTPField.Name("x-claviger-peer") { head.headerFields[peer] = "192.0.2.7" }
        if let cookie { head.headerFields[.cookie] = cookie }
        if let site, let name = HTTPField.Name("sec-fetch-site") { head.headerFields[name] = site }
        if let bearer { head.headerFields[.authorization] = "Bearer \(bearer)" }
        let response = await portal.answer(Request(head: head, body: RequestBody(buffer: ByteBuffer(string: body))))
        let text = Collected.Text()
        try? await response.body.write(Collected(text: text))
        return (response.status.code, response.headers, text.value.withLock { $0 })
    }

    static func reload(by principal: Principal) -> ReloadReport {
        ReloadReport(result: .done, time: "2026-11-21T00:00:00Z", by: ["\(principal.actor)"], generation: 2, snapshot: "abd")
    }

    static let report = StatusReport(
        version: "1", process: 2, started: "2026-11-21T00:00:00Z", uptimeSeconds: 3, snapshot: "abc",
        configuration: .init(generation: 1, since: "2026-11-21T00:00:00Z"), workers: 1, listeners: [],
        connections: .init(downstream: 0, upstream: 0, upstreamIdle: 0, exchanges: 0, streams: 0),
        store: .init(kind: "sealed_files", reads: 0, writes: 0, failures: 0),
        cache: .init(entries: 0, capacity: 1, hits: 0, negativeHits: 0, stale: 0, misses: 0, refreshes: 0, failedRefreshes: 0),
        oauth: .init(grants: 0, unsaved: 0, obtained: 0, ended: 0, refused: 0, unanswered: 0),
        log: .init(written: 0, dropped: 0), servers: [])

    private static func snapshot(_ admins: [String], _ connect: [String], _ signing: Bool, _ hasProvider: Bool) throws -> Snapshot {
        var portal = PortalSettings()
        if hasProvider { portal.oidc = OIDCSettings(issuer: "https://login.example", clientID: "claviger", clientSecret: nil) }
        portal.admins = admins.compactMap { UserEmail($0) }
        let project = try #require(ProjectName("acme"))
        let token = try #require(FieldName("token"))
        let server = Server(
            name: try #require(ServerName("crm")), title: nil, origin: Origin(scheme: .https, host: "crm.example.com", port: 443),
            path: Template(parts: [.literal("/mcp")]), query: nil, transport: .http,
            injector: .header([(name: "Authorization", value: Template(parts: [.literal("Bearer "), .field(token)]))]),
            fields: [Field(name: token, label: "Token")], tls: UpstreamTLS(),
            timeouts: UpstreamTimeouts(connect: .seconds(1), response: .seconds(1), body: .seconds(1), streamIdle: .seconds(1)))
        let signed = Server(
            name: try #require(ServerName("hub")), title: "Hub <1>", origin: Origin(scheme: .https, host: "hub.example.com", port: 443),
            path: Template(parts: [.literal("/mcp")]), query: nil, transport: .http, injector: OAuthSettings.injector, fields: [], oauth: OAuthSettings(),
            tls: UpstreamTLS(), timeouts: UpstreamTimeouts(connect: .seconds(1), response: .seconds(1), body: .seconds(1), streamIdle: .seconds(1)))
        let hub = ServerInstance(project: project, name: try #require(ServerName("hub")), server: signed, level: .user, status: .active)
        let user = ServerInstance(project: project, name: try #require(ServerName("crm")), server: server, level: .user, status: .active)
        let shared = ServerInstance(project: project, name: try #require(ServerName("shared")), server: server, level: .project, status: .active)
        let acme = Project(
            name: project, title: nil, connect: connect.compactMap { EmailDomain($0) },
            instances: NameTable([(name: "crm", value: user), (name: "shared", value: shared)] + (signing ? [(name: "hub", value: hub)] : [])), navigators: [:])
        return Snapshot(
            gateway: GatewaySettings(listen: [], publicURL: "http://localhost", workers: 1), secrets: .sealedFiles(directory: nil, key: nil),
            cache: CacheSettings(), portalURL: "http://localhost", portal: portal, admin: AdminSettings(), log: LogSettings(), servers: [server.name: server, signed.name: signed],
            projects: [project: acme], keys: [:], digest: Digest256(words: (0, 0, 0, 0)))
    }
}

/// Gathers a response's body.
private struct Collected: ResponseBodyWriter {
    final class Text: Sendable {
        let value = Mutex("")
    }

    let text: Text

    mutating func write(_ buffer: ByteBuffer) async throws {
        text.value.withLock { $0 += String(buffer: buffer) }
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
