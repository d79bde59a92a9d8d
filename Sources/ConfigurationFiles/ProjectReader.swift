// One project under `projects:`: its servers and its navigators.

internal import Gateway

struct ProjectReader {
    let reading: Reading
    /// What the `servers` section defines.
    let servers: [ServerName: Server]
    /// Every name under `servers`, the wrong ones too: what is defined badly is not missing.
    let definedNames: Set<String>
    /// Those in force until now: an instance of the same server, level and status stays the same object.
    let former: [ProjectName: Project]

    struct Found {
        let project: Project
        let keys: [(entry: KeyEntry, position: Position)]
    }

    func project(_ entry: Tree.Entry) -> Found? {
        guard let name = ProjectName(entry.key) else {
            reading.error(entry.position, NameRule.sentence("a project", entry.key))
            return nil
        }
        guard let section = Section(entry.value, at: "projects.*", named: "projects.\(name)", reading) else { return nil }
        let written = section.names("servers") ?? []
        let instances = written.compactMap { instance($0, in: name) }
        checkSharedGrants(instances, written)
        if written.isEmpty {
            reading.warning(entry.position, "project `\(name)` has no servers; its agents reach nothing")
        }
        let navigatorReader = NavigatorReader(reading: reading, project: name, instances: instances, instanceNames: Set(written.map(\.key)))
        var navigators: [NavigatorName: Navigator] = [:]
        var keys: [(entry: KeyEntry, position: Position)] = []
        for written in section.names("navigators") ?? [] {
            guard let found = navigatorReader.navigator(written) else { continue }
            navigators[found.navigator.name] = found.navigator
            keys += found.keys
        }
        let project = Project(
            name: name, title: section.line("title")?.text, admins: AddressReader(reading: reading).emails(section, "admins") ?? [],
            connect: connect(section), instances: NameTable(instances.map { ($0.name.text, $0) }), navigators: navigators)
        return Found(project: project, keys: keys)
    }

    private func connect(_ section: Section) -> [EmailDomain] {
        guard let connect = section.section("connect") else { return [] }
        let domains = AddressReader(reading: reading).domains(connect, "domains")
        if domains == nil || connect.list("domains")?.isEmpty == true {
            reading.error(section.position(of: "connect"), "`connect` is for nobody; write `domains: [acme.com]`, or take it out")
        }
        return domains ?? []
    }

    private func instance(_ entry: Tree.Entry, in project: ProjectName) -> ServerInstance? {
        guard let name = ServerName(entry.key) else {
            reading.error(entry.position, NameRule.sentence("a server", entry.key))
            return nil
        }
        guard let section = Section(entry.value, at: "projects.*.servers.*", named: "projects.\(project).servers.\(name)", reading) else { return nil }
        let level = section.choice("level", ServerInstance.Level.self)
        let status = section.choice("status", ServerInstance.Status.self) ?? .active
        var definition = name.text
        var position = entry.position
        if section.has("server") {
            guard let scalar = section.line("server") else { return nil }
            (definition, position) = (scalar.text, scalar.position)
        }
        guard definedNames.contains(definition) else {
            reading.error(position, "no server \(definition.quoted) is defined under `servers`\(remedy(for: definition, among: definedNames))")
            return nil
        }
        guard let server = ServerName(definition).flatMap({ servers[$0] }) else { return nil }
        if case .none = server.injector, section.has("level") {
            reading.error(section.position(of: "level"), "`level` says whose credential, and `\(server.name)` has `auth: none`; take it out")
        }
        checkLevel(level ?? .user, of: server, section.has("level") ? section.position(of: "level") : entry.position)
        if let same = former[project]?.instance(name), same.server === server, same.level == level ?? .user, same.status == status { return same }
        return ServerInstance(project: project, name: name, server: server, level: level ?? .user, status: status)
    }

    /// Servers that exchange tokens at one issuer use one grant of each person, which is one client's: shown by another, its provider may end it.
    private func checkSharedGrants(_ instances: [ServerInstance], _ written: [Tree.Entry]) {
        var first: [String: (name: ServerName, client: String?)] = [:]
        for instance in instances {
            guard let oauth = instance.server.oauth, oauth.grant == .tokenExchange, let issuer = oauth.issuer ?? oauth.tokenEndpoint else { continue }
            let known = first[issuer] ?? (instance.name, oauth.clientID)
            first[issuer] = known
            guard known.client != oauth.clientID, let entry = written.first(where: { $0.key == instance.name.text }) else { continue }
            reading.error(
                entry.position,
                "`\(known.name)` and `\(instance.name)` exchange tokens of one grant at \(issuer.quoted), and have different clients there; give both servers the same `oauth.client_id`")
        }
    }

    /// A token is somebody's: the person's, or the gateway's own.
    private func checkLevel(_ level: ServerInstance.Level, of server: Server, _ position: Position) {
        switch (server.oauth?.grant, level) {
        case (.clientCredentials, .user):
            reading.error(position, "`\(server.name)` has `grant: client_credentials`, whose token is no person's; write `level: project`")
        case (.tokenExchange, .project):
            reading.error(position, "`\(server.name)` has `grant: token_exchange`, which exchanges a person's own grant; take `level: project` out")
        case (.clientCredentials, .project), (.tokenExchange, .user), (.authorizationCode, _), (nil, _): break
        }
    }
}
