// One token for another (RFC 8693): the person's grant at a provider that holds the server's tokens, exchanged for the server's token.

package import Gateway
internal import Kernel
package import Outbound

package struct TokenExchange: Sendable {
    /// What of the person's grant is shown.
    package enum Subject: Equatable, Sendable {
        case accessToken, refreshToken, identityToken
    }

    /// What of the person's grant is shown: an access token, unless the parameters' `subject_token_type` says otherwise.
    package let subject: Subject
    private let parameters: [(name: String, value: String)]
    private let scopes: [String]
    private let resource: String?

    /// - Parameters:
    ///   - settings: its parameters stand in place of those of the same name that would be sent without them.
    ///   - scopes: of the server's token; none are named where it is empty.
    ///   - resource: RFC 8707; nil where the provider wants none.
    /// - Throws: where `subject_token_type` names what the person's grant has not.
    package init(_ settings: OAuthSettings.Exchange, scopes: [String] = [], resource: String?) throws(NotUsable) {
        parameters = settings.parameters
        self.scopes = scopes
        self.resource = resource
        switch settings.parameters.first(where: { $0.name == "subject_token_type" })?.value {
        case nil, TokenType.access, TokenType.jwt: subject = .accessToken
        case TokenType.refresh: subject = .refreshToken
        case TokenType.identity: subject = .identityToken
        case .some(let other):
            throw NotUsable("cannot exchange a subject of type \(other.prefix(200)): a person's grant has \(TokenType.access), \(TokenType.refresh) and \(TokenType.identity)")
        }
    }

    /// - Parameter token: as `subject` says.
    /// - Throws: where the client cannot prove itself.
    package func request(for token: Secret, to endpoint: ServiceURL, by client: OAuthClient, limits: OutboundRequest.Limits) throws(NotUsable) -> OutboundRequest {
        let ours = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"), ("subject_token_type", subject.type), ("requested_token_type", TokenType.access),
        ]
        var form = TokenForm()
        for (name, value) in ours where !isGiven(name) { form.add(name, value) }
        form.add("subject_token", token)
        if !scopes.isEmpty, !isGiven("scope") { form.add("scope", Scopes.write(scopes)) }
        // A resource of ours beside an audience of theirs would ask for a token for both (section 2.1).
        if let resource, !isGiven("resource"), !isGiven("audience") { form.add("resource", resource) }
        for (name, value) in parameters { form.add(name, value) }
        return try form.request(to: endpoint, by: client, limits: limits)
    }

    /// What the endpoint answers. Tokens only where they are such as a server takes: of the type that was asked for, access tokens, or JWTs.
    package func answer(status: Int, body: RawSpan) -> TokenAnswer {
        let answer = TokenAnswer.read(status: status, body: body)
        guard case .tokens = answer, let issued = IssuedType(body) else { return answer }
        let asked = parameters.first { $0.name == "requested_token_type" }?.value
        if let type = issued.type {
            guard type == asked || type == TokenType.access || type == TokenType.jwt else {
                return .refused(TokenAnswer.Refused(kind: .invalidRequest, words: "it issued a token of another type than an access token: \(type.prefix(120))"))
            }
        } else if issued.isNoAccessToken {
            return .refused(TokenAnswer.Refused(kind: .invalidRequest, words: "it issued a token that is no access token (token_type N_A)"))
        }
        return answer
    }

    private func isGiven(_ name: String) -> Bool { parameters.contains { $0.name == name } }
}

extension TokenExchange.Subject {
    fileprivate var type: String {
        switch self {
        case .accessToken: TokenType.access
        case .refreshToken: TokenType.refresh
        case .identityToken: TokenType.identity
        }
    }
}

/// RFC 8693, section 3.
private enum TokenType {
    static let access = "urn:ietf:params:oauth:token-type:access_token"
    static let refresh = "urn:ietf:params:oauth:token-type:refresh_token"
    static let identity = "urn:ietf:params:oauth:token-type:id_token"
    static let jwt = "urn:ietf:params:oauth:token-type:jwt"
}

/// What an answer says of the token in it (RFC 8693, section 2.2.1). No token becomes a String.
private struct IssuedType {
    /// Nil where nothing is said.
    var type: String?
    var isNoAccessToken = false

    /// Nil for what is no JSON object.
    init?(_ body: RawSpan) {
        do throws(NotJSON) {
            try JSONScanner.members(of: body) { name, scanner throws(NotJSON) in try take(name, from: &scanner) }
        } catch {
            return nil
        }
    }

    private mutating func take(_ name: Range<Int>, from scanner: inout JSONScanner) throws(NotJSON) {
        let key = String(decoding: scanner.bytes.extracting(name).copied().prefix(32), as: UTF8.self)
        guard key == "issued_token_type" || key == "token_type", scanner.next == UInt8(ascii: "\"") else { return try scanner.skipValue() }
        let value = Secret(try scanner.text(in: try scanner.string()))
        let text = String(decoding: value.bytes.copied().prefix(2048).map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
        if key == "issued_token_type" { type = text } else { isNoAccessToken = text.uppercased() == "N_A" }
    }
}
