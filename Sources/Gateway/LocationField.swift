// Where a server redirects to, in the gateway's own terms.

internal import HTTP1
internal import Kernel

enum LocationField {
    /// A Location on the server's own origin as a path of the gateway: `/mcp/{server}`, since that is all of the origin that can be reached, or below
    /// it for `transport: sse`. The pairs that the URL or the injector adds are taken out, since they are added again.
    ///
    /// - Returns: nil for another origin, and for what is no reference: it passes as it is, less the secrets.
    static func gatewayReference(for reference: RawSpan, from instance: ServerInstance, with credential: RenderedCredential?) -> ByteBuffer? {
        let shape = instance.server.shape
        let url = credential?.target ?? shape.target
        guard let resolved = UpstreamReference(reference, on: instance.server.origin, of: url.bytes) else { return nil }
        let buffer = ByteBuffer(capacity: 256)
        var names = shape.ownQueryNames
        let ownPath = url.bytes.extracting(0..<(url.bytes.first(UInt8(ascii: "?")) ?? url.count))
        if instance.server.transport == .sse, resolved.isUnambiguous, !resolved.path.bytes.equals(ownPath) {
            MessagePath.append(resolved.path.bytes, of: instance, with: credential, to: buffer)
            names = shape.injectedQueryNames
        } else {
            buffer.append("/mcp/")
            buffer.append(instance.name.text)
        }
        if let query = resolved.query {
            QueryPairs.append(reference.extracting(query), except: names, hasQuery: false, hasMark: false, to: buffer)
        }
        buffer.append(reference.extracting(resolved.fragment))
        return buffer
    }
}
