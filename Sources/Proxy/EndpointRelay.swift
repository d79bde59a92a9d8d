// The `endpoint` event of an HTTP+SSE server, rewritten on its way through.

internal import Gateway
internal import HTTP1

/// Holds a stream's rewriter and what it needs to know. Once the event has passed, bytes are only copied.
final class EndpointRelay {
    private var rewriter = EndpointEventRewriter()
    private let instance: ServerInstance
    private let credential: RenderedCredential?
    private let passed = ByteBuffer(capacity: 1024)

    init(_ instance: ServerInstance, _ credential: RenderedCredential?) {
        self.instance = instance
        self.credential = credential
    }

    /// What may leave of the stream now that `bytes` have come; the caller empties the buffer.
    func passing(_ bytes: RawSpan) throws(BodyFault) -> ByteBuffer {
        let (instance, credential) = (instance, credential)
        do throws(Refusal) {
            try rewriter.read(bytes, into: passed) { (reference) throws(Refusal) in
                try MessagePath.gatewayReference(for: reference, from: instance, with: credential)
            }
        } catch {
            throw .streamRefused(error)
        }
        return passed
    }
}
