// A request to a token endpoint: a form in locked memory, and the client's proof with it.

package import Gateway
internal import Kernel
package import Outbound

/// As `application/x-www-form-urlencoded` in locked memory.
package struct TokenForm: ~Copyable {
    private var body = LockedBuffer(capacity: 512)

    /// Without a grant: what is no request for tokens.
    package init() {}

    package init(grant: String) {
        add("grant_type", grant)
    }

    package mutating func add(_ name: String, _ value: String) {
        add(name, Array(value.utf8).span.raw)
    }

    package mutating func add(_ name: String, _ value: Secret) {
        add(name, value.bytes)
    }

    private mutating func add(_ name: String, _ value: RawSpan) {
        if body.count > 0 { body.append(byte: UInt8(ascii: "&")) }
        body.append(name.utf8Span.span.raw)
        body.append(byte: UInt8(ascii: "="))
        FormEncoding.append(value, to: &body)
    }

    /// The request, the client's proof in it. It may not be sent twice: what it spends may be spent once.
    ///
    /// - Throws: where a client that signs cannot.
    package consuming func request(to endpoint: ServiceURL, by client: OAuthClient, limits: OutboundRequest.Limits) throws(NotUsable) -> OutboundRequest {
        var fields = [OutboundRequest.Field("Content-Type", "application/x-www-form-urlencoded"), OutboundRequest.Field("Accept", "application/json")]
        switch client.proof {
        case .none: add("client_id", client.identifier)
        case .post(let secret):
            add("client_id", client.identifier)
            add("client_secret", secret)
        case .assertion(let assertion):
            add("client_id", client.identifier)
            add("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
            add("client_assertion", try assertion.token(for: client.identifier, at: endpoint))
        // Without the id in the form: Okta takes it for a second proof and refuses both.
        case .basic(let secret): fields.append(OutboundRequest.Field("Authorization", TokenForm.basic(client.identifier, secret)))
        }
        var request = OutboundRequest(.post, endpoint.text, fields: fields, body: Secret(body))
        request.limits = limits
        request.isRepeatable = false
        request.usesProxy = endpoint.isEncrypted
        return request
    }

    /// Both form-encoded first (RFC 6749, section 2.3.1), then as RFC 7617 has it.
    private static func basic(_ identifier: String, _ secret: Secret) -> Secret {
        var pair = LockedBuffer(capacity: identifier.utf8.count + secret.count + 1)
        FormEncoding.append(Array(identifier.utf8).span.raw, to: &pair)
        pair.append(byte: UInt8(ascii: ":"))
        FormEncoding.append(secret.bytes, to: &pair)
        var field = LockedBuffer(capacity: 8 + pair.count * 4 / 3)
        field.append("Basic ")
        Base64.append(pair.bytes, to: &field)
        return Secret(field)
    }
}

enum FormEncoding {
    /// As WHATWG's URL standard, section 5.2, serializes a form: blanks as `+`, everything but `*-._`, digits and letters as `%XX`.
    static func append(_ bytes: RawSpan, to out: inout LockedBuffer) {
        for at in 0..<bytes.byteCount {
            switch bytes[at] {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "*"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): out.append(byte: bytes[at])
            case 0x20: out.append(byte: UInt8(ascii: "+"))
            default:
                out.append(byte: UInt8(ascii: "%"))
                out.append(byte: digit(bytes[at] >> 4))
                out.append(byte: digit(bytes[at] & 15))
            }
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 55 + value }
}
