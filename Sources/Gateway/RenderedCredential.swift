// A credential in the form in which it is injected: rendered once per deposit, copied into every request.

internal import Kernel
internal import Synchronization
internal import TLS

/// The values of one credential, put into the places that one server has for them.
package final class RenderedCredential: Sendable {
    /// Path and query of the server's URL with the injected part in it; nil where the URL as configured is the target.
    let target: Secret?
    /// How many bytes at `target`'s start are the base of message paths (`MessagePath`).
    let baseCount: Int
    /// Where in `target` the injected pairs stand, without separator; empty where the injector is not `query`.
    let pairs: Range<Int>
    /// The injected field lines, each with its CRLF, in the configured order.
    let fields: Secret?
    /// What must not come back.
    let redaction: Redaction
    /// Of the shape this was rendered for.
    private let shape: Digest256
    private let rejection = Atomic(false)

    private init(target: Secret?, baseCount: Int, pairs: Range<Int>, fields: Secret?, redaction: Redaction, shape: Digest256) {
        self.target = target
        self.baseCount = baseCount
        self.pairs = pairs
        self.fields = fields
        self.redaction = redaction
        self.shape = shape
    }

    /// Whether this was rendered for a server of the same origin, URL and injector. After a reload a cached one may not: then it is rendered anew.
    package func fits(_ server: Server) -> Bool {
        shape == server.shape.digest
    }

    /// Whether this injects the same bytes as `other`, wherever it came from. Takes equally long wherever they differ.
    package func injectsSame(as other: RenderedCredential) -> Bool {
        if other === self { return true }
        return shape == other.shape && RenderedCredential.isSame(target, other.target) && RenderedCredential.isSame(fields, other.fields)
    }

    private static func isSame(_ one: Secret?, _ other: Secret?) -> Bool {
        guard let one, let other else { return one == nil && other == nil }
        return one.isSame(as: other)
    }

    /// Whether the server answered 401 to it when last it was asked. Set and looked at from any thread: a word of the record's, not of the value.
    package var isRejected: Bool {
        get { rejection.load(ordering: .relaxed) }
        set { rejection.store(newValue, ordering: .relaxed) }
    }

    /// Puts `values` into the server's places.
    ///
    /// - Parameter values: one for each placeholder of the server's; others are not looked at.
    /// - Throws: the first value that would change the request's shape, or is missing.
    package static func render(_ values: [FieldName: Secret], for server: Server) throws(CredentialFault) -> RenderedCredential {
        // Everything is checked before anything is written.
        try check(values, for: server)
        var target: Secret?
        var baseCount = 1
        var pairs = 0..<0
        var fields: Secret?
        switch server.injector {
        case .none: break
        case .header(let lines): fields = render(lines, values)
        case .path:
            let (rendered, path) = renderPath(values, server)
            try recheck(rendered.bytes.extracting(0..<path), for: server)
            baseCount = MessagePath.end(ofSegments: server.shape.baseSegments, in: rendered.bytes.extracting(0..<path))
            target = rendered
        case .query(let templates): (target, pairs) = render(query: templates, values, server)
        }
        var secrets: [Secret] = []
        for field in server.shape.placeholders { if let value = values[field] { secrets.append(value) } }
        return RenderedCredential(
            target: target, baseCount: baseCount, pairs: pairs, fields: fields, redaction: Redaction(of: secrets), shape: server.shape.digest)
    }

    private static func check(_ values: [FieldName: Secret], for server: Server) throws(CredentialFault) {
        // A value that is not there must not become an empty one.
        for field in server.shape.placeholders { _ = try checked(field, in: values, for: server.injector) }
    }

    /// Reads a rendered path again as whoever gets it will: the template's segments, and none that means another place.
    private static func recheck(_ path: RawSpan, for server: Server) throws(CredentialFault) {
        guard let last = server.shape.placeholders.last else { return }
        guard RequestPath.segmentCount(path) == server.shape.segments, RequestPath.isUnambiguous(path) else {
            throw CredentialFault(field: last, problem: .dotSegment)
        }
    }

    private static func render(_ lines: [(name: String, value: Template)], _ values: [FieldName: Secret]) -> Secret {
        var buffer = LockedBuffer(capacity: 256)
        for line in lines {
            buffer.append(line.name.utf8Span.span.raw)
            buffer.append(": ")
            for part in line.value.parts {
                switch part {
                case .literal(let text): buffer.append(text.utf8Span.span.raw)
                case .field(let field): if let value = values[field] { buffer.append(value.bytes) }
                }
            }
            buffer.append("\r\n")
        }
        return Secret(buffer)
    }

    /// Path and query, and how many bytes of it are the path.
    private static func renderPath(_ values: [FieldName: Secret], _ server: Server) -> (Secret, path: Int) {
        var buffer = LockedBuffer(capacity: 256)
        for part in server.path.parts {
            switch part {
            case .literal(let text): buffer.append(text.utf8Span.span.raw)
            case .field(let field): if let value = values[field] { buffer.append(percentEncoding: value.bytes) }
            }
        }
        let path = buffer.count
        if let query = server.query {
            buffer.append("?")
            buffer.append(query.utf8Span.span.raw)
        }
        return (Secret(buffer), path)
    }

    /// Path and query, and where in it the injected pairs stand.
    private static func render(query templates: [(name: String, value: Template)], _ values: [FieldName: Secret], _ server: Server)
        -> (Secret, Range<Int>)
    {
        let url = server.shape.target
        var buffer = LockedBuffer(capacity: 256)
        buffer.append(url.bytes)
        if server.query == nil { buffer.append("?") } else if server.query?.isEmpty == false { buffer.append("&") }
        let start = buffer.count
        for (index, pair) in templates.enumerated() {
            if index > 0 { buffer.append("&") }
            buffer.append(percentEncoding: pair.name)
            buffer.append("=")
            for part in pair.value.parts {
                switch part {
                case .literal(let text): buffer.append(percentEncoding: text)
                case .field(let field): if let value = values[field] { buffer.append(percentEncoding: value.bytes) }
                }
            }
        }
        let end = buffer.count
        return (Secret(buffer), start..<end)
    }
}
