// `claviger check --online`, as far as signed tokens go: the provider that people sign in at, and who signs user tokens.

internal import EventLoop
internal import Gateway
internal import Kernel
internal import OAuth
internal import Outbound
internal import Proxy

extension Check {
    /// Navigators whose users come in tokens, in the order of their names, by their place in the configuration.
    static func tokenRules(of snapshot: Snapshot) -> [(place: String, rule: UserTokenRule)] {
        snapshot.projects.values.flatMap(\.navigators.values).compactMap { navigator in
            navigator.token.map { ("projects.\(navigator.project).navigators.\(navigator.name).users.token", $0) }
        }.sorted { $0.place < $1.place }
    }

    static func hasIssuers(_ snapshot: Snapshot) -> Bool { snapshot.portal.oidc != nil || !tokenRules(of: snapshot).isEmpty }

    /// Asks each issuer once, and prints what it says.
    /// - Throws: 1 where people could not sign in, or no token be verified.
    static func askIssuers(_ snapshot: Snapshot) async throws {
        guard hasIssuers(snapshot) else { return }
        let client = OutboundClient(on: try .started(name: "outbound"), agent: "claviger/\(Version.text)")
        let fetcher = KeyFetcher(client: client, resolve: OpenedTokens.resolve(by: Resolver()), allowed: { snapshot.gateway.outboundAllow })
        var incomplete: [String] = []
        func say(_ survey: IssuerSurvey, _ place: String) {
            for line in lines(survey, at: place) { print(line) }
            if !survey.missing.isEmpty { incomplete.append(place) }
        }
        if let settings = snapshot.portal.oidc {
            let portal = snapshot.portalURL.hasSuffix("/") ? String(snapshot.portalURL.dropLast()) : snapshot.portalURL
            say(await IssuerSurvey(of: settings, redirectURI: "\(portal)/connect/_sign-in/callback", by: fetcher), "portal.sign_in.oidc")
        }
        for (place, rule) in tokenRules(of: snapshot) { say(await IssuerSurvey(of: rule, by: fetcher), place) }
        await client.close()
        guard incomplete.isEmpty else { throw CommandFault.failed("nobody can be known as it is by \(incomplete.joined(separator: ", "))") }
    }

    /// Each with its place in the configuration in front.
    static func lines(_ survey: IssuerSurvey, at place: String) -> [String] {
        survey.lines.map { "\(place): \($0)" } + survey.missing.map { "\(place): missing: \($0)" }
    }
}
