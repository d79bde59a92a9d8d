// The heads of what is relayed to the portal: as it came, less what belongs to the hop, with what the portal must believe set by us.

internal import Gateway
internal import HTTP1
internal import Kernel

/// Toward the portal's private socket alone `Cookie` and `Host` are kept and the `x-claviger-` fields are set; a client's own never get there, and the
/// portal's, by which it says that it knows who asks, never get to a client.
enum PortalHead {
    static func write(_ client: Downstream, body: BodyLength, requestID: RequestID, into out: ByteBuffer) {
        let inbox = client.channel.inbox
        let bytes = inbox.bytes
        out.append(bytes[client.head.methodName])
        out.append(" ")
        out.append(bytes[client.head.path])
        if let query = client.head.query {
            out.append("?")
            out.append(bytes[query])
        }
        out.append(" HTTP/1.1\r\n")
        for field in client.head.fields where passes(field, client.head.nominated, bytes) {
            out.append(bytes[field.line])
        }
        out.append("x-request-id: ")
        requestID.append(to: out)
        out.append("\r\nx-claviger-door: ")
        out.append(client.door.rawValue)
        out.append("\r\nx-claviger-peer: ")
        out.append(client.exchange.address ?? client.address)
        if let uid = client.uid {
            out.append("\r\nx-claviger-uid: ")
            out.append(decimal: Int(uid))
        }
        out.append(client.channel.isEncrypted ? "\r\nx-claviger-scheme: https\r\n" : "\r\nx-claviger-scheme: http\r\n")
        end(body, keepAlive: true, into: out)
    }

    static func writeAnswer(
        _ head: borrowing ResponseHead, _ bytes: RawSpan, body: BodyLength, keepAlive: Bool, requestID: RequestID, into out: ByteBuffer
    ) {
        out.append("HTTP/1.1 ")
        out.append(decimal: head.status)
        out.append(" ")
        out.append(bytes[head.reason])
        out.append("\r\n")
        for field in head.fields where passes(field, head.nominated, bytes) {
            out.append(bytes[field.line])
        }
        // What a HEAD or a 304 tells of a body it does not send.
        if case .none = body, let length = head.first(.contentLength) { out.append(bytes[length.line]) }
        out.append("x-request-id: ")
        requestID.append(to: out)
        out.append("\r\n")
        end(body, keepAlive: keepAlive, into: out)
    }

    private static func passes(_ field: FieldLine, _ nominated: [ByteRange], _ bytes: RawSpan) -> Bool {
        switch field.id {
        // Framing is written anew; an Expect was answered here; the rest is ours to say.
        case .contentLength, .expect, .requestID, .clavigerDoor, .forwarded, .forwardedFor, .apiKey, .userEmail, .userToken: return false
        default: break
        }
        return !field.id.isHopByHop && !isNominated(field, nominated, bytes)
    }

    private static func end(_ body: BodyLength, keepAlive: Bool, into out: ByteBuffer) {
        switch body {
        case .none, .untilClose: break
        case .exactly(let length):
            out.append("Content-Length: ")
            out.append(decimal: length)
            out.append("\r\n")
        case .chunked: out.append("Transfer-Encoding: chunked\r\n")
        }
        out.append(keepAlive ? "\r\n" : "Connection: close\r\n\r\n")
    }
}
