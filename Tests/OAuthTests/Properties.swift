// What holds for every text whatsoever that another side may send. The mutation test and the fuzz targets ask the same questions.

internal import Gateway
internal import Kernel
internal import OAuth

/// Each function says what does not hold, or nil.
enum Properties {
    /// - Parameter text: fields, parted by line feeds.
    static func challenge(_ text: [UInt8]) -> String? {
        let fields = text.split(separator: 0x0A, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
        let challenges = Challenge.read(fields)
        if challenges != fields.flatMap({ Challenge.read([$0]) }) { return "what one field says depends on another" }
        for challenge in challenges {
            for name in [challenge.scheme] + challenge.parameters.keys where name.isEmpty || !name.utf8.allSatisfy(isFoldedTokenByte) {
                return "a name that is no token"
            }
        }
        for scope in Challenge.scopes(in: challenges) ?? [] where scope.isEmpty || scope.utf8.contains(0x20) { return "a scope that is none" }
        _ = Challenge.resourceMetadata(in: challenges)
        _ = Challenge.missingScopes(in: challenges)
        // Written as it was understood, it says the same.
        let again = challenges.map { challenge in
            let parameters = challenge.parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\(quoted($0.value))" }
            return parameters.isEmpty ? challenge.scheme : "\(challenge.scheme) \(parameters.joined(separator: ", "))"
        }
        return Challenge.read([again.joined(separator: ", ")]) == challenges ? nil : "written again, another challenge"
    }

    static func metadata(_ text: [UInt8]) -> String? {
        for name in ["https://issuer.example/", "https://mcp.example/a/mcp"] {
            guard let url = try? ServiceURL(name) else { return "a good URL is none" }
            if let found = try? ProviderMetadata(text, of: url) {
                guard found.issuer == url else { return "another issuer" }
                let endpoints = [found.authorizationEndpoint, found.tokenEndpoint, found.registrationEndpoint, found.revocationEndpoint]
                for endpoint in endpoints.compactMap({ $0 }) { if let problem = service(Array(endpoint.text.utf8)) { return problem } }
                if let scopes = scopes(found.scopes) { return scopes }
            }
            if let found = try? ResourceMetadata(text, of: url) {
                guard let resource = try? ServiceURL(found.resource), resource.origin == url.origin else { return "another origin's resource" }
                guard !found.issuers.isEmpty else { return "nobody's resource" }
                for issuer in found.issuers { if let problem = service(Array(issuer.text.utf8)) { return problem } }
                if let scopes = scopes(found.scopes) { return scopes }
            }
        }
        do {
            let found = try Registration(status: 201, body: text.span.raw)
            guard !found.identifier.isEmpty, found.identifier.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) else { return "an id that cannot be written" }
            if let secret = found.secret, secret.count == 0 { return "a secret that is none" }
        } catch {
            if let words = words(error.description) { return words }
        }
        return nil
    }

    /// - Parameter text: the first byte chooses the status, the rest is the body.
    static func token(_ text: [UInt8]) -> String? {
        let statuses = [200, 201, 400, 401, 403, 408, 429, 500, 503, 302]
        let status = statuses[Int(text.first ?? 0) % statuses.count]
        let body = Array(text.dropFirst())
        let answers = [
            TokenAnswer.read(status: status, body: body.span.raw),
            (try? TokenExchange(OAuthSettings.Exchange(), resource: nil))?.answer(status: status, body: body.span.raw),
        ]
        for answer in answers.compactMap({ $0 }) {
            switch answer {
            case .tokens(let tokens):
                guard status < 300 else { return "tokens with status \(status)" }
                guard tokens.access.count > 0, tokens.refresh.map({ $0.count > 0 }) ?? true else { return "an empty token" }
                if let life = tokens.life, life <= .zero || life > .seconds(315_360_000) { return "an absurd life" }
                if let scopes = scopes(tokens.scopes) { return scopes }
            case .refused(let refused): if let words = words(refused.words) { return words }
            }
        }
        if case .notRevoked(let why) = Revocation.outcome(status: status, body: body.span.raw), let words = words(why) { return words }
        return nil
    }

    /// A URL that is taken has one host, and keeps it where it is built upon.
    static func service(_ text: [UInt8]) -> String? {
        guard let url = try? ServiceURL(String(decoding: text, as: UTF8.self)) else { return nil }
        guard url.isEncrypted || url.host == "::1" || url.host.hasPrefix("127.") || url.host.hasSuffix("localhost") else { return "plain text to \(url.host)" }
        for place in WellKnown.resource(of: url) + WellKnown.provider(of: url) {
            guard place.utf8.count <= 2048 else { continue }
            guard let built = try? ServiceURL(place) else { return "\(place) is no URL" }
            guard built.host == url.host, built.port == url.port, built.isEncrypted == url.isEncrypted else { return "\(place) leads elsewhere" }
        }
        return nil
    }

    /// By bytes: a backslash with a combining mark behind it is another character, and a backslash all the same.
    private static func quoted(_ value: String) -> String {
        let escaped = value.utf8.flatMap { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") ? [UInt8(ascii: "\\"), $0] : [$0] }
        return String(decoding: [UInt8(ascii: "\"")] + escaped + [UInt8(ascii: "\"")], as: UTF8.self)
    }

    private static func scopes(_ scopes: [String]?) -> String? {
        guard let scopes else { return nil }
        return Scopes.read(Scopes.write(scopes)) == scopes ? nil : "scopes that are none"
    }

    /// For a log and a page.
    private static func words(_ words: String) -> String? {
        words.utf8.count <= 300 && words.utf8.allSatisfy { (0x20..<0x7F).contains($0) } ? nil : "words that are too long or not printable"
    }

    private static func isFoldedTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 97...122: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
