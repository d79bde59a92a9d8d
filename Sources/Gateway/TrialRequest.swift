// A credential in the parts of a request that the gateway makes itself, to try the credential out.

internal import Kernel

/// The bytes are those that the data path injects.
package struct TrialRequest: Sendable {
    /// Whose certificate is asked for: the server's own, or of the name that `tls.server_name` gives it.
    package let origin: Origin
    /// The absolute URL, of that origin.
    package let target: Secret
    /// Injected header fields.
    package let fields: [(name: String, value: Secret)]

    /// - Throws: the first value that may not be injected.
    package init(_ values: [FieldName: Secret], for server: Server) throws(CredentialFault) {
        origin = server.tls.serverName.map { Origin(scheme: server.origin.scheme, host: $0, port: server.origin.port) } ?? server.origin
        let rendered = try RenderedCredential.render(values, for: server)
        let path = rendered.target ?? server.shape.target
        var url = LockedBuffer(capacity: 256)
        url.append(origin.description.utf8Span.span.raw)
        url.append(path.bytes)
        target = Secret(url)
        var fields: [(name: String, value: Secret)] = []
        if let block = rendered.fields {
            let lines = block.bytes
            var at = 0
            // Each line was written with its colon, blank and CRLF, and no value has one of the last.
            while let colon = lines.extracting(at...).first(UInt8(ascii: ":")), let end = lines.extracting(at...).first(UInt8(ascii: "\r")) {
                let name = String(decoding: lines.extracting(at..<(at + colon)).copied(), as: UTF8.self)
                fields.append((name, Secret(copying: lines.extracting((at + colon + 2)..<(at + end)))))
                at += end + 2
            }
        }
        self.fields = fields
    }
}
