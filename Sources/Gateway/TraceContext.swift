// Where an exchange stands in a trace: W3C Trace Context, level 1.

package import HTTP1
internal import Kernel

/// A trace's id, and the spans on either side of the gateway.
package struct TraceContext: Sendable {
    /// The trace's id: as it came, or begun here. Not both are 0.
    package let trace: (high: UInt64, low: UInt64)
    /// The caller's span; 0 where the trace begins here.
    package let parent: UInt64
    /// The gateway's own span, which the server is told; 0 where the gateway makes none, and passes on what came.
    package private(set) var span: UInt64 = 0
    /// Whether spans of this trace are kept.
    package let isSampled: Bool

    /// A trace that begins here.
    ///
    /// - Parameters:
    ///   - random: two words that strangers cannot predict.
    ///   - settings: say which share of traces is kept.
    package init(random: (UInt64, UInt64), sampling settings: TraceSettings) {
        // An id of zeros only means none (section 3.2.2.3).
        trace = (random.0, random.1 == 0 ? 1 : random.1)
        parent = 0
        isSampled = settings.keeps(trace.low)
    }

    /// A trace that the caller began (section 3.2). A version above 00 is read as far as 00 goes (section 3.2.4).
    ///
    /// - Parameter value: of the one `traceparent`.
    /// - Returns: nil for what is none; the trace then begins anew, and `tracestate` is not read.
    package init?(_ value: RawSpan) {
        guard value.byteCount >= 55, let version = value.hexadecimal(at: 0, 2), version != 0xff, value[2] == UInt8(ascii: "-"),
            let high = value.hexadecimal(at: 3, 16), let low = value.hexadecimal(at: 19, 16), high | low != 0, value[35] == UInt8(ascii: "-"),
            let parent = value.hexadecimal(at: 36, 16), parent != 0, value[52] == UInt8(ascii: "-"), let flags = value.hexadecimal(at: 53, 2)
        else { return nil }
        guard value.byteCount == 55 || (version > 0 && value[55] == UInt8(ascii: "-")) else { return nil }
        trace = (high, low)
        self.parent = parent
        isSampled = flags & 1 == 1
    }

    /// The same with a span of the gateway's own.
    ///
    /// - Parameter span: unpredictable.
    package func with(span: UInt64) -> TraceContext {
        var context = self
        context.span = max(span, 1)
        return context
    }

    /// Whether the gateway's span is to be sent to where spans are kept.
    package var isKept: Bool { span != 0 && isSampled }

    /// Whether what the caller sent is replaced upstream.
    var isRewritten: Bool { span != 0 }

    /// Whether the caller's `tracestate` belongs to this trace.
    var keepsState: Bool { parent != 0 }

    /// `traceparent: …` with the gateway's span, CRLF included.
    func append(to buffer: ByteBuffer) {
        buffer.append("traceparent: 00-")
        TraceContext.append(trace.high, to: buffer)
        TraceContext.append(trace.low, to: buffer)
        buffer.append("-")
        TraceContext.append(span, to: buffer)
        buffer.append(isSampled ? "-01\r\n" : "-00\r\n")
    }

    private static func append(_ word: UInt64, to buffer: ByteBuffer) {
        buffer.append(word: RequestID.digits(of: word >> 32))
        buffer.append(word: RequestID.digits(of: word))
    }
}

extension TraceContext {
    /// What a request says of its trace; nil where it says nothing, says it twice, or not rightly.
    package init?(of head: borrowing RequestHead, _ bytes: RawSpan) {
        guard head.count(of: .traceParent) == 1, let line = head.first(.traceParent) else { return nil }
        self.init(bytes[line.value])
    }
}

extension RawSpan {
    /// `count` lower-case hexadecimal digits, 16 at most, as a number.
    fileprivate func hexadecimal(at start: Int, _ count: Int) -> UInt64? {
        var value: UInt64 = 0
        for at in start..<start + count {
            let byte = self[at]
            guard let digit = byte.hexadecimalValue, byte &- UInt8(ascii: "A") > 5 else { return nil }
            value = value << 4 | UInt64(digit)
        }
        return value
    }
}
