// Writing a body in chunks (RFC 9112, section 7.1).

extension ByteBuffer {
    /// One chunk of `payload`. Nothing for no payload, for an empty chunk would end the body.
    package func append(chunkOf payload: RawSpan) {
        guard payload.byteCount > 0 else { return }
        reserve(payload.byteCount + Self.chunkOverhead)
        append(hexadecimal: payload.byteCount)
        append("\r\n")
        append(payload)
        append("\r\n")
    }

    /// The end of a chunked body, without trailers.
    package func appendLastChunk() {
        append("0\r\n\r\n")
    }

    /// The most bytes that `append(chunkOf:)` adds to its payload: 16 digits and two line ends.
    package static let chunkOverhead = 20
}
