// From a path to what stands there: whole segments, compared as bytes.

internal import HTTP1
internal import Kernel

/// The gateway's own address space (contract.md, "The gateway's HTTP").
enum Route: Equatable, Sendable {
    /// `/mcp/{server}`, with or without a final slash; `suffix` is what follows that slash.
    case server(name: ByteRange, suffix: ByteRange?)
    /// `/connect/…`, `/.well-known/oauth-client/…`
    case portal
    /// Everything else.
    case nothing

    /// - Parameter path: unambiguous (`RequestPath`), standing at `offset` in the head.
    init(_ path: RawSpan, at offset: Int) {
        if path.begins(with: "/mcp/") {
            let nameEnd = path.first(UInt8(ascii: "/"), from: 5) ?? path.byteCount
            guard nameEnd > 5 else { self = .nothing; return }
            let rest = nameEnd + 1
            let suffix = rest < path.byteCount ? ByteRange(offset + rest, offset + path.byteCount) : nil
            self = .server(name: ByteRange(offset + 5, offset + nameEnd), suffix: suffix)
        } else if path.begins(with: "/connect/") || path.begins(with: "/.well-known/oauth-client/") {
            self = .portal
        } else {
            self = .nothing
        }
    }
}
