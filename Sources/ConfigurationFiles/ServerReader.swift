// One server under `servers:`: where it is, and how a credential enters its requests.

internal import Gateway
internal import Kernel
internal import TLS

struct ServerReader {
    let reading: Reading
    let timeouts: Timeouts
    /// Those in force until now: one that is written as before stays the same object.
    let former: [ServerName: Server]

    private enum Auth: String { case header, path, query, oauth, none }

    /// Nil when anything of it is wrong; that is reported.
    func server(_ entry: Tree.Entry) -> Server? {
        guard let name = ServerName(entry.key) else {
            reading.error(entry.position, NameRule.sentence("a server", entry.key))
            return nil
        }
        guard let section = Section(entry.value, at: "servers.*", named: "servers.\(entry.key)", reading) else { return nil }
        for key in ["url", "auth"] where !section.has(key) {
            reading.error(entry.position, "server `\(name)` needs `\(key)`: \(section.declared(key).form.words)")
        }
        let auth = section.choice("auth", Auth.self)
        let address = section.line("url").flatMap { url($0, section) }
        let injector = auth.flatMap { auth in InjectorReader(reading: reading, section: section, name: name).read(auth.rawValue, path: address?.path, query: address?.url.query) }
        let fields = fields(section, injector?.fields)
        let oauth = OAuthReader(reading: reading, server: section).read(auth?.rawValue, url: address?.url)
        let tls = tls(section, address?.url)
        let transport = section.choice("transport", Server.Transport.self) ?? .http
        let title = section.line("title")?.text
        let description = section.line("description")?.text
        let icon = icon(section)
        let probe = section.flag("probe") ?? true
        let waits = upstreamTimeouts(section.section("timeouts"))
        guard let address, let injector, oauth != nil || auth != .oauth else { return nil }
        let stamp = stamp(entry)
        if let same = former[name], same.stamp == stamp { return same }
        return Server(
            name: name, title: title, origin: address.url.origin, path: address.path, query: address.url.query, transport: transport,
            injector: injector.injector, fields: fields, oauth: oauth, tls: tls, timeouts: waits, description: description, icon: icon, isProbed: probe,
            stamp: stamp)
    }

    /// Says all that the server is made of.
    private func stamp(_ entry: Tree.Entry) -> Digest256 {
        let inherited = "\(timeouts.connect) \(timeouts.response) \(timeouts.body) \(timeouts.streamIdle) "
        let bytes = Array(inherited.utf8) + OutlineReader(reading: reading).digest(of: entry.value).bytes
        return Digest256(hashing: bytes.span.raw)
    }

    // MARK: Icon

    private func icon(_ section: Section) -> Icon? {
        guard let scalar = section.path("icon") else { return nil }
        guard let bytes = reading.contents(scalar.text, atMost: Icon.limit) else {
            reading.error(
                scalar.position,
                "`icon`: \(scalar.text.quotedPath) cannot be read, or has more than \(Quantity.text(size: Icon.limit)); check who may read it, or make it smaller")
            return nil
        }
        guard let icon = Icon(bytes) else {
            reading.error(scalar.position, "`icon`: \(scalar.text.quotedPath) is no picture that browsers show; it must be a PNG, SVG, JPEG or WebP file")
            return nil
        }
        return icon
    }

    // MARK: URL

    private func url(_ scalar: Scalar, _ section: Section) -> (url: WebURL, path: Template)? {
        do {
            let url = try WebURL(scalar.text)
            guard plaintext(url, scalar, section), queryIsPlain(url, scalar), let path = path(url, scalar) else { return nil }
            return (url, path)
        } catch {
            // The credential of a careless URL (https://user:password@host) is not repeated.
            reading.error(scalar.position, "`url` \(error.words)")
            return nil
        }
    }

    private func plaintext(_ url: WebURL, _ scalar: Scalar, _ section: Section) -> Bool {
        let allowed = section.flag("plaintext")
        switch url.origin.scheme {
        case .https:
            guard allowed == true else { return true }
            reading.error(section.position(of: "plaintext"), "`plaintext: true` allows `http://`, and this URL is `https://`; take it out")
            return false
        case .http:
            guard allowed != true, !url.host.isLoopback else { return true }
            reading.error(scalar.position, "`http://` would carry credentials in the clear to \(url.host.text.quoted); write `https://`, or `plaintext: true` beside it if you must")
            return false
        }
    }

    private func queryIsPlain(_ url: WebURL, _ scalar: Scalar) -> Bool {
        guard let query = url.query else { return true }
        if query.utf8.contains(UInt8(ascii: "{")) || query.utf8.contains(UInt8(ascii: "}")) {
            reading.error(scalar.position, "a placeholder may not stand in the URL's query; write `auth: query` and `query: { NAME: \"{field}\" }`")
            return false
        }
        guard WebURL.isEncoded(query, WebURL.isQueryByte) else {
            reading.error(scalar.position, "`url` has a query with characters that must be percent-encoded")
            return false
        }
        for pair in query.split(separator: "&") {
            let name = String(decoding: WebURL.decoded(pair.prefix { $0 != "=" }), as: UTF8.self)
            guard PlainSecret.isSuspect(name), pair.utf8.contains(UInt8(ascii: "=")) else { continue }
            reading.warning(scalar.position, "`\(name)` in the URL looks like a secret in plain text; use `auth: query` and deposit it")
        }
        return true
    }

    private func path(_ url: WebURL, _ scalar: Scalar) -> Template? {
        let text = url.path.isEmpty ? "/" : url.path
        do {
            let template = try Template(reading: text)
            guard template.literals.allSatisfy({ WebURL.isEncoded($0, WebURL.isPathByte) }) else {
                reading.error(scalar.position, "`url` has a path with characters that must be percent-encoded")
                return nil
            }
            for segment in text.split(separator: "/", omittingEmptySubsequences: false) {
                let plain = String(decoding: WebURL.decoded(segment), as: UTF8.self)
                guard plain != ".", plain != ".." else {
                    reading.error(scalar.position, "`url` has a `.` or `..` for a path's step; write the path it leads to")
                    return nil
                }
            }
            return template
        } catch {
            reading.error(scalar.position, "`url` \(error.words)")
            return nil
        }
    }

    // MARK: Fields

    private func fields(_ section: Section, _ placeholders: [FieldName]?) -> [Field] {
        var described: [FieldName: Field] = [:]
        for entry in section.names("fields") ?? [] {
            guard let name = FieldName(entry.key) else {
                reading.error(entry.position, "a field's name takes a lower-case letter, then letters, digits and `_`, 32 in all, not \(entry.key.quoted)")
                continue
            }
            guard let field = Section(entry.value, at: "servers.*.fields.*", named: "\(section.name).fields.\(entry.key)", reading) else { continue }
            described[name] = Field(name: name, label: field.line("label")?.text, help: field.scalar("help")?.text, pattern: pattern(field))
            if let placeholders, !placeholders.contains(name) {
                reading.error(entry.position, "no placeholder `{\(name)}` is in this server\(remedy(for: name.text, among: placeholders.map(\.text)))")
            }
        }
        return (placeholders ?? []).map { described[$0] ?? Field(name: $0) }
    }

    private func pattern(_ section: Section) -> String? {
        guard let scalar = section.scalar("pattern") else { return nil }
        guard (try? Regex(scalar.text)) != nil else { return section.wrong("pattern", scalar) }
        return scalar.text
    }

    // MARK: TLS and timeouts

    private func tls(_ section: Section, _ url: WebURL?) -> UpstreamTLS {
        guard let tls = section.section("tls") else { return UpstreamTLS() }
        if let url, url.origin.scheme == .http {
            reading.error(section.position(of: "tls"), "`tls` has no meaning for an `http://` URL; take it out, or write `https://`")
        }
        var authorities: String?
        var digest: Digest256?
        if let scalar = tls.path("ca") {
            authorities = scalar.text
            if let bytes = reading.contents(scalar.text) {
                digest = reading.brought(by: scalar.text)
                if !String(decoding: bytes, as: UTF8.self).contains("-----BEGIN CERTIFICATE-----") {
                    reading.error(scalar.position, "`ca`: no certificate is in \(scalar.text.quoted); it must be a PEM file")
                }
            } else {
                reading.error(scalar.position, "`ca`: \(scalar.text.quoted) cannot be read; check that it exists and who may read it")
            }
        }
        var serverName: String?
        if let scalar = tls.line("server_name") {
            serverName = (try? Host(scalar.text))?.text ?? tls.wrong("server_name", scalar)
        }
        let certificate = CertificateReader(reading: reading).pair(tls, certificate: "client_certificate", key: "client_key")
        return UpstreamTLS(authorities: authorities, authoritiesDigest: digest, serverName: serverName, certificate: certificate?.files)
    }

    private func upstreamTimeouts(_ section: Section?) -> UpstreamTimeouts {
        UpstreamTimeouts(
            connect: section?.duration("connect") ?? timeouts.connect, response: section?.duration("response") ?? timeouts.response,
            body: section?.duration("body") ?? timeouts.body, streamIdle: section?.duration("stream_idle") ?? timeouts.streamIdle)
    }
}

/// The rule of the names that people choose.
enum NameRule {
    /// - Parameter what: with its article.
    static func sentence(_ what: String, _ name: String) -> String {
        "\(what)'s name takes lower-case letters, digits and inner hyphens, 63 in all, not \(name.quoted)"
    }
}

/// What, by its name, is likely to be a secret.
enum PlainSecret {
    static func isSuspect(_ name: String) -> Bool {
        let folded = name.lowercased().replacing("-", with: "_")
        return ["authorization", "cookie", "sig", "auth"].contains(folded)
            || ["key", "token", "secret", "password", "passwd", "credential"].contains { folded == $0 || folded.hasSuffix("_\($0)") || folded.hasSuffix("api\($0)") }
    }
}
