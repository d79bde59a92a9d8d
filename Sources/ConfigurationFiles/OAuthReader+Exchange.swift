// `servers.*.oauth.token_exchange:` read.

internal import Gateway

extension OAuthReader {
    /// Not nil exactly where the grant is `token_exchange`.
    func exchange(_ section: Section, _ grant: OAuthSettings.Grant) -> OAuthSettings.Exchange? {
        guard let exchange = section.section("token_exchange") else { return grant == .tokenExchange ? OAuthSettings.Exchange() : nil }
        // There is one subject: what else is written is reported.
        _ = exchange.choice("subject", Subject.self)
        let parameters = (exchange.names("parameters") ?? []).flatMap(self.parameters)
        return grant == .tokenExchange ? OAuthSettings.Exchange(parameters: parameters) : nil
    }

    private enum Subject: String { case userGrant = "user_grant" }

    private func parameters(_ entry: Tree.Entry) -> [(name: String, value: String)] {
        guard !entry.key.isEmpty, entry.key.utf8.count <= 128, entry.key.utf8.allSatisfy(OAuthReader.isNameByte) else {
            reading.error(entry.position, "a parameter's name takes letters, digits and `- . _` (RFC 6749, section 8.2), not \(entry.key.quoted)")
            return []
        }
        if let remedy = OAuthReader.owned[entry.key] {
            reading.error(entry.position, "the parameter `\(entry.key)` cannot be set here: \(remedy)")
            return []
        }
        let words = Setting.declared("servers.*.oauth.token_exchange.parameters.*").form.words
        var trees = [entry.value]
        if case .list(let elements) = entry.value.content {
            trees = elements
            if elements.isEmpty { reading.error(entry.value.position, "`\(entry.key)` must be \(words), not an empty one") }
        }
        return trees.compactMap { tree in
            guard let scalar = reading.scalar(tree, entry.key, words) else { return nil }
            guard !scalar.text.isEmpty, scalar.text.utf8.count <= 4096, scalar.text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f }) else {
                reading.error(scalar.position, "`\(entry.key)` must be \(words), 4,096 bytes at most\(scalar.text.utf8.count > 4096 ? "" : scalar.shown)")
                return nil
            }
            if scalar.isLiteral, PlainSecret.isSuspect(entry.key) {
                reading.warning(scalar.position, "`\(entry.key)` looks like a secret in plain text; put it into a file and write `${credential:NAME}` or `${file:/path}`")
            }
            return (entry.key, scalar.text)
        }
    }

    /// What the gateway alone can say, and where the rest of it is said.
    private static let owned = [
        "subject_token": "it is the person's token, and the gateway puts it in; take it out",
        "client_id": "write `oauth.client_id`", "client_secret": "write `oauth.client_secret`",
        "client_assertion": "write `oauth.private_key`", "client_assertion_type": "write `authentication: private_key_jwt`",
    ]

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122: true
        default: "-._".utf8.contains(byte)
        }
    }
}
