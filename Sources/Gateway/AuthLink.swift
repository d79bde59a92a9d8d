// A link by which people connect their accounts: for whom it is, until when, and which servers it offers. The token is not in it.

internal import Kernel

/// Immutable: what it is now, the store says (`LinkStore`).
package struct AuthLink: Hashable, Sendable {
    /// Nil for a project's standing link, which is configuration and not stored.
    package let id: LinkID?
    package let project: ProjectName
    /// As they were chosen; what of them is offered now, `offered(in:)` says.
    package let servers: LinkServers
    package let restriction: LinkRestriction
    /// Seconds since 1970, as all times here. Nil for a standing link.
    package let created: Int64?
    /// Nil = never.
    package let expires: Int64?
    /// When its person was done with it; only ever of a link of project type.
    package let spent: Int64?
    package let deleted: Int64?

    package init(
        id: LinkID?, project: ProjectName, servers: LinkServers, restriction: LinkRestriction, created: Int64?, expires: Int64?,
        spent: Int64? = nil, deleted: Int64? = nil
    ) {
        self.id = id
        self.project = project
        self.servers = servers
        self.restriction = restriction
        self.created = created
        self.expires = expires
        self.spent = spent
        self.deleted = deleted
    }

    /// The standing user link of `projects.*.connect`; nil where there is none.
    package init?(standingFor project: Project) {
        guard !project.connect.isEmpty else { return nil }
        self.init(
            id: nil, project: project.name, servers: .everyOne, restriction: .domains(project.connect), created: nil, expires: nil)
    }

    /// Whose credentials it is for, which its restriction decides.
    package var level: ServerInstance.Level { restriction.level }

    package enum State: String, Sendable, CaseIterable { case active, expired, spent, deleted }

    /// - Parameter now: seconds since 1970; a link is good until the second before `expires`.
    package func state(at now: Int64) -> State {
        if deleted != nil { return .deleted }
        if spent != nil { return .spent }
        if let expires, expires <= now { return .expired }
        return .active
    }

    /// May this person use it? Says nothing about its state.
    package func admits(_ email: UserEmail) -> Bool {
        switch restriction {
        case .domains(let domains): domains.contains { $0.contains(email) }
        case .email(let only): only == email
        }
    }

    /// The instances a person connects through it now, in the order they were chosen: those of its project that still have its level, are
    /// active, and need a credential. One that was removed, paused or moved to the other level since is not among them.
    package func offered(in snapshot: Snapshot) -> [ServerInstance] {
        guard let project = snapshot.projects[project] else { return [] }
        switch servers {
        case .everyOne: return project.instances.values.filter { isOffered($0) }
        case .these(let names): return names.compactMap { name in project.instance(name) }.filter { isOffered($0) }
        }
    }

    private func isOffered(_ instance: ServerInstance) -> Bool {
        instance.level == level && instance.status == .active && instance.needsDeposit
    }
}

/// Which servers of its project a link was made for.
package enum LinkServers: Hashable, Sendable {
    /// Whatever the project has.
    case everyOne
    /// Without repetition; at least one.
    case these([ServerName])
}

/// Who may use a link. User links are for a domain's people, project links for one person.
package enum LinkRestriction: Hashable, Sendable {
    case domains([EmailDomain])
    case email(UserEmail)

    /// The level of the credentials that a link so restricted is for.
    package var level: ServerInstance.Level {
        switch self {
        case .domains: .user
        case .email: .project
        }
    }
}

/// Why a link for these servers cannot be made: each named once, with what keeps it out.
package struct UnfitServers: Error, Hashable, Sendable {
    package enum Reason: Hashable, Sendable { case unknown, otherLevel(ServerInstance.Level), paused, needsNone }

    package struct Unfit: Hashable, Sendable {
        package let name: String
        package let reason: Reason
    }

    /// The link's.
    package let level: ServerInstance.Level
    package let servers: [Unfit]
}

extension LinkServers {
    /// The servers of a link that is to be made or edited, checked against the project as it is.
    ///
    /// - Parameter names: as they were given; repetitions do not count.
    /// - Throws: all that do not fit: unknown, paused, of the other level, or in need of no credential.
    package init(_ names: [String], of level: ServerInstance.Level, in project: Project) throws(UnfitServers) {
        var fit: [ServerName] = []
        var unfit: [UnfitServers.Unfit] = []
        for name in names where !fit.contains(where: { $0.text == name }) && !unfit.contains(where: { $0.name == name }) {
            guard let instance = ServerName(name).flatMap({ project.instance($0) }) else {
                unfit.append(.init(name: name, reason: .unknown))
                continue
            }
            if !instance.needsDeposit {
                unfit.append(.init(name: name, reason: .needsNone))
            } else if instance.level != level {
                unfit.append(.init(name: name, reason: .otherLevel(instance.level)))
            } else if instance.status == .paused {
                unfit.append(.init(name: name, reason: .paused))
            } else {
                fit.append(instance.name)
            }
        }
        guard unfit.isEmpty else { throw UnfitServers(level: level, servers: unfit) }
        self = .these(fit)
    }
}

extension Project {
    package func instance(_ name: ServerName) -> ServerInstance? {
        instances[name.text.utf8Span.span.raw]
    }
}

extension ServerInstance {
    /// Whether somebody has to give it something before it can be used: none where nothing is injected, nor where the gateway asks for
    /// tokens in its own name.
    package var needsDeposit: Bool {
        if case .none = server.injector { return false }
        return server.oauth?.grant != .clientCredentials
    }
}
