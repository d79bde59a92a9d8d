// A response's head: as strict about framing as a request's, for the next response on the connection may be another user's.

internal import Kernel

/// The head of a response (RFC 9112, sections 4 and 5). Reused; its ranges count from the first byte given to `parse`.
package struct ResponseHead: ~Copyable, Sendable {
    /// 100 to 599.
    package private(set) var status = 0
    /// May be empty, may hold bytes from 0x80 on.
    package private(set) var reason = ByteRange.empty
    package private(set) var minorVersion = 1
    /// Bytes of the head, the empty line included.
    package private(set) var length = 0
    package private(set) var body = BodyLength.none
    /// Whether the connection may be used again once the body was read. False where the framing leaves a doubt, and for 101.
    package private(set) var keepAlive = false
    /// `timeout` of `Keep-Alive`, in seconds: how long the upstream says it keeps an idle connection.
    package private(set) var keepAliveTimeout: Int?
    private var section = FieldSection(usual: 8)
    private var parsed = 0

    package init() {}

    /// The field lines in order.
    package var fields: [FieldLine] { @inline(always) get { section.lines } }

    /// The field names that `Connection` nominates for removal.
    package var nominated: [ByteRange] { section.nominated }

    /// Whether another head follows for the same request (RFC 9110, section 15.2). A 101 is none: nothing of HTTP follows it.
    package var isInterim: Bool { status < 200 && status != 101 }

    /// Whether a field is there, spelt properly.
    package func has(_ id: FieldID) -> Bool { section.has(id) }

    /// The first line of a field, one spelt with `_` not counted.
    package func first(_ id: FieldID) -> FieldLine? { section.first(id) }

    /// How often a field is there, those spelt with `_` not counted.
    package func count(of id: FieldID) -> Int { section.count(of: id) }

    /// Reads the head that `bytes` begin with; called again with the same bytes and more until it returns true.
    ///
    /// A missing reason phrase is let pass, with or without its space. Nothing else is.
    /// - Parameters:
    ///   - scan: where the last call stopped; a new one for every head, also for the one after an interim one.
    ///   - method: the request's, for a response to HEAD has no body.
    /// - Returns: whether the head is complete. Until then no property means anything.
    /// - Throws: `malformed`, `unsupportedVersion`, `lineTooLong`, `headTooLarge`, as soon as the byte is seen that makes it so.
    package mutating func parse(
        _ bytes: RawSpan, scan: inout HeadScan, limits: HeadLimits, answering method: Method
    ) throws(MessageFault) -> Bool {
        var progress = scan.cursor == parsed ? scan : HeadScan()
        scan = HeadScan()
        if progress.fields == 0 {
            section.clear()
            guard try progress.endOfFirstLine(in: bytes, limit: limits.line, allowsText: true) else {
                return pause(progress, &scan)
            }
            try takeStatusLine(bytes, end: progress.cursor)
            progress.advance()
            progress.fields = progress.cursor
        }
        guard try section.parse(bytes, scan: &progress, limits: limits) else { return pause(progress, &scan) }
        parsed = 0
        length = progress.cursor
        try conclude(bytes, method)
        return true
    }

    private mutating func pause(_ progress: HeadScan, _ scan: inout HeadScan) -> Bool {
        scan = progress
        parsed = progress.cursor
        return false
    }

    /// `HTTP/1.1 200 OK`, `HTTP/1.1 200 ` or `HTTP/1.1 200`.
    private mutating func takeStatusLine(_ bytes: RawSpan, end: Int) throws(MessageFault) {
        guard end >= 8 else { throw .malformed(.statusLine) }
        minorVersion = try bytes.minorVersion(at: 0, orElse: .statusLine)
        guard end >= 12, bytes[8] == 0x20, let code = bytes.extracting(9..<12).decimal(atMost: 599), code >= 100,
            end == 12 || bytes[12] == 0x20
        else { throw .malformed(.statusLine) }
        status = code
        reason = end > 13 ? ByteRange(13, end) : ByteRange(end, end)
    }

    /// RFC 9112, section 6.3.
    private mutating func conclude(_ bytes: RawSpan, _ method: Method) throws(MessageFault) {
        let isChunked = section.has(.transferEncoding)
        guard !isChunked || section.contentLength == nil else { throw .malformed(.bothLengths) }
        guard !isChunked || minorVersion == 1 else { throw .malformed(.transferEncodingInHTTP10) }
        keepAlive = section.isPersistent(minorVersion: minorVersion) && status != 101
        keepAliveTimeout = section.first(.keepAlive).flatMap { bytes[$0.value].keepAliveTimeout }
        if status < 200 || status == 204 {
            body = .none
            // It announces a body that it cannot have: were one to come, it would be read as the next response.
            if isChunked || section.contentLength ?? 0 > 0 { keepAlive = false }
        } else if method == .head || status == 304 {
            body = .none
        } else if isChunked {
            body = .chunked
        } else if let length = section.contentLength {
            body = .exactly(length)
        } else {
            body = .untilClose
            keepAlive = false
        }
    }
}

extension RawSpan {
    /// The number behind `timeout=` in a `Keep-Alive` value; nil if there is none (RFC 2068, section 19.7.1.1).
    fileprivate var keepAliveTimeout: Int? {
        var start = 0
        while start < byteCount {
            var end = start
            while end < byteCount, self[end] != UInt8(ascii: ",") { end += 1 }
            let parameter = self[trimmed(from: start, to: end)]
            if parameter.byteCount > 8, parameter.extracting(0..<8).isEqualFolded(to: "timeout=") {
                return parameter.extracting(8..<parameter.byteCount).decimal(atMost: 1 << 31)
            }
            start = end + 1
        }
        return nil
    }
}
