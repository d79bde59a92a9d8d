// The old HTTP+SSE transport's message endpoint: what `/mcp/{server}/…` means upstream, and what an upstream address is called here.

internal import HTTP1
internal import Kernel

/// The mapping between the paths below `/mcp/{server}/` and those of the server's origin. It needs no memory: one side follows from the other.
///
/// - A suffix `rest` is the path `base + rest`. The base is `/`; where the URL's path has placeholders it is that path through the last segment
///   with one, as rendered (`https://host/{key}/sse`: `/…/`), so that the secret is elided here and put back there.
/// - A suffix `~/rest` is the path `/rest`: for what does not lie below the base, or would itself begin with `~`.
///
/// Either way the request goes to the server's own origin. The URL's own query belongs to the stream, not to the message endpoint: only injected
/// pairs are added to what the client sends, and they are taken out of what it is told.
package enum MessagePath {
    /// Whether an unambiguous path's part behind `/mcp/{server}/` is one that this mapping makes.
    static func isSuffix(_ suffix: RawSpan) -> Bool {
        guard suffix.byteCount > 0, suffix[0] != UInt8(ascii: "/") else { return false }
        if suffix.begins(with: "~/") { return suffix.byteCount == 2 || suffix[2] != UInt8(ascii: "/") }
        return !suffix.equals("~")
    }

    /// Appends the upstream path that `suffix` means.
    static func append(_ suffix: RawSpan, base: RawSpan, to buffer: ByteBuffer) {
        if suffix.begins(with: "~/") {
            buffer.append(suffix.extracting(1..<suffix.byteCount))
        } else {
            buffer.append(base)
            buffer.append(suffix)
        }
    }

    /// What an `endpoint` event's data becomes: a reference below `/mcp/{server}/` that leads back to exactly the address it named.
    ///
    /// - Parameter reference: the event's data, without surrounding white space.
    /// - Throws: `upstream_invalid` where it leads to another origin, is no reference, or would show a secret.
    package static func gatewayReference(
        for reference: RawSpan, from instance: ServerInstance, with credential: RenderedCredential?
    ) throws(Refusal) -> [UInt8] {
        let url = target(of: instance, with: credential)
        guard let resolved = UpstreamReference(reference, on: instance.server.origin, of: url.bytes), resolved.isUnambiguous else {
            throw Refusal(.upstreamInvalid, "the endpoint event names no address on the server's origin")
        }
        let buffer = ByteBuffer(capacity: 256)
        append(resolved.path.bytes, of: instance, with: credential, to: buffer)
        if let query = resolved.query {
            QueryPairs.append(
                reference.extracting(query), except: instance.server.shape.injectedQueryNames, hasQuery: false, hasMark: false, to: buffer)
        }
        if let credential, credential.redaction.occurs(in: buffer.bytes) {
            throw Refusal(.upstreamInvalid, "the endpoint event shows the credential")
        }
        return buffer.bytes.copied()
    }

    /// Appends the gateway's name of an upstream path.
    static func append(_ path: RawSpan, of instance: ServerInstance, with credential: RenderedCredential?, to buffer: ByteBuffer) {
        buffer.append("/mcp/")
        buffer.append(instance.name.text)
        let url = target(of: instance, with: credential)
        let start = end(ofPrefix: url.bytes.extracting(0..<(credential?.baseCount ?? 1)), in: path)
        if let start, isSuffix(path.extracting(start..<path.byteCount)), !path.extracting(start..<path.byteCount).begins(with: "~/") {
            buffer.append("/")
            buffer.append(path.extracting(start..<path.byteCount))
        } else {
            buffer.append("/~")
            buffer.append(path)
        }
    }

    /// Path and query of the server's URL, rendered.
    private static func target(of instance: ServerInstance, with credential: RenderedCredential?) -> Secret {
        credential?.target ?? instance.server.shape.target
    }

    /// How many bytes of `path` say, decoded, what `prefix` says; nil where it begins otherwise. Slashes are the same in both: neither has an encoded one.
    private static func end(ofPrefix prefix: RawSpan, in path: RawSpan) -> Int? {
        var at = 0
        var place = 0
        while place < prefix.byteCount {
            guard at < path.byteCount, path.decodedByte(at: &at) == prefix.decodedByte(at: &place) else { return nil }
        }
        return at
    }

    /// How far a path reaches through its slash number `count`; 1 where it has fewer.
    static func end(ofSegments count: Int, in path: RawSpan) -> Int {
        var seen = 0
        for at in 0..<path.byteCount where path[at] == UInt8(ascii: "/") {
            seen += 1
            if seen == count { return at + 1 }
        }
        return 1
    }
}
