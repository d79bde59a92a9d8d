// `claviger check --online`, as far as servers go that use OAuth: what was found for each, and what is missing.

internal import EventLoop
internal import Gateway
internal import Kernel
internal import OAuth
internal import Outbound
internal import Proxy

extension Check {
    /// How many servers are asked at a time.
    private static let atOnce = 8

    /// Servers that use OAuth, in the order of their names.
    static func oauthServers(of snapshot: Snapshot) -> [Server] {
        snapshot.servers.values.filter { $0.oauth != nil }.sorted { $0.name < $1.name }
    }

    /// Asks every server that uses OAuth, and its issuer, and prints what they say.
    /// - Throws: 1 where tokens could not be had for one.
    static func askOAuth(_ snapshot: Snapshot) async throws {
        let servers = oauthServers(of: snapshot)
        guard !servers.isEmpty else { return }
        let client = OutboundClient(on: try .started(name: "outbound"), agent: "claviger/\(Version.text)")
        let resolver = Resolver()
        let fetcher = DocumentFetcher(
            client: client,
            resolve: { host, port async throws(ResolveFault) in
                try await resolver.addresses(of: host, port: port, until: .now().advanced(by: .seconds(5)))
            }, rule: AddressRule(allowed: snapshot.gateway.outboundAllow, trusted: OpenedOAuth.named(in: snapshot)))
        let surveyor = Surveyor(Discovery(fetcher), client: client)
        var incomplete: [String] = []
        for start in stride(from: 0, to: servers.count, by: atOnce) {
            let some = Array(servers[start..<min(start + atOnce, servers.count)])
            let surveys = await withTaskGroup(of: (Int, Survey?).self) { group in
                for (at, server) in some.enumerated() { group.addTask { (at, await survey(server, snapshot, surveyor)) } }
                return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            for (at, server) in some.enumerated() {
                for line in lines(surveys[at], of: server) { print(line) }
                if surveys[at]?.missing.isEmpty != true { incomplete.append(server.name.text) }
            }
        }
        await client.close()
        guard incomplete.isEmpty else { throw CommandFault.failed(verdict(incomplete, of: servers.count)) }
    }

    /// Nil where the server's URL is none that tokens may be sent to; the configuration's check refuses such.
    private static func survey(_ server: Server, _ snapshot: Snapshot, _ surveyor: Surveyor) async -> Survey? {
        guard let settings = server.oauth, let known = try? OAuthServer(server, settings) else { return nil }
        let portal = snapshot.portalURL.hasSuffix("/") ? String(snapshot.portalURL.dropLast()) : snapshot.portalURL
        return await surveyor.survey(Survey.Subject(name: known.name, url: known.url, settings: settings, portal: portal), tls: known.tls)
    }

    /// One server's, each line with its place in the configuration in front.
    static func lines(_ survey: Survey?, of server: Server) -> [String] {
        guard let survey else { return ["servers.\(server.name): missing: a URL of https, or of http on this machine"] }
        return survey.lines.map { "servers.\(server.name): \($0)" } + survey.missing.map { "servers.\(server.name): missing: \($0)" }
    }

    static func verdict(_ incomplete: [String], of count: Int) -> String {
        "tokens cannot be had as it is for \(incomplete.joined(separator: ", ")): \(incomplete.count) of \(count) server\(count == 1 ? "" : "s") that use\(count == 1 ? "s" : "") OAuth"
    }
}
