// The response head that the agent gets: the server's, less what is not for it, with no secret in it.

package import HTTP1
internal import Kernel

package enum DownstreamHead {
    /// Writes a complete head, final CRLF included.
    ///
    /// - Parameters:
    ///   - head: of a final response, parsed from `bytes`' front.
    ///   - instance: whose answer it is.
    ///   - credential: what was injected into the request; its values are replaced by `***` wherever they stand.
    ///   - body: how the body that follows is framed; `none` keeps a Content-Length of the server's, which then tells of a body not sent (HEAD, 304).
    ///   - keepAlive: false adds `Connection: close`; `untilClose` bodies need it.
    ///   - allowedOrigin: `Admission.allowedOrigin`.
    package static func write(
        _ head: borrowing ResponseHead, _ bytes: RawSpan, from instance: ServerInstance, redacting credential: RenderedCredential?,
        body: BodyLength, keepAlive: Bool, requestID: RequestID, allowedOrigin: String?, into buffer: ByteBuffer
    ) {
        buffer.reserve(head.length + 256)
        let passes = Passes(
            challenge: !(head.status == 401 && !instance.server.shape.needsCredential),
            length: body == .none && head.status != 204 && head.status >= 200)
        var redaction: Redaction?
        if let credential, credential.redaction.occurs(in: bytes.extracting(0..<head.length)) { redaction = credential.redaction }
        buffer.append("HTTP/1.1 ")
        buffer.append(decimal: head.status)
        buffer.append(byte: 0x20)
        if let redaction { redaction.append(bytes[head.reason], to: buffer) } else { buffer.append(bytes[head.reason]) }
        buffer.append("\r\n")
        copyFields(head, bytes, passes, redaction, from: instance, credential, into: buffer)
        buffer.append("x-request-id: ")
        requestID.append(to: buffer)
        buffer.append("\r\n")
        if let allowedOrigin { CrossOrigin.append(for: allowedOrigin, to: buffer) }
        switch body {
        case .none, .untilClose: break
        case .exactly(let count):
            buffer.append("Content-Length: ")
            buffer.append(decimal: count)
            buffer.append("\r\n")
        case .chunked: buffer.append("Transfer-Encoding: chunked\r\n")
        }
        buffer.append(keepAlive ? "\r\n" : "Connection: close\r\n\r\n")
    }

    /// What depends on the response as a whole.
    private struct Passes {
        /// WWW-Authenticate
        let challenge: Bool
        /// Content-Length
        let length: Bool
    }

    private static func copyFields(
        _ head: borrowing ResponseHead, _ bytes: RawSpan, _ passes: Passes, _ redaction: Redaction?, from instance: ServerInstance,
        _ credential: RenderedCredential?, into buffer: ByteBuffer
    ) {
        let nominated = head.nominated
        var runStart = 0
        var runEnd = 0
        for line in head.fields {
            guard goesDownstream(line.id, passes), nominated.isEmpty || !isNominated(line, nominated, bytes) else { continue }
            if line.id == .location || redaction != nil {
                buffer.append(bytes.extracting(runStart..<runEnd))
                (runStart, runEnd) = (Int(line.line.upper), Int(line.line.upper))
                write(line, bytes, redaction, from: instance, credential, into: buffer)
                continue
            }
            if Int(line.line.lower) != runEnd {
                buffer.append(bytes.extracting(runStart..<runEnd))
                runStart = Int(line.line.lower)
            }
            runEnd = Int(line.line.upper)
        }
        buffer.append(bytes.extracting(runStart..<runEnd))
    }

    /// One line that is not copied as it stands.
    private static func write(
        _ line: FieldLine, _ bytes: RawSpan, _ redaction: Redaction?, from instance: ServerInstance, _ credential: RenderedCredential?,
        into buffer: ByteBuffer
    ) {
        if let redaction { redaction.append(bytes[line.name], to: buffer) } else { buffer.append(bytes[line.name]) }
        buffer.append(": ")
        if line.id == .location, let rewritten = LocationField.gatewayReference(for: bytes[line.value], from: instance, with: credential) {
            if let redaction { redaction.append(rewritten.bytes, to: buffer) } else { buffer.append(rewritten.bytes) }
        } else if let redaction {
            redaction.append(bytes[line.value], to: buffer)
        } else {
            buffer.append(bytes[line.value])
        }
        buffer.append("\r\n")
    }

    @inline(always)
    private static func goesDownstream(_ id: FieldID, _ passes: Passes) -> Bool {
        switch id {
        // Of this hop (RFC 9110, section 7.6.1), or said anew by the gateway
        case .connection, .keepAlive, .te, .trailer, .transferEncoding, .upgrade, .http2Settings, .proxyPrefix: false
        case .requestID, .clavigerDoor, .accessControl: false
        case .contentLength: passes.length
        // What would speak for the gateway's own origin
        case .setCookie, .clearSiteData, .altSvc, .strictTransportSecurity: false
        case .wwwAuthenticate: passes.challenge
        default: true
        }
    }
}
