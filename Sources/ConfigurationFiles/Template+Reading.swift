// `Bearer {token}`: literal text and placeholders told apart.

internal import Gateway

extension Template {
    /// Braces stand only around a field's name.
    init(reading text: String) throws(Malformed) {
        var parts: [Part] = []
        var rest = text[...]
        while let open = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
            if open > rest.startIndex { parts.append(.literal(String(rest[..<open]))) }
            guard rest[open] == "{" else { throw Malformed("has a `}` without its `{`; braces stand only around a field's name") }
            let inner = rest[rest.index(after: open)...]
            guard let close = inner.firstIndex(of: "}") else { throw Malformed("has a `{` without its `}`; write `{field}`") }
            let name = String(inner[..<close])
            guard let field = FieldName(name) else {
                throw Malformed("has the placeholder \("{\(name)}".quoted), which cannot name a field; it takes a lower-case letter, then letters, digits and `_`, 32 in all")
            }
            parts.append(.field(field))
            rest = inner[inner.index(after: close)...]
        }
        if !rest.isEmpty { parts.append(.literal(String(rest))) }
        self.init(parts: parts)
    }

    /// The placeholders in order, each once.
    var fields: [FieldName] {
        var seen: Set<FieldName> = []
        return parts.compactMap { part in
            guard case .field(let name) = part, seen.insert(name).inserted else { return nil }
            return name
        }
    }

    /// The literal parts, one after the other.
    var literals: [String] {
        parts.compactMap { if case .literal(let text) = $0 { text } else { nil } }
    }
}
