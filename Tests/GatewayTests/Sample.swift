// A gateway with two projects, servers of every kind, and the ways to ask it.

import Gateway
import HTTP1
import Kernel
import TLS
import Testing

enum Sample {
    static let secret = "Zm9vYmFyYmF6cXV4LTAxMjM0NTY3ODlfYWJjZGVmZ2g"
    static let otherSecret = "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXowMTIzNDU"
    static let key = "ck_7q2m4k.\(secret)"
    static let expiredKey = "ck_0ld0ne.\(secret)"
    static let everyonesKey = "ck_anyone1.\(otherSecret)"
    /// Of the navigator whose users come in tokens.
    static let tokenKey = "ck_token1.\(otherSecret)"
    static let rule = UserTokenRule(issuer: "https://login.example", audience: "claviger")
    static let wallClock: Int64 = 1_790_000_000

    static func template(_ text: String) -> Template {
        var parts: [Template.Part] = []
        var rest = Substring(text)
        while let open = rest.firstIndex(of: "{"), let close = rest.firstIndex(of: "}") {
            if open > rest.startIndex { parts.append(.literal(String(rest[..<open]))) }
            if let name = FieldName(String(rest[rest.index(after: open)..<close])) { parts.append(.field(name)) }
            rest = rest[rest.index(after: close)...]
        }
        if !rest.isEmpty { parts.append(.literal(String(rest))) }
        return Template(parts: parts)
    }

    /// - Parameter url: path and query, with placeholders.
    static func server(
        _ name: String, host: String = "up.example.com", port: UInt16 = 443, url: String = "/mcp", transport: Server.Transport = .http,
        injector: Injector = .none, pattern: String? = nil, oauth: OAuthSettings? = nil
    ) throws -> Server {
        let pieces = url.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = template(String(pieces[0]))
        var templates = [path]
        switch injector {
        case .header(let lines): templates = lines.map(\.value)
        case .query(let pairs): templates = pairs.map(\.value)
        case .path, .none: break
        }
        var fields: [Field] = []
        for part in templates.flatMap(\.parts) where oauth == nil {
            if case .field(let name) = part, !fields.contains(where: { $0.name == name }) { fields.append(Field(name: name, pattern: pattern)) }
        }
        let second = Duration.seconds(1)
        return Server(
            name: try #require(ServerName(name)), title: nil, origin: Origin(scheme: .https, host: host, port: port), path: path,
            query: pieces.count > 1 ? String(pieces[1]) : nil, transport: transport, injector: injector, fields: fields, oauth: oauth,
            tls: UpstreamTLS(),
            timeouts: UpstreamTimeouts(connect: second, response: second, body: second, streamIdle: second))
    }

    static func instance(_ server: Server, project: String = "acme", status: ServerInstance.Status = .active) throws -> ServerInstance {
        ServerInstance(project: try #require(ProjectName(project)), name: server.name, server: server, level: .user, status: status)
    }

    static func snapshot(hosts: [String] = [], origins: [String] = []) throws -> Snapshot {
        let acme = try #require(ProjectName("acme"))
        let servers = [
            try server("docs"),
            try server("crm", injector: .header([("Authorization", template("Bearer {token}"))])),
            try server("legacy", url: "/sse", transport: .sse),
            try server("secret-plans"), try server("resting"),
        ]
        let instances = try servers.map { try instance($0, status: $0.name.text == "resting" ? .paused : .active) }
        let denied = try #require(ServerName("secret-plans"))
        func navigator(_ name: String, _ users: UserPolicy, _ token: UserTokenRule? = nil) throws -> Navigator {
            Navigator(
                project: acme, name: try #require(NavigatorName(name)), users: users, token: token, deniedServers: [denied], rate: nil,
                reachable: NameTable(instances.filter { $0.name != denied }.map { ($0.name.text, $0) }))
        }
        let support = try navigator("support", .only(domains: ["acme.com"], emails: ["partner@other.org"]))
        let anyone = try navigator("anyone", .everyone)
        let proven = try navigator("proven", .only(domains: ["acme.com"], emails: []), rule)
        let hash = Digest256(hashing: Array(secret.utf8).span.raw)
        let otherHash = Digest256(hashing: Array(otherSecret.utf8).span.raw)
        var keys: [APIKeyID: KeyEntry] = [:]
        for (id, hash, expires, navigator) in [
            ("7q2m4k", hash, nil, support), ("0ld0ne", hash, wallClock, support), ("anyone1", otherHash, wallClock + 1, anyone),
            ("token1", otherHash, nil, proven),
        ] as [(String, Digest256, Int64?, Navigator)] {
            let id = try #require(APIKeyID(id))
            keys[id] = KeyEntry(id: id, sha256: hash, expires: expires, note: nil, navigator: navigator)
        }
        let project = Project(
            name: acme, title: nil, instances: NameTable(instances.map { ($0.name.text, $0) }),
            navigators: [support.name: support, anyone.name: anyone])
        return Snapshot(
            gateway: GatewaySettings(listen: [], publicURL: "http://gw", hosts: hosts, allowedOrigins: origins, workers: 1),
            secrets: .sealedFiles(directory: nil, key: nil), cache: CacheSettings(), portalURL: "http://gw", admin: AdminSettings(),
            log: LogSettings(), servers: Dictionary(uniqueKeysWithValues: servers.map { ($0.name, $0) }), projects: [acme: project], keys: keys,
            digest: hash)
    }

    static func values(_ texts: [String: String]) throws -> [FieldName: Secret] {
        var values: [FieldName: Secret] = [:]
        for (name, text) in texts { values[try #require(FieldName(name))] = Secret(copying: Array(text.utf8).span.raw) }
        return values
    }

    static let requestID = RequestID(random: (0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210))

    /// Lines as in a head, without line ends: the first is the request line.
    static func bytes(_ lines: [String]) -> [UInt8] {
        Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    /// The request head that an upstream gets, as text.
    static func upstream(
        _ lines: [String], to instance: ServerInstance, with credential: RenderedCredential? = nil, suffix: String? = nil,
        body: BodyLength? = nil
    ) throws -> String {
        let input = bytes(lines)
        var head = RequestHead()
        var scan = HeadScan()
        #expect(try head.parse(input.span.raw, scan: &scan, limits: HeadLimits()))
        var range: ByteRange?
        if let suffix {
            let lower = Int(head.path.upper) - suffix.utf8.count
            range = ByteRange(lower, Int(head.path.upper))
        }
        let out = ByteBuffer(capacity: 64)
        try UpstreamHead.write(
            head, input.span.raw, to: instance, suffix: range, with: credential, body: body ?? head.body, requestID: requestID, into: out)
        return String(decoding: out.bytes.copied(), as: UTF8.self)
    }

    /// The response head that an agent gets, as text.
    static func downstream(
        _ lines: [String], from instance: ServerInstance, redacting credential: RenderedCredential? = nil, method: Method = .post,
        body: BodyLength? = nil, keepAlive: Bool = true, allowedOrigin: String? = nil
    ) throws -> String {
        let input = bytes(lines)
        var head = ResponseHead()
        var scan = HeadScan()
        #expect(try head.parse(input.span.raw, scan: &scan, limits: HeadLimits(), answering: method))
        let out = ByteBuffer(capacity: 64)
        DownstreamHead.write(
            head, input.span.raw, from: instance, redacting: credential, body: body ?? head.body, keepAlive: keepAlive, requestID: requestID,
            allowedOrigin: allowedOrigin, into: out)
        return String(decoding: out.bytes.copied(), as: UTF8.self)
    }

    /// The lines of a head, the first included, the empty one not.
    static func lines(_ head: String) -> [String] {
        #expect(head.hasSuffix("\r\n\r\n"))
        return head.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
        }.filter { !$0.isEmpty }
    }
}
