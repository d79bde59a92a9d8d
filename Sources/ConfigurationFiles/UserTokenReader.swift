// `users.token:` of a navigator read: by whose signed tokens its users are known.

internal import Gateway

struct UserTokenReader {
    let reading: Reading

    /// Nil, and reported, where it is not known whose tokens, or for whom.
    func rule(_ section: Section) -> UserTokenRule? {
        for key in ["issuer", "audience"] where !section.has(key) {
            reading.error(section.position, "`\(section.name)` needs `\(key)`: \(section.declared(key).form.words)")
        }
        let issuer = section.endpoint("issuer")
        let audience = section.line("audience")?.text
        let claim = section.has("claim") ? section.line("claim")?.text : "email"
        let keys = keys(section)
        guard let issuer, let audience, let claim, let keys else { return nil }
        return UserTokenRule(issuer: issuer, audience: audience, claim: claim, keys: keys)
    }

    private func keys(_ section: Section) -> UserTokenRule.Keys? {
        guard section.has("jwks") else { return .discovered }
        guard let scalar = section.line("jwks") else { return nil }
        guard scalar.text.utf8.first == UInt8(ascii: "/") else {
            guard scalar.text.contains("://") else { return section.wrong("jwks", scalar) }
            return section.endpoint("jwks", scalar).map(UserTokenRule.Keys.url)
        }
        guard let path = section.path("jwks")?.text else { return nil }
        // Whoever can write the keys can be everybody.
        if let words = RegularFile.exposure(path) {
            reading.error(scalar.position, "`jwks`: \(path.quoted) is no place for keys: \(words)")
            return nil
        }
        if RegularFile.contents(path) == nil { reading.warning(scalar.position, "`jwks`: \(path.quoted) cannot be read: no token counts until it can") }
        return .file(path)
    }
}
