// What browsers are told: the CORS fields of every response to an allowed origin, and the answer to a preflight.

package import HTTP1

/// The Fetch standard's CORS protocol, for origins that `gateway.allowed_origins` names.
package enum CrossOrigin {
    /// Appends the field lines that let a page of `origin` read the response.
    package static func append(for origin: String, to buffer: ByteBuffer) {
        buffer.append("Access-Control-Allow-Origin: ")
        buffer.append(origin)
        buffer.append("\r\nAccess-Control-Expose-Headers: Mcp-Session-Id, x-request-id, x-claviger-refusal\r\nVary: Origin\r\n")
    }

    /// Writes the whole answer to a preflight: 204, before any key is asked for.
    ///
    /// The method and the field names asked for are those granted: what may be sent is for the key and the server to decide.
    /// Credentials in the browser's sense (cookies) are not granted: they are not forwarded.
    package static func writePreflight(
        _ head: borrowing RequestHead, _ bytes: RawSpan, origin: String, requestID: RequestID, keepAlive: Bool, into buffer: ByteBuffer
    ) {
        buffer.append("HTTP/1.1 204 No Content\r\n")
        append(for: origin, to: buffer)
        if let method = head.first(.accessControlRequestMethod) {
            buffer.append("Access-Control-Allow-Methods: ")
            buffer.append(bytes[method.value])
            buffer.append("\r\n")
        }
        if let names = head.first(.accessControlRequestHeaders) {
            buffer.append("Access-Control-Allow-Headers: ")
            buffer.append(bytes[names.value])
            buffer.append("\r\n")
        }
        buffer.append("Access-Control-Max-Age: 600\r\nx-request-id: ")
        requestID.append(to: buffer)
        buffer.append(keepAlive ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n")
    }
}
