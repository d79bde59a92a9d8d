// A snapshot in words, for expected.txt: all of it but secrets, sorted.

import ConfigurationFiles
import Gateway

func describe(_ snapshot: Snapshot) -> String {
    var lines = gatewayLines(snapshot)
    for server in snapshot.servers.values.sorted(by: { $0.name < $1.name }) { lines += serverLines(server) }
    for project in snapshot.projects.values.sorted(by: { $0.name < $1.name }) { lines += projectLines(project, snapshot) }
    return lines.map { "\($0)\n" }.joined()
}

private func gatewayLines(_ snapshot: Snapshot) -> [String] {
    let gateway = snapshot.gateway
    let limits = gateway.limits
    let times = gateway.timeouts
    var lines = ["listen \(gateway.listen.map(text).joined(separator: " ")), public \(gateway.publicURL), portal \(snapshot.portalURL), admin \(snapshot.admin.address.map(text) ?? "off")"]
    lines.append("hosts \(gateway.hosts), origins \(gateway.allowedOrigins), proxies \(gateway.trustedProxies.map { "\($0.bytes)/\($0.prefix)" })")
    if !gateway.outboundAllow.isEmpty { lines.append("outbound \(gateway.outboundAllow.map { "\($0.bytes)/\($0.prefix)" })") }
    lines.append(
        "limits connections \(limits.connections) line \(limits.line) head \(limits.head) headers \(limits.headers) body \(limits.body) "
            + "streams \(limits.streamsPerUser) per key \(text(limits.perKey)) per address \(limits.perAddress.map(String.init) ?? "off")")
    let waits = [times.head, times.idle, times.body, times.connect, times.response, times.streamIdle, times.drain]
    lines.append("timeouts \(waits.map(Quantity.text).joined(separator: " "))")
    switch snapshot.secrets {
    case .parameterStore(let store):
        lines.append(
            "parameter store \(store.region ?? "default") \(store.prefix) key \(store.kmsKey ?? "default") tier \(store.tier) reads \(text(store.reads)) "
                + "writes \(text(store.writes)) at \(store.endpoint ?? "default")")
    case .sealedFiles(let directory, let key): lines.append("sealed files \(directory ?? "default"), key \(key.map { "of \($0.count) bytes" } ?? "default")")
    }
    let spans = [snapshot.cache.ttl, snapshot.cache.refreshAhead, snapshot.cache.staleIfError, snapshot.cache.negativeTTL]
    lines.append("cache \(spans.map(Quantity.text).joined(separator: " ")) \(snapshot.cache.capacity)")
    lines.append("log \(snapshot.log.level) \(snapshot.log.format) access \(snapshot.log.access) user \(snapshot.log.user)")
    if let url = snapshot.admin.publicURL { lines.append("administration \(url)") }
    if let code = snapshot.portal.emailCode {
        lines.append(
            "mail \(code.host) \(code.port) \(code.encryption) as \(code.user ?? "-") password \(code.password.map { "of \($0.count) bytes" } ?? "-") "
                + "from \(code.senderName ?? "-") \(code.sender.text)")
    }
    if let oidc = snapshot.portal.oidc {
        lines.append("sign-in at \(oidc.issuer) as \(oidc.clientID) secret \(oidc.clientSecret.map { "of \($0.count) bytes" } ?? "-")")
    }
    lines.append("administrators \(snapshot.portal.admins.map(\.text)), audit kept \(Quantity.text(snapshot.audit.keep))")
    if let trace = snapshot.trace { lines.append("traces \(trace.otlp) \(trace.sample)") }
    return lines
}

private func serverLines(_ server: Server) -> [String] {
    var lines = ["server \(server.name) \(server.transport) \(server.origin) \(text(server.path)) ?\(server.query ?? "") title \(server.title ?? "-")"]
    if let description = server.description { lines.append("  description \(description)") }
    if let icon = server.icon { lines.append("  icon \(icon.form.mediaType), \(icon.bytes.count) bytes, \(icon.name)") }
    if !server.isProbed { lines.append("  not tried") }
    switch server.injector {
    case .none: lines.append("  none")
    case .path: lines.append("  path")
    case .header(let headers): lines += headers.map { "  header \($0.name): \(text($0.value))" }
    case .query(let pairs): lines += pairs.map { "  query \($0.name)=\(text($0.value))" }
    }
    if let oauth = server.oauth { lines += oauthLines(oauth) }
    lines += server.fields.map { "  field \($0.name) label \($0.label ?? "-") help \($0.help ?? "-") pattern \($0.pattern ?? "-")" }
    let times = server.timeouts
    lines.append("  timeouts \([times.connect, times.response, times.body, times.streamIdle].map(Quantity.text).joined(separator: " "))")
    if let name = server.tls.serverName { lines.append("  tls name \(name)") }
    return lines
}

private func oauthLines(_ oauth: OAuthSettings) -> [String] {
    var lines = ["  oauth \(oauth.grant.rawValue) issuer \(oauth.issuer ?? "-") authorization \(oauth.authorizationEndpoint ?? "-") token \(oauth.tokenEndpoint ?? "-") revocation \(oauth.revocation)"]
    lines.append(
        "  oauth client \(oauth.clientID ?? "-") by \(oauth.authentication.rawValue) secret \(oauth.clientSecret.map { "of \($0.count) bytes" } ?? "-") "
            + "key \(oauth.privateKey.map { "of \($0.count) bytes" } ?? "-") \(oauth.keyID ?? "-") for \(oauth.assertionAudience.rawValue)")
    lines.append("  oauth scopes \(oauth.scopes.map { "\($0)" } ?? "-") resource \(oauth.resource) pkce \(oauth.requiresProofKey)")
    if let exchange = oauth.exchange { lines.append("  oauth exchange \(exchange.parameters.map { "\($0.name)=\($0.value)" })") }
    return lines
}

private func projectLines(_ project: Project, _ snapshot: Snapshot) -> [String] {
    var lines = ["project \(project.name) title \(project.title ?? "-")"]
    lines.append("  administrators \(project.admins.map(\.text)), connects \(project.connect)")
    for instance in project.instances.values { lines.append("  server \(instance.name) is \(instance.server.name) \(instance.level) \(instance.status)") }
    for navigator in project.navigators.values.sorted(by: { $0.name < $1.name }) {
        let users =
            switch navigator.users {
            case .everyone: "everyone"
            case .only(let domains, let emails): "domains \(domains.sorted()) emails \(emails.sorted())"
            }
        lines.append("  navigator \(navigator.name) for \(users), rate \(text(navigator.rate)), denied \(navigator.deniedServers.sorted()), reaches \(navigator.reachable.values.map(\.name))")
        if let token = navigator.token { lines.append("    users by tokens of \(token.issuer) for \(token.audience), \(token.claim), keys \(token.keys)") }
        for key in snapshot.keys.values.filter({ $0.navigator === navigator }).sorted(by: { $0.id.description < $1.id.description }) {
            lines.append("    key \(key.id) expires \(key.expires.map(String.init) ?? "never") note \(key.note ?? "-")")
        }
    }
    return lines
}

private func text(_ address: ListenAddress) -> String {
    switch address {
    case .tcp(let host, let port): "\(host) \(port)"
    case .unix(let path): "unix \(path)"
    case .activated(let name): "systemd \(name)"
    }
}

private func text(_ template: Template) -> String {
    template.parts.map { part in
        switch part {
        case .literal(let text): text
        case .field(let name): "<\(name)>"
        }
    }.joined()
}

private func text(_ rate: Rate?) -> String { rate.map { "\($0.count) in \(Quantity.text($0.per))" } ?? "off" }
