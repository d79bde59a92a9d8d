// From a refusal to the HTTP response that says it: the one place where the two meet.

package import HTTP1

/// Writes refusals as complete HTTP/1.1 responses. Nothing of a request is repeated but the JSON-RPC id, and the origin that the settings allow.
package enum RefusalAnswer {
    /// A refusal's code in JSON-RPC, in the range left to servers (JSON-RPC 2.0, section 5.1).
    package static let errorCode = -32010
    /// "URL elicitation required" of MCP 2025-11-25 (`mcp_types` 2.3.0, `jsonrpc.URL_ELICITATION_REQUIRED`).
    package static let elicitationRequired = -32042

    /// Appends the answer to `buffer`.
    ///
    /// - Parameters:
    ///   - form: `.plain` for all but a POST whose body was looked into after its key was accepted.
    ///   - frame: what the answer's head needs to know of the exchange. The connection ends with the answer where the frame says so or the code does.
    /// - Returns: the status, for the record of the exchange; and whether the connection can go on.
    @discardableResult
    package static func write(_ refusal: Refusal, form: RefusalForm, frame: AnswerFrame, into buffer: ByteBuffer) -> (status: Int, keepsAlive: Bool) {
        let keepsAlive = frame.keepsAlive && !refusal.code.endsConnection
        let status: Int
        let body = ByteBuffer(capacity: 512)
        switch form {
        case .plain:
            status = refusal.code.status
            RefusalBody.writePlain(refusal, into: body)
        case .jsonRPC(let era, let calls, let isBatch):
            status = RefusalBody.status(refusal, era: era, calls: calls)
            RefusalBody.write(refusal, era: era, calls: calls, isBatch: isBatch, requestID: frame.requestID, into: body)
        }
        frame.writeStart(status: status, into: buffer)
        buffer.append("x-claviger-refusal: ")
        buffer.append(refusal.code.rawValue)
        buffer.append("\r\nContent-Type: application/json\r\nX-Content-Type-Options: nosniff\r\n")
        switch refusal.code {
        case .unauthenticated: buffer.append("WWW-Authenticate: X-API-Key realm=\"claviger\"\r\n")
        case .methodNotAllowed: buffer.append("Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n")
        case .badRequest, .lineTooLong, .headTooLarge, .requestTimeout, .expectationFailed, .wrongHost, .notFound, .originNotAllowed,
            .badEmail, .userNotAllowed, .unknownServer, .denied, .rateLimited, .overloaded, .tooLarge, .credentialMissing,
            .credentialRejected, .credentialInvalid, .storeUnavailable, .upstreamUnreachable, .upstreamInvalid, .upstreamTimeout:
            break
        }
        if refusal.retryAfter != nil || refusal.code.alwaysSaysRetryAfter {
            buffer.append("Retry-After: ")
            buffer.append(decimal: RefusalAnswer.wholeSeconds(refusal.retryAfter ?? .seconds(1)))
            buffer.append("\r\n")
        }
        frame.writeEnd(body: body.bytes, keepsAlive: keepsAlive, into: buffer)
        return (status, keepsAlive)
    }

    /// Retry-After's delay-seconds (RFC 9110, section 10.2.3): rounded up, one at least, a day at most.
    package static func wholeSeconds(_ duration: Duration) -> Int {
        let (seconds, attoseconds) = duration.components
        guard seconds >= 0 else { return 1 }
        return Int(min(max(seconds.addingReportingOverflow(attoseconds > 0 ? 1 : 0).partialValue, 1), 86_400))
    }
}
