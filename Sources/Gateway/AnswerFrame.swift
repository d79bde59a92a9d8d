// What all answers of the gateway's own have in common: status line, request id, CORS, length, connection.

package import HTTP1
internal import Kernel

/// What an answer's head needs to know of its exchange.
package struct AnswerFrame: Sendable {
    package let requestID: RequestID
    /// The request's origin as `allowed_origins` writes it: the answer then carries the CORS fields.
    package let allowedOrigin: String?
    /// A HEAD request gets the head alone (RFC 9110, section 9.3.2).
    package let isHead: Bool
    /// Whether the client and the exchange so far let the connection go on; not with a body that was not read to its end, nor with HTTP/1.0.
    package let keepsAlive: Bool

    package init(requestID: RequestID, allowedOrigin: String?, isHead: Bool, keepsAlive: Bool) {
        self.requestID = requestID
        self.allowedOrigin = allowedOrigin
        self.isHead = isHead
        self.keepsAlive = keepsAlive
    }

    /// Status line (RFC 9112, section 4) and the fields that all answers begin with.
    func writeStart(status: Int, into buffer: ByteBuffer) {
        buffer.append("HTTP/1.1 ")
        buffer.append(decimal: status)
        buffer.append(AnswerFrame.reason(status))
        buffer.append("\r\nx-request-id: ")
        requestID.append(to: buffer)
        buffer.append("\r\nCache-Control: no-store\r\n")
        if let allowedOrigin { CrossOrigin.append(for: allowedOrigin, to: buffer) }
    }

    /// The last fields, the empty line, and the body unless the request was a HEAD.
    func writeEnd(body: RawSpan, keepsAlive: Bool, into buffer: ByteBuffer) {
        if !keepsAlive { buffer.append("Connection: close\r\n") }
        buffer.append("Content-Length: ")
        buffer.append(decimal: body.byteCount)
        buffer.append("\r\n\r\n")
        if !isHead { buffer.append(body) }
    }

    /// With the blank before it; the statuses the gateway itself gives.
    private static func reason(_ status: Int) -> StaticString {
        switch status {
        case 200: " OK"
        case 400: " Bad Request"
        case 401: " Unauthorized"
        case 403: " Forbidden"
        case 404: " Not Found"
        case 405: " Method Not Allowed"
        case 408: " Request Timeout"
        case 413: " Content Too Large"
        case 414: " URI Too Long"
        case 417: " Expectation Failed"
        case 421: " Misdirected Request"
        case 429: " Too Many Requests"
        case 431: " Request Header Fields Too Large"
        case 502: " Bad Gateway"
        case 503: " Service Unavailable"
        case 504: " Gateway Timeout"
        default: " "
        }
    }
}

/// The answers that are no refusal and need neither a key nor anybody upstream; `CrossOrigin` has the preflight's.
package enum OwnAnswer {
    /// To `/healthz`: the process answers.
    package static func writeHealth(frame: AnswerFrame, into buffer: ByteBuffer) {
        writeText("ok\n", status: 200, frame: frame, into: buffer)
    }

    /// To `/readyz`: 200 where new requests are welcome, 503 while draining or before a snapshot is in force.
    package static func writeReadiness(isReady: Bool, frame: AnswerFrame, into buffer: ByteBuffer) {
        writeText(isReady ? "ready\n" : "not ready\n", status: isReady ? 200 : 503, frame: frame, into: buffer)
    }

    private static func writeText(_ text: String, status: Int, frame: AnswerFrame, into buffer: ByteBuffer) {
        frame.writeStart(status: status, into: buffer)
        buffer.append("Content-Type: text/plain; charset=utf-8\r\n")
        frame.writeEnd(body: text.utf8Span.span.raw, keepsAlive: frame.keepsAlive, into: buffer)
    }
}
