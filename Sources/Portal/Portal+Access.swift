// Letting administrators in: bearer tokens of the API, and links that sign one in once.

internal import Gateway
internal import HTTPTypes

extension Portal {
    /// How long a one-time sign-in link is good for, in seconds.
    static let signInLife: Int64 = 15 * 60

    func createToken(note: String?, expires: Int64?, by principal: Principal) async throws(APIFault) -> (record: TokenRecord, token: AdministrationToken) {
        let now = wallClock()
        if let note, note.utf8.count > 200 || note.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            throw APIFault(.unprocessableContent, "bad_note", "A note is one line of 200 bytes at most.")
        }
        if let expires, expires <= now { throw APIFault(.unprocessableContent, "expired", "The expiry is in the past.") }
        let record = TokenRecord(id: TokenID(random: random(10)), note: note, creator: principal.actor, created: now, expires: expires)
        let token = AdministrationToken(random: random(32))
        let entry = principal.entry(.tokenCreated, at: now, detail: "token \(record.id)" + (note.map { ": \($0)" } ?? ""))
        try await asking { try await state.create(record, token: token.digest, noted: entry) }
        return (record, token)
    }

    func revokeToken(_ text: String, by principal: Principal) async throws(APIFault) {
        let entry = principal.entry(.tokenRevoked, at: wallClock(), detail: TokenID(text).map { "token \($0)" })
        guard let id = TokenID(text), try await asking({ try await state.revoke(id, noted: entry) }) else {
            throw APIFault(.notFound, "no_token", "There is no such token; `claviger token list` names them.")
        }
    }

    /// - Parameter address: of an administrator: of the gateway's or of a project's.
    func createSignIn(_ address: String, by principal: Principal) async throws(APIFault) -> SignInView {
        guard let email = UserEmail(address) else { throw APIFault(.unprocessableContent, "bad_email", "`email` is not an email address.") }
        let snapshot = snapshot()
        guard snapshot.portal.admins.contains(email) || snapshot.projects.values.contains(where: { $0.admins.contains(email) }) else {
            throw APIFault(
                .unprocessableContent, "no_administrator",
                "This is no administrator's address: write it under `portal.admins`, or under `admins` of a project, and restart.")
        }
        let now = wallClock()
        let token = SignInToken(random: random(32))
        let entry = principal.entry(.signInLink, at: now, user: email)
        try await asking { try await state.allowSignIn(email, token: token.digest, expires: now + Portal.signInLife, noted: entry) }
        return SignInView(email: email.text, url: "\(adminURL)/admin/_enter/\(token.text)", expires: Timestamp.text(now + Portal.signInLife))
    }

    /// Whose bearer token came with a request; nil where none did.
    /// - Throws: 401 for one that is none.
    func bearer(_ value: String?, from source: String) async throws(APIFault) -> Principal? {
        guard let value else { return nil }
        let words = value.split(separator: " ", maxSplits: 1)
        guard words.count == 2, words[0].lowercased() == "bearer", let token = AdministrationToken(words[1]),
            let record = try await asking({ try await state.token(token.digest, at: wallClock()) })
        else { throw .unauthenticated }
        Acquaintance.isMade()
        return Principal(actor: .token(record.id), source: source)
    }
}

extension APIFault {
    static let unauthenticated = APIFault(
        .unauthorized, "unauthenticated", "Over TCP the API takes a bearer token, which `claviger token new` makes; over admin.sock it needs none.")
}
