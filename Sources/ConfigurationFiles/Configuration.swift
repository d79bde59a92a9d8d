// The way from conf.d to the snapshot in force: files, then sections, then checked settings; every problem of a run at once.

internal import FoundationEssentials
package import Gateway

package enum Configuration {
    package enum Purpose: Sendable {
        /// What only the daemon can know, systemd's credentials, is a warning.
        case check
        /// Everything must be there.
        case serve
    }

    package struct LoadResult: Sendable {
        /// Nil exactly when a problem is an error.
        package let snapshot: Snapshot?
        /// Sorted by file, line and column; errors and warnings.
        package let problems: [Problem]
    }

    /// Reads every `*.yaml` of `directory` in name order as one document.
    ///
    /// - Parameters:
    ///   - environment: where `${env:NAME}` and `$CREDENTIALS_DIRECTORY` are looked up.
    ///   - wallClock: seconds since 1970, to know expired keys by.
    ///   - former: the snapshot in force until now. What is written as before is taken from it, and so is what only a restart changes.
    /// - Returns: never fails: what is wrong is in `problems`.
    package static func load(
        directory: String, environment: [String: String], purpose: Purpose, wallClock: Int64 = Int64(Date().timeIntervalSince1970),
        after former: Snapshot? = nil
    ) -> LoadResult {
        let reading = Reading(environment: environment, purpose: purpose, wallClock: wallClock)
        let source = SourceDirectory(directory, reading)
        let sections = Sections(source.files, reading)
        let snapshot = snapshot(sections, source, reading, after: former)
        return LoadResult(snapshot: reading.hasErrors ? nil : snapshot, problems: reading.problems.sorted())
    }

    private static func snapshot(_ sections: Sections, _ source: SourceDirectory, _ reading: Reading, after former: Snapshot?) -> Snapshot {
        var gateway = GatewayReader(reading: reading).settings(sections["gateway"])
        if let former { gateway.workers = former.gateway.workers }
        let services = ServicesReader(reading: reading)
        let servers = servers(sections, gateway.timeouts, reading, after: former)
        let projects = projects(sections, servers, reading, after: former)
        let portalURL = services.portalURL(sections["portal"]) ?? gateway.publicURL
        let portal = services.portal(sections["portal"])
        let secrets = services.secrets(sections["secrets"])
        var log = services.log(sections["log"])
        if let former { log.format = former.log.format }
        warnOfPlainPortal(portalURL, portal, sections, servers, reading)
        warnOfClosedPortal(portalURL, portal, projects.byName, sections, reading)
        return Snapshot(
            gateway: gateway, secrets: former?.secrets ?? secrets, cache: services.cache(sections["cache"]),
            portalURL: portalURL, portal: portal,
            admin: services.admin(sections["admin"], listeners: gateway.listen), log: log,
            audit: services.audit(sections["audit"]), trace: TraceReader(reading: reading).settings(sections["trace"]),
            servers: servers, projects: projects.byName, keys: projects.keys, digest: source.digest,
            outline: OutlineReader(reading: reading).outline(source.files))
    }

    /// People come back to the portal with what their grant is had for.
    private static func warnOfPlainPortal(
        _ portal: String, _ settings: PortalSettings, _ sections: Sections, _ servers: [ServerName: Server], _ reading: Reading
    ) {
        guard let url = try? WebURL(portal), url.origin.scheme == .http, !url.host.isLoopback, let position = placeOfPortal(sections) else { return }
        if servers.values.contains(where: { $0.oauth.map { $0.grant != .clientCredentials } ?? false }) {
            reading.warning(position, "people who connect a server come back to `\(portal)` in plain text, with the code of their grant; set `portal.public_url` to an `https://` URL")
        }
        if settings.oidc != nil {
            reading.warning(position, "people who sign in come back to `\(portal)` in plain text, with the code that says who they are; set `portal.public_url` to an `https://` URL")
        }
    }

    /// Refusals send people to the portal, and whoever is not on this machine reads no codes in its log.
    private static func warnOfClosedPortal(
        _ url: String, _ portal: PortalSettings, _ projects: [ProjectName: Project], _ sections: Sections, _ reading: Reading
    ) {
        let isNeeded = projects.values.contains { $0.instances.values.contains(where: \.needsDeposit) }
        guard isNeeded, !portal.letsPeopleIn, let found = try? WebURL(url), !found.host.isLoopback, let position = placeOfPortal(sections) else { return }
        reading.warning(
            position,
            "nobody can sign in at `\(url)`, where people are sent to connect their accounts; name a mail server in `portal.sign_in.email_code`, or an identity provider in `portal.sign_in.oidc`")
    }

    /// Where it is said how people reach the portal.
    private static func placeOfPortal(_ sections: Sections) -> Position? {
        let key = [("portal", "public_url"), ("gateway", "public_url"), ("gateway", "listen")].first { sections[$0.0]?.has($0.1) == true }
        return key.flatMap { sections[$0.0]?.position(of: $0.1) }
    }

    private static func servers(_ sections: Sections, _ timeouts: Timeouts, _ reading: Reading, after former: Snapshot?) -> [ServerName: Server] {
        let reader = ServerReader(reading: reading, timeouts: timeouts, former: former?.servers ?? [:])
        var servers: [ServerName: Server] = [:]
        for entry in sections.servers {
            if let server = reader.server(entry) { servers[server.name] = server }
        }
        return servers
    }

    private static func projects(
        _ sections: Sections, _ servers: [ServerName: Server], _ reading: Reading, after former: Snapshot?
    ) -> (byName: [ProjectName: Project], keys: [APIKeyID: KeyEntry]) {
        let reader = ProjectReader(reading: reading, servers: servers, definedNames: Set(sections.servers.map(\.key)), former: former?.projects ?? [:])
        var projects: [ProjectName: Project] = [:]
        var keys: [APIKeyID: KeyEntry] = [:]
        var places: [APIKeyID: Position] = [:]
        for entry in sections.projects {
            guard let found = reader.project(entry) else { continue }
            projects[found.project.name] = found.project
            for (key, position) in found.keys {
                if let first = places[key.id] {
                    reading.error(position, "key `\(key.id)` stands in \(first.short), too; a key belongs to one navigator: make another with `claviger key new`")
                } else {
                    places[key.id] = position
                    keys[key.id] = key
                }
            }
        }
        return (projects, keys)
    }
}
