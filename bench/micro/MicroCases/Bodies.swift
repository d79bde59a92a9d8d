// Bodies on their way through: the framing of chunks, and events of a stream.

internal import Gateway
internal import HTTP1

extension Case {
    static func bodyCases(_ fixtures: Fixtures) -> [Case] {
        [
            Case("chunk read") {
                let chunk = ByteBuffer(Text.chunk)
                let decoder = Decoder()
                return { iterations in
                    var sum = 0
                    for _ in 0..<iterations { sum &+= try decoder.read(chunk, into: nil) }
                    return sum
                }
            },
            Case("chunk written") {
                let event = ByteBuffer(Text.event)
                let out = ByteBuffer(capacity: 16 << 10)
                return { iterations in
                    var sum = 0
                    for _ in 0..<iterations {
                        out.clear()
                        out.append(chunkOf: event.bytes)
                        sum &+= out.count
                    }
                    return sum
                }
            },
            Case("event passed on") {
                let chunk = ByteBuffer(Text.chunk)
                let decoder = Decoder()
                let out = ByteBuffer(capacity: 16 << 10)
                return { iterations in
                    var sum = 0
                    for _ in 0..<iterations {
                        out.clear()
                        _ = try decoder.read(chunk, into: out)
                        sum &+= out.count
                    }
                    return sum
                }
            },
            Case("endpoint event rewritten") {
                let event = ByteBuffer(Text.endpointEvent)
                let out = ByteBuffer(capacity: 16 << 10)
                return { iterations in
                    var sum = 0
                    for _ in 0..<iterations {
                        out.clear()
                        var rewriter = EndpointEventRewriter()
                        try rewriter.read(event.bytes, into: out) { (reference) throws(Refusal) in
                            try MessagePath.gatewayReference(for: reference, from: fixtures.stream, with: nil)
                        }
                        if rewriter.isDone { sum &+= out.count }
                    }
                    return sum
                }
            },
        ]
    }

    /// An endless chunked body, read as `BodyPump` reads one.
    private final class Decoder {
        private var decoder = BodyDecoder(.chunked)

        /// Reads one whole chunk, whose payload goes out as a chunk again; how many bytes of payload that were.
        func read(_ bytes: ByteBuffer, into out: ByteBuffer?) throws(MessageFault) -> Int {
            var at = 0
            var payload = 0
            while at < bytes.count {
                switch try decoder.next(bytes.bytes.extracting(at..<bytes.count)) {
                case .payload(let count):
                    out?.append(chunkOf: bytes.bytes.extracting(at..<at + count))
                    payload += count
                    at += count
                case .framing(let count): at += count
                case .needMore, .complete: return 0
                }
            }
            return payload
        }
    }
}
