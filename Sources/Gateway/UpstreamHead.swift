// The request head that a server gets: the client's, less what is not for it, with the credential in it.

package import HTTP1
internal import Kernel

package enum UpstreamHead {
    /// Writes a complete head, final CRLF included, in one pass.
    ///
    /// The request line is exactly the server's URL, then the client's query pairs whose names neither the URL nor the injector uses; for a
    /// message path see `MessagePath`. Host is the origin's. What the client sent under an injected name, what belongs to the hop, what its
    /// Connection names and what was meant for the gateway is left out before anything is injected. Where the answer is a stream to be rewritten
    /// (GET to a server of `transport: sse`), `Accept-Encoding: identity` stands for the client's.
    ///
    /// - Parameters:
    ///   - head: parsed from `bytes`' front; admitted.
    ///   - suffix: `Admission.suffix`.
    ///   - credential: nil only where the injector is `none`.
    ///   - body: how the body that follows is framed; `untilClose` is none of a request's.
    ///   - trace: with a span of the gateway's own, takes the place of the client's; else what the client sent passes.
    /// - Throws: `credential_missing` or `credential_invalid` where there is no credential for this very server; nothing has been written then.
    package static func write(
        _ head: borrowing RequestHead, _ bytes: RawSpan, to instance: ServerInstance, suffix: ByteRange?, with credential: RenderedCredential?,
        body: BodyLength, requestID: RequestID, trace: TraceContext? = nil, into buffer: ByteBuffer
    ) throws(Refusal) {
        let shape = instance.server.shape
        if let credential {
            guard credential.fits(instance.server) else {
                throw Refusal(.credentialInvalid, "the credential was rendered for another form of the server")
            }
        } else if shape.needsCredential {
            throw Refusal(.credentialMissing, "no credential was given to the request")
        }
        buffer.reserve(head.length + shape.target.count + (credential?.fields?.count ?? 0) + 256)
        buffer.append(bytes[head.methodName])
        buffer.append(byte: 0x20)
        writeTarget(head, bytes, suffix: suffix, shape, credential, into: buffer)
        buffer.append(" HTTP/1.1\r\n")
        buffer.append(shape.hostLine)
        // A stream whose endpoint event will be rewritten must come as it is written.
        let isRewritten = instance.server.transport == .sse && suffix == nil && head.method == .get
        copyFields(head, bytes, shape, Passes(encodings: !isRewritten, trace), into: buffer)
        if isRewritten { buffer.append("Accept-Encoding: identity\r\n") }
        buffer.append("x-request-id: ")
        requestID.append(to: buffer)
        buffer.append("\r\n")
        if let trace, trace.isRewritten { trace.append(to: buffer) }
        if let fields = credential?.fields { buffer.append(fields.bytes) }
        switch body {
        case .none, .untilClose: buffer.append("\r\n")
        case .exactly(let count):
            buffer.append("Content-Length: ")
            buffer.append(decimal: count)
            buffer.append("\r\n\r\n")
        case .chunked: buffer.append("Transfer-Encoding: chunked\r\n\r\n")
        }
    }

    /// What depends on the request as a whole.
    private struct Passes {
        let encodings: Bool
        let traceParent: Bool
        let traceState: Bool

        init(encodings: Bool, _ trace: TraceContext?) {
            self.encodings = encodings
            traceParent = trace.map { !$0.isRewritten } ?? true
            // One that cannot be read leaves its state without a meaning (section 3.3 of Trace Context).
            traceState = trace.map { !$0.isRewritten || $0.keepsState } ?? true
        }
    }

    private static func writeTarget(
        _ head: borrowing RequestHead, _ bytes: RawSpan, suffix: ByteRange?, _ shape: RequestShape, _ credential: RenderedCredential?,
        into buffer: ByteBuffer
    ) {
        let target = credential?.target ?? shape.target
        guard let suffix else {
            buffer.append(target.bytes)
            guard let query = head.query else { return }
            QueryPairs.append(bytes[query], except: shape.ownQueryNames, hasQuery: shape.hasQuery, hasMark: shape.hasMark, to: buffer)
            return
        }
        MessagePath.append(bytes[suffix], base: target.bytes.extracting(0..<(credential?.baseCount ?? 1)), to: buffer)
        let pairs = credential?.pairs ?? 0..<0
        if !pairs.isEmpty {
            buffer.append("?")
            buffer.append(target.bytes.extracting(pairs))
        }
        guard let query = head.query else { return }
        QueryPairs.append(bytes[query], except: shape.injectedQueryNames, hasQuery: !pairs.isEmpty, hasMark: !pairs.isEmpty, to: buffer)
    }

    /// Copies the kept lines, each run of neighbours in one piece.
    private static func copyFields(
        _ head: borrowing RequestHead, _ bytes: RawSpan, _ shape: RequestShape, _ passes: Passes, into buffer: ByteBuffer
    ) {
        let nominated = head.nominated
        var runStart = 0
        var runEnd = 0
        for line in head.fields {
            guard goesUpstream(line, bytes, passes), !shape.injects(field: line.name, of: bytes),
                nominated.isEmpty || !isNominated(line, nominated, bytes)
            else { continue }
            if Int(line.line.lower) != runEnd {
                buffer.append(bytes.extracting(runStart..<runEnd))
                runStart = Int(line.line.lower)
            }
            runEnd = Int(line.line.upper)
        }
        buffer.append(bytes.extracting(runStart..<runEnd))
    }

    /// Whether a field is for the server at all. Recognised under case folding and with `_` for `-`.
    @inline(always)
    private static func goesUpstream(_ line: FieldLine, _ bytes: RawSpan, _ passes: Passes) -> Bool {
        switch line.id {
        // Said anew by the gateway
        case .host, .contentLength, .transferEncoding, .expect, .requestID: false
        // Of this hop (RFC 9110, section 7.6.1)
        case .connection, .keepAlive, .trailer, .upgrade, .http2Settings, .proxyPrefix: false
        case .te: bytes[line.value].equalsFolded("trailers".utf8Span.span.raw)
        // The agent's own credentials, and what is the gateway's to say
        case .authorization, .cookie, .apiKey, .userEmail, .userToken, .clavigerDoor: false
        // Who the client is and how it came here
        case .origin, .forwarded, .forwardedFor: false
        case .acceptEncoding: passes.encodings
        case .traceParent: passes.traceParent
        case .traceState: passes.traceState
        default: true
        }
    }
}

/// Whether a Connection field names this line (RFC 9110, section 7.6.1).
package func isNominated(_ line: FieldLine, _ names: [ByteRange], _ bytes: RawSpan) -> Bool {
    for name in names where name.count == line.name.count && bytes[name].equalsFolded(bytes[line.name]) { return true }
    return false
}
