// The first event of an HTTP+SSE stream (MCP 2024-11-05) names where to POST: rewritten to lie at the gateway.

package import HTTP1
internal import Kernel

/// Passes an event stream on (WHATWG HTML, section 9.2) and rewrites the data of its first `endpoint` event. What stands before that event
/// leaves event by event; from then on every byte passes untouched. No byte is looked at twice.
package struct EndpointEventRewriter: ~Copyable {
    /// Bytes that may pass before the `endpoint` event is complete.
    package static let limit = 16 << 10

    /// What the event being read is about to be.
    private enum Kind { case other, endpoint }

    /// The event that is not complete yet, as it came.
    private let held = ByteBuffer(capacity: 512)
    /// Where in `held` the line being read begins.
    private var lineStart = 0
    private var kind = Kind.other
    /// The `data` lines of the event so far, in `held`: the first one's value and whole line without its end.
    private var value = 0..<0
    private var line = 0..<0
    private var dataLines = 0
    private var isFirstLine = true
    /// The last line ended with a CR: an LF here belongs to it (section 9.2.5).
    private var followsCR = false
    private var passed = 0

    /// Whether the `endpoint` event has passed: from here on the stream needs no reading.
    package private(set) var isDone = false

    package init() {}

    /// Takes the stream's next bytes, all of them, and appends to `buffer` what may leave.
    ///
    /// - Parameter reference: what the client is told instead of the event's data (`MessagePath.gatewayReference`).
    /// - Throws: what `reference` throws; `upstream_invalid` where `limit` bytes hold no whole `endpoint` event, or it has not exactly one line of data.
    package mutating func read(
        _ bytes: RawSpan, into buffer: ByteBuffer, reference: (RawSpan) throws(Refusal) -> [UInt8]
    ) throws(Refusal) {
        var at = 0
        while at < bytes.byteCount, !isDone {
            let byte = bytes[at]
            at += 1
            passed += 1
            if followsCR, byte == UInt8(ascii: "\n") {
                followsCR = false
                // The line it ends was dealt with; it goes the way the CR went.
                if held.isEmpty { buffer.append(byte: byte) } else { held.append(byte: byte); lineStart = held.count }
                continue
            }
            followsCR = byte == UInt8(ascii: "\r")
            if byte == UInt8(ascii: "\n") || followsCR {
                let isBlank = lineEnded()
                held.append(byte: byte)
                lineStart = held.count
                if isBlank { try eventEnded(into: buffer, reference) }
            } else {
                held.append(byte: byte)
            }
            guard passed < EndpointEventRewriter.limit || isDone else {
                throw Refusal(.upstreamInvalid, "the event stream's beginning has no endpoint event")
            }
        }
        if at < bytes.byteCount { buffer.append(bytes.extracting(at..<bytes.byteCount)) }
    }

    /// Reads the line from `lineStart` to the end of `held`; true for an empty one, which ends the event.
    private mutating func lineEnded() -> Bool {
        // A reference of its own, so that the span borrows nothing of `self`.
        let held = held
        let bytes = held.bytes
        var start = lineStart
        if isFirstLine {
            isFirstLine = false
            if bytes.byteCount >= 3, bytes[0] == 0xef, bytes[1] == 0xbb, bytes[2] == 0xbf { start = 3 }
        }
        let end = bytes.byteCount
        guard start < end else { return true }
        let colon = bytes.extracting(start..<end).first(UInt8(ascii: ":")).map { start + $0 }
        let name = bytes.extracting(start..<(colon ?? end))
        var from = colon.map { $0 + 1 } ?? end
        // One blank behind the colon is no part of the value.
        if from < end, bytes[from] == 0x20 { from += 1 }
        if name.equals("event") {
            // The last such line of an event counts.
            kind = bytes.extracting(from..<end).equals("endpoint") ? .endpoint : .other
        } else if name.equals("data") {
            dataLines += 1
            if dataLines == 1 {
                value = from..<end
                line = start..<end
            }
        }
        return false
    }

    private mutating func eventEnded(into buffer: ByteBuffer, _ reference: (RawSpan) throws(Refusal) -> [UInt8]) throws(Refusal) {
        let held = held
        let bytes = held.bytes
        if kind == .endpoint {
            guard dataLines == 1, !value.isEmpty else {
                throw Refusal(.upstreamInvalid, "the endpoint event has not exactly one line of data")
            }
            let rewritten = try reference(bytes.extracting(value))
            buffer.append(bytes.extracting(0..<line.lowerBound))
            buffer.append("data: ")
            buffer.append(rewritten)
            buffer.append(bytes.extracting(line.upperBound..<bytes.byteCount))
            isDone = true
        } else {
            buffer.append(bytes)
        }
        held.clear()
        lineStart = 0
        kind = .other
        dataLines = 0
    }
}
