// What a person is sent to a provider with, as a query, in locked memory until it is a URL.

internal import Gateway
internal import Kernel

/// RFC 6749, section 4.1.1, always with PKCE by S256 (RFC 7636, section 4.3).
struct AuthorizationQuery: ~Copyable {
    private var query = LockedBuffer(capacity: 512)

    init(client: String, redirectURI: String, proofKey: ProofKey) {
        add("response_type", "code")
        add("client_id", client)
        add("redirect_uri", redirectURI)
        add("code_challenge", proofKey.challenge)
        add("code_challenge_method", "S256")
    }

    mutating func add(_ name: String, _ value: String) {
        add(name, Array(value.utf8).span.raw)
    }

    mutating func add(_ name: String, _ value: Secret) {
        add(name, value.bytes)
    }

    private mutating func add(_ name: String, _ value: RawSpan) {
        if query.count > 0 { query.append(byte: UInt8(ascii: "&")) }
        query.append(name.utf8Span.span.raw)
        query.append(byte: UInt8(ascii: "="))
        FormEncoding.append(value, to: &query)
    }

    /// The endpoint's own query stays in front.
    consuming func url(at endpoint: ServiceURL) -> String {
        endpoint.text + (endpoint.query == nil ? "?" : "&") + String(decoding: query.bytes.copied(), as: UTF8.self)
    }
}
