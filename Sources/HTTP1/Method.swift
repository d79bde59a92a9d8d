// What a request asks for: the methods the gateway tells apart.

internal import Kernel

/// A request's method (RFC 9110, section 9). Methods are case-sensitive: `get` is `other`.
package enum Method: Sendable {
    case get, head, post, put, delete, options, patch
    /// Parsed, then refused: it would echo the injected credential, or ask for a tunnel.
    case trace, connect
    /// Any other token; `RequestHead.methodName` has its spelling.
    case other

    /// The method that `name`, a token, spells.
    init(_ name: RawSpan) {
        switch name.byteCount {
        case 3 where name.isEqual(to: "GET"): self = .get
        case 3 where name.isEqual(to: "PUT"): self = .put
        case 4 where name.isEqual(to: "POST"): self = .post
        case 4 where name.isEqual(to: "HEAD"): self = .head
        case 5 where name.isEqual(to: "PATCH"): self = .patch
        case 5 where name.isEqual(to: "TRACE"): self = .trace
        case 6 where name.isEqual(to: "DELETE"): self = .delete
        case 7 where name.isEqual(to: "OPTIONS"): self = .options
        case 7 where name.isEqual(to: "CONNECT"): self = .connect
        default: self = .other
        }
    }
}
