// `portal.sign_in.oidc:` read: at which provider people sign in.

internal import Gateway

struct OIDCReader {
    let reading: Reading

    /// Nil when anything of it is wrong; that is reported.
    func settings(_ section: Section) -> OIDCSettings? {
        for key in ["issuer", "client_id"] where !section.has(key) {
            reading.error(section.position, "`\(section.name)` needs `\(key)`: \(section.declared(key).form.words)")
        }
        let issuer = section.endpoint("issuer")
        let client = section.identifier("client_id")
        let secret = section.has("client_secret") ? section.clientSecret("client_secret") : nil
        guard let issuer, let client else { return nil }
        return OIDCSettings(issuer: issuer, clientID: client, clientSecret: secret)
    }
}
