// What all requests to one server have in common, worked out when the configuration is read so that no request pays for it.

internal import HTTP1
internal import Kernel
internal import TLS

/// A server's part of an upstream head, without any credential. A class: a request takes one reference to all of it.
final class RequestShape: Sendable {
    /// `Host: …` with its CRLF.
    let hostLine: [UInt8]
    /// Path and query of the URL as written; of the type that a credential's has, so that the one stands in for the other. Not used where the
    /// injector is `path`.
    let target: Secret
    /// Whether `target`, or a credential's, has a `?` already.
    let hasMark: Bool
    /// Whether something stands behind that `?`.
    let hasQuery: Bool
    /// Whether the server has an injector.
    let needsCredential: Bool
    /// Names that the client's query may not use: those of the URL and those of the injector, decoded (`QueryPairs`).
    let ownQueryNames: [[UInt8]]
    /// The injector's alone: what the query of a message path may not use.
    let injectedQueryNames: [[UInt8]]
    /// Names of the injected header fields as compared: folded, `_` as `-`.
    private let injectedFields: [[UInt8]]
    /// Bit n for a name of n bytes, n modulo 64: most of a client's fields are told apart by this alone.
    private let injectedLengths: UInt64
    /// How many slashes a message path's base has (`MessagePath`); it is the URL's path through the last segment with a placeholder.
    let baseSegments: Int
    /// How many segments the URL's path has.
    let segments: Int
    /// Every field that the templates mention, each once, in the order of first mention.
    let placeholders: [FieldName]
    /// Says everything above and the templates: two servers with one digest render alike.
    let digest: Digest256

    init(origin: Origin, path: Template, query: String?, transport: Server.Transport, injector: Injector) {
        hostLine = Array("Host: \(origin.authority)\r\n".utf8)
        var literal = ""
        var base = 0
        var slashes = 0
        for part in path.parts {
            switch part {
            case .literal(let text):
                literal += text
                slashes += text.utf8.count { $0 == UInt8(ascii: "/") }
            case .field: base = slashes
            }
        }
        // The base ends behind the slash that follows the segment; without a placeholder it is the root's slash.
        baseSegments = base + 1
        segments = slashes
        var placeholders = path.placeholders
        if let query { literal += "?\(query)" }
        target = Secret(copying: literal.utf8Span.span.raw)

        var injectedNames: [[UInt8]] = []
        var fields: [[UInt8]] = []
        var words = "\(origin) \(transport.rawValue) \(path.canonical) ?\(query ?? "-")"
        switch injector {
        case .none: words += " none"
        case .path: words += " path"
        case .header(let lines):
            for line in lines {
                fields.append(line.name.utf8.map(\.foldedFieldByte))
                placeholders += line.value.placeholders
                words += "\nheader \(line.name): \(line.value.canonical)"
            }
        case .query(let pairs):
            for pair in pairs {
                injectedNames.append(QueryPairs.canonical(Array(pair.name.utf8).span.raw, isEncoded: false))
                placeholders += pair.value.placeholders
                words += "\nquery \(pair.name)=\(pair.value.canonical)"
            }
        }
        var ownNames = injectedNames
        if let query { ownNames += QueryPairs.names(of: Array(query.utf8).span.raw) }
        ownQueryNames = ownNames
        injectedQueryNames = injectedNames
        injectedFields = fields
        injectedLengths = fields.reduce(0) { $0 | 1 << UInt64($1.count & 63) }
        hasQuery = query?.isEmpty == false || !injectedNames.isEmpty
        var seen: Set<FieldName> = []
        self.placeholders = placeholders.filter { seen.insert($0).inserted }
        hasMark = query != nil || !injectedNames.isEmpty
        if case .none = injector { needsCredential = false } else { needsCredential = true }
        digest = Digest256(hashing: words.utf8Span.span.raw)
    }

    /// Whether a client's field of this name would stand beside an injected one.
    @inline(always)
    func injects(field name: ByteRange, of bytes: RawSpan) -> Bool {
        injectedLengths &>> UInt64(name.count & 63) & 1 == 1 && isInjected(bytes[name])
    }

    private func isInjected(_ name: RawSpan) -> Bool {
        search: for injected in injectedFields where injected.count == name.byteCount {
            for at in 0..<injected.count where injected[at] != name[at].foldedFieldByte { continue search }
            return true
        }
        return false
    }
}

extension Template {
    fileprivate var placeholders: [FieldName] {
        parts.compactMap { part in
            switch part {
            case .literal: nil
            case .field(let name): name
            }
        }
    }

    /// The text the template was read from.
    fileprivate var canonical: String {
        parts.reduce(into: "") { text, part in
            switch part {
            case .literal(let literal): text += literal
            case .field(let name): text += "{\(name)}"
            }
        }
    }
}
