// Who the gateway is to a provider: the same words in its metadata document and in a registration (RFC 7591, section 2).

internal import FoundationEssentials
package import Gateway
internal import Kernel
package import Outbound

package struct ClientMetadata: Sendable {
    package let name: String
    package let redirectURI: String
    package let scopes: [String]?

    package init(name: String, redirectURI: String, scopes: [String]?) {
        self.name = name
        self.redirectURI = redirectURI
        self.scopes = scopes
    }

    private struct Document: Encodable {
        var client_id: String?
        let client_name: String
        let redirect_uris: [String]
        let grant_types = ["authorization_code", "refresh_token"]
        let response_types = ["code"]
        let token_endpoint_auth_method: String
        let scope: String?
    }

    /// The client-id metadata document: served under its own URL, which is the client's id.
    package func document(at url: String) -> [UInt8] {
        written(Document(client_id: url, client_name: name, redirect_uris: [redirectURI], token_endpoint_auth_method: "none", scope: nil))
    }

    /// A request to register (RFC 7591, section 3.1).
    ///
    /// - Parameter methods: of the provider's token endpoint: a client without a secret where it takes one.
    package func registration(at endpoint: ServiceURL, methods: [String]) -> OutboundRequest {
        // In the form rather than in the field: servers of MCP's own SDK look for the client's id there, and what is registered takes what it lists.
        let method = ["none", "client_secret_post"].first(where: methods.contains) ?? "client_secret_basic"
        let document = Document(
            client_id: nil, client_name: name, redirect_uris: [redirectURI], token_endpoint_auth_method: method, scope: scopes.map(Scopes.write))
        var request = OutboundRequest(
            .post, endpoint.text, fields: [OutboundRequest.Field("Content-Type", "application/json"), OutboundRequest.Field("Accept", "application/json")],
            body: Secret(copying: written(document).span.raw))
        request.isRepeatable = false
        request.usesProxy = endpoint.isEncrypted
        return request
    }

    private func written(_ document: Document) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Text and lists of text always encode.
        return (try? encoder.encode(document)).map { Array($0) } ?? []
    }
}

/// A client that a provider has registered.
package struct Registration: Sendable {
    package let identifier: String
    package let secret: Secret?
    /// How it proves itself, where the provider says so.
    package let method: String?
    /// Seconds since 1970 at which the secret ends; nil where it does not.
    package let secretExpires: Int64?

    /// - Parameters:
    ///   - status: 201 by the RFC, 200 by some.
    ///   - body: as it came; the secret in it does not become a String.
    /// - Throws: the provider's words, printable and short, where it refused; else what is wrong with the answer.
    package init(status: Int, body: RawSpan) throws(NotUsable) {
        var members: [String: Secret] = [:]
        var numbers: [String: Int64] = [:]
        do throws(NotJSON) {
            try JSONScanner.members(of: body) { name, scanner throws(NotJSON) in
                let key = String(decoding: scanner.bytes.extracting(name).copied(), as: UTF8.self)
                switch scanner.next {
                case UInt8(ascii: "\""): members[key] = Secret(try scanner.text(in: try scanner.string()))
                case let digit? where (48...57).contains(digit):
                    numbers[key] = Int64(String(decoding: scanner.bytes.extracting(try scanner.number()).copied(), as: UTF8.self))
                default: try scanner.skipValue()
                }
            }
        } catch {
            throw NotUsable("answered \(status) with what is no registration")
        }
        func text(_ name: String) -> String? {
            members[name].map { String(decoding: $0.bytes.copied().prefix(1024).filter { (0x20..<0x7F).contains($0) }, as: UTF8.self) }
        }
        guard status == 201 || status == 200 else {
            let words = [text("error"), text("error_description")].compactMap { $0 }.joined(separator: ": ")
            throw NotUsable("refused to register a client: \(words.isEmpty ? "status \(status)" : String(words.prefix(200)))")
        }
        guard let identifier = text("client_id"), !identifier.isEmpty else { throw NotUsable("registered a client without an id") }
        self.identifier = identifier
        method = text("token_endpoint_auth_method")
        // Some give a secret also to a client that they want to show none, and refuse it when it does.
        secret = method == "none" ? nil : members["client_secret"].flatMap { $0.count > 0 ? $0 : nil }
        secretExpires = secret == nil ? nil : numbers["client_secret_expires_at"].flatMap { $0 > 0 ? $0 : nil }
    }
}
