// How a credential enters a server's requests: headers, path, query, or not at all; placeholders stand where `auth` says.

internal import Gateway

struct InjectorReader {
    let reading: Reading
    let section: Section
    let name: ServerName

    typealias Found = (injector: Injector, fields: [FieldName])

    /// - Parameters:
    ///   - auth: `header`, `path`, `query`, `oauth` or `none`.
    ///   - path: the URL's, nil when it is wrong.
    ///   - query: the URL's own.
    /// - Returns: nil when anything is wrong; that is reported.
    func read(_ auth: String, path: Template?, query: String?) -> Found? {
        var isSound = true
        for (key, wanted) in [("headers", "header"), ("query", "query")] where section.has(key) && auth != wanted {
            reading.error(section.position(of: key), "`\(key)` needs `auth: \(wanted)`; this server has `auth: \(auth)`")
            isSound = false
        }
        let inPath = path?.fields ?? []
        if auth != "path", let field = inPath.first {
            reading.error(section.position(of: "url"), "the placeholder `{\(field)}` in the URL's path needs `auth: path`; this server has `auth: \(auth)`")
            isSound = false
        }
        let found: Found?
        switch auth {
        case "header": found = headers()
        case "query": found = parameters(besides: query)
        case "path":
            if path != nil, inPath.isEmpty {
                reading.error(section.position(of: "url"), "`auth: path` needs a placeholder in the URL's path, as in `https://mcp.example.com/{key}/mcp`")
                return nil
            }
            found = (.path, inPath)
        case "oauth": found = (OAuthSettings.injector, [])
        default: found = (.none, [])
        }
        return isSound ? found : nil
    }

    // MARK: Headers

    private func headers() -> Found? {
        guard let entries = entries("headers", "Authorization: \"Bearer {token}\"") else { return nil }
        var templates: [(name: String, value: Template)] = []
        var taken: [String: Position] = [:]
        for entry in entries {
            if let fault = HeaderRule.fault(entry.key) {
                reading.error(entry.position, fault)
                continue
            }
            let folded = entry.key.lowercased().replacing("_", with: "-")
            if let first = taken.updateValue(entry.position, forKey: folded) {
                reading.error(entry.position, "the header \(entry.key.quoted) is already set at line \(first.line): case does not count, and `_` is like `-`; keep one")
            }
            guard let value = template(entry, "headers") else { continue }
            templates.append((entry.key, value))
        }
        return finished(templates, of: entries.count, "headers").map { (.header(templates), $0) }
    }

    // MARK: Query

    private func parameters(besides query: String?) -> Found? {
        guard let entries = entries("query", "api_key: \"{key}\"") else { return nil }
        let own = Set((query ?? "").split(separator: "&").map { WebURL.decoded($0.prefix { $0 != "=" }) })
        var templates: [(name: String, value: Template)] = []
        for entry in entries {
            guard !entry.key.isEmpty, entry.key.utf8.count <= 128, entry.key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && !"&=#%+{}".utf8.contains($0) }) else {
                reading.error(entry.position, "a parameter's name takes printable ASCII without blanks and `& = # % + { }`, not \(entry.key.quoted)")
                continue
            }
            if own.contains(Array(entry.key.utf8)) {
                reading.error(entry.position, "\(entry.key.quoted) is in the URL's own query, too; take it out of one of them")
            }
            guard let value = template(entry, "query") else { continue }
            templates.append((entry.key, value))
        }
        return finished(templates, of: entries.count, "query").map { (.query(templates), $0) }
    }

    // MARK: Both

    private func entries(_ key: String, _ example: String) -> [Tree.Entry]? {
        guard section.has(key) else {
            reading.error(section.position(of: "auth"), "`auth` needs `\(key)`, as in `\(key): { \(example) }`")
            return nil
        }
        guard let entries = section.names(key) else { return nil }
        guard !entries.isEmpty else {
            reading.error(section.position(of: key), "`\(key)` is empty; write what is set, as in `\(key): { \(example) }`")
            return nil
        }
        return entries
    }

    private func template(_ entry: Tree.Entry, _ key: String) -> Template? {
        if case .scalar(let text, _) = entry.value.content, text.hasPrefix("${credential:") {
            reading.error(entry.value.position, "a secret enters a request as a field: write `{field}` here and deposit it with `claviger credential set`")
            return nil
        }
        let words = Setting.declared("servers.*.\(key).*").form.words
        guard let scalar = reading.scalar(entry.value, entry.key, words) else { return nil }
        do {
            let template = try Template(reading: scalar.text)
            guard template.literals.allSatisfy({ $0.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f } }) else {
                reading.error(scalar.position, "`\(entry.key)` must be printable ASCII")
                return nil
            }
            guard scalar.text.first != " ", scalar.text.last != " ", !scalar.text.isEmpty else {
                reading.error(scalar.position, "`\(entry.key)` must be \(scalar.text.isEmpty ? "one line of text, not nothing" : "without blanks around it")")
                return nil
            }
            if template.fields.isEmpty, scalar.isLiteral, PlainSecret.isSuspect(entry.key) {
                reading.warning(scalar.position, "`\(entry.key)` looks like a secret in plain text; write `{field}` and deposit it with `claviger credential set`")
            }
            return template
        } catch {
            reading.error(scalar.position, "`\(entry.key)` \(error.words)")
            return nil
        }
    }

    /// The placeholders in order, when all of `count` entries were sound and there is one at least.
    private func finished(_ templates: [(name: String, value: Template)], of count: Int, _ key: String) -> [FieldName]? {
        guard templates.count == count else { return nil }
        var seen: Set<FieldName> = []
        let fields = templates.flatMap(\.value.fields).filter { seen.insert($0).inserted }
        guard !fields.isEmpty else {
            reading.error(section.position(of: key), "`\(key)` names no field: write `{field}` where the secret belongs, or `auth: none` if there is none")
            return nil
        }
        return fields
    }
}
