// A desk that remembers what it was given, and the small world its portal stands in.

import Credentials
import Gateway
import HTTPTypes
import Hummingbird
import Kernel
import Logging
import Metrics
import NIOCore
import Synchronization
import TLS
import Telemetry
import Testing

@testable import Portal

final class FakeDesk: CredentialDesk {
    struct Given: Equatable {
        var server: String
        var user: String?
        var fields: [String: String]
    }

    let given = Mutex<[Given]>([])
    let fault: DepositFault?

    init(fault: DepositFault? = nil) {
        self.fault = fault
    }

    func deposit(_ values: [FieldName: Secret], at instance: ServerInstance, user: UserEmail?) async throws(DepositFault) {
        if let fault { throw fault }
        let fields = values.map { ($0.text, String(decoding: $1.bytes.copied(), as: UTF8.self)) }
        given.withLock { $0.append(Given(server: instance.name.text, user: user?.text, fields: Dictionary(uniqueKeysWithValues: fields))) }
    }

    func delete(at instance: ServerInstance, user: UserEmail?) async throws(DepositFault) -> Bool {
        if let fault { throw fault }
        return given.withLock { given in
            let before = given.count
            given.removeAll { $0.server == instance.name.text && $0.user == user?.text }
            return given.count < before
        }
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
    let portal: Portal
    private let output: LogOutput
    private let logged: Logged

    private final class Logged: Sendable {
        let bytes = Mutex<[UInt8]>([])
    }

    init(_ desk: FakeDesk = FakeDesk()) throws {
        let snapshot = try World.snapshot()
        let logged = Logged()
        let output = LogOutput(format: .journal, metrics: SharedShard()) { span in
            let copy = span.copied()
            logged.bytes.withLock { $0 += copy }
        }
        let key = KeyedDigest(key: [UInt8](repeating: 1, count: 32).span.raw)
        portal = Portal(
            desk: desk, snapshot: { snapshot }, status: { World.report }, metrics: { "# TYPE x gauge\nx 1\n" },
            label: UserLabel(.hashed, key: key), logger: output.logger("portal", level: .info))
        (self.desk, self.output, self.logged) = (desk, output, logged)
    }

    /// What was logged so far.
    func log() -> String {
        output.end()
        return logged.bytes.withLock { String(decoding: $0, as: UTF8.self) }
    }

    func ask(_ method: HTTPRequest.Method, _ path: String, door: String?, body: String = "") async -> (status: Int, headers: HTTPFields, body: String) {
        var head = HTTPRequest(method: method, scheme: "http", authority: "localhost", path: path)
        if let door, let name = HTTPField.Name("x-claviger-door"), let uid = HTTPField.Name("x-claviger-uid") {
            head.headerFields[name] = door
            if door == "socket" { head.headerFields[uid] = "1000" }
        }
        let response = await portal.answer(Request(head: head, body: RequestBody(buffer: ByteBuffer(string: body))))
        let text = Collected.Text()
        try? await response.body.write(Collected(text: text))
        return (response.status.code, response.headers, text.value.withLock { $0 })
    }

    static let report = StatusReport(
        version: "1", process: 2, started: "2026-11-21T00:00:00Z", uptimeSeconds: 3, snapshot: "abc", workers: 1, listeners: [],
        connections: .init(downstream: 0, upstream: 0, upstreamIdle: 0, exchanges: 0, streams: 0),
        store: .init(kind: "sealed_files", reads: 0, writes: 0, failures: 0),
        cache: .init(entries: 0, capacity: 1, hits: 0, negativeHits: 0, stale: 0, misses: 0, refreshes: 0, failedRefreshes: 0),
        log: .init(written: 0, dropped: 0), servers: [])

    private static func snapshot() throws -> Snapshot {
        let project = try #require(ProjectName("acme"))
        let token = try #require(FieldName("token"))
        let server = Server(
            name: try #require(ServerName("crm")), title: nil, origin: Origin(scheme: .https, host: "crm.example.com", port: 443),
            path: Template(parts: [.literal("/mcp")]), query: nil, transport: .http,
            injector: .header([(name: "Authorization", value: Template(parts: [.literal("Bearer "), .field(token)]))]),
            fields: [Field(name: token, label: "Token")], tls: UpstreamTLS(),
            timeouts: UpstreamTimeouts(connect: .seconds(1), response: .seconds(1), body: .seconds(1), streamIdle: .seconds(1)))
        let user = ServerInstance(project: project, name: try #require(ServerName("crm")), server: server, level: .user, status: .active)
        let shared = ServerInstance(project: project, name: try #require(ServerName("shared")), server: server, level: .project, status: .active)
        let acme = Project(
            name: project, title: nil, instances: NameTable([(name: "crm", value: user), (name: "shared", value: shared)]), navigators: [:])
        return Snapshot(
            gateway: GatewaySettings(listen: [], publicURL: "http://localhost", workers: 1), secrets: .sealedFiles(directory: nil, key: nil),
            cache: CacheSettings(), portalURL: "http://localhost", admin: AdminSettings(), log: LogSettings(), servers: [server.name: server],
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
