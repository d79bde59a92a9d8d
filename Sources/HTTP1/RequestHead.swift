// A request's head: read once, strictly, into offsets. What is open to two readings is refused here and nowhere else.

internal import Kernel

/// The head of a request (RFC 9112, sections 3 and 5). Reused from request to request; its ranges count from the first byte given to `parse`.
///
/// Every head has exactly one Host, of either version: the gateway chooses by it (`gateway.hosts`), so none may leave it out.
package struct RequestHead: ~Copyable, Sendable {
    package private(set) var method = Method.other
    package private(set) var methodName = ByteRange.empty
    /// The target as it came.
    package private(set) var target = ByteRange.empty
    /// From `/` to before `?`. Empty for an absolute target without a path, which stands for `/`; `*` for `OPTIONS *`.
    package private(set) var path = ByteRange.empty
    /// What follows the first `?`, without it.
    package private(set) var query: ByteRange?
    /// The target's own authority where it is absolute: host and port, never userinfo.
    package private(set) var authority: ByteRange?
    /// Host's value: a host with an optional port, never empty.
    package private(set) var host = ByteRange.empty
    /// HTTP/1.0 or HTTP/1.1.
    package private(set) var minorVersion = 1
    /// Bytes of the head, the empty line included: the body begins here.
    package private(set) var length = 0
    /// Never `untilClose`.
    package private(set) var body = BodyLength.none
    /// Whether the client wants another exchange on this connection.
    package private(set) var keepAlive = false
    /// The client holds its body back until `100 Continue`; only where there is one, and not for HTTP/1.0 (RFC 9110, section 10.1.1).
    package private(set) var expectsContinue = false
    private var section = FieldSection(usual: 16)
    /// How far `section` was filled; another scan than the one that filled it starts over.
    private var parsed = 0

    package init() {}

    /// The field lines in order.
    package var fields: [FieldLine] { @inline(always) get { section.lines } }

    /// The field names that `Connection` nominates for removal.
    package var nominated: [ByteRange] { section.nominated }

    /// Whether a field is there, spelt properly.
    package func has(_ id: FieldID) -> Bool { section.has(id) }

    /// The first line of a field, one spelt with `_` not counted.
    package func first(_ id: FieldID) -> FieldLine? { section.first(id) }

    /// How often a field is there, those spelt with `_` not counted.
    package func count(of id: FieldID) -> Int { section.count(of: id) }

    /// Reads the head that `bytes` begin with.
    ///
    /// Called again with the same bytes and more until it returns true; what follows the head does not matter.
    /// - Parameter scan: where the last call stopped; a new one for every head.
    /// - Returns: whether the head is complete. Until then no property means anything.
    /// - Throws: the first fault, as soon as the byte is seen that makes it one; methods and expectations are judged last, when
    ///   the head is known to be sound.
    package mutating func parse(_ bytes: RawSpan, scan: inout HeadScan, limits: HeadLimits) throws(MessageFault) -> Bool {
        var progress = scan.cursor == parsed ? scan : HeadScan()
        scan = HeadScan()
        if progress.fields == 0 {
            section.clear()
            guard try progress.endOfFirstLine(in: bytes, limit: limits.line, allowsText: false) else {
                return pause(progress, &scan)
            }
            try takeRequestLine(bytes, end: progress.cursor)
            progress.advance()
            progress.fields = progress.cursor
        }
        guard try section.parse(bytes, scan: &progress, limits: limits) else { return pause(progress, &scan) }
        parsed = 0
        length = progress.cursor
        try conclude(bytes)
        return true
    }

    private mutating func pause(_ progress: HeadScan, _ scan: inout HeadScan) -> Bool {
        scan = progress
        parsed = progress.cursor
        return false
    }

    /// RFC 9112, section 3: three parts, one space between them, none elsewhere.
    @inline(always)
    private mutating func takeRequestLine(_ bytes: RawSpan, end: Int) throws(MessageFault) {
        let methodEnd = bytes.endOfToken(from: 0, to: end)
        let versionStart = end &- 8
        guard methodEnd > 0, methodEnd < end, bytes[methodEnd] == 0x20, versionStart > methodEnd &+ 2,
            bytes[versionStart &- 1] == 0x20
        else { throw .malformed(.requestLine) }
        minorVersion = try bytes.minorVersion(at: versionStart, orElse: .requestLine)
        methodName = ByteRange(0, methodEnd)
        method = Method(bytes[methodName])
        target = ByteRange(methodEnd &+ 1, versionStart &- 1)
        let parts = try RequestTarget(bytes, target, method)
        path = parts.path
        query = parts.query
        authority = parts.authority
    }

    /// What only the whole head tells.
    @inline(always)
    private mutating func conclude(_ bytes: RawSpan) throws(MessageFault) {
        guard section.repeated & FieldID.host.bit == 0 else { throw .malformed(.hostRepeated) }
        guard let hostLine = section.first(.host) else { throw .malformed(.hostMissing) }
        host = hostLine.value
        guard bytes[host].isAuthority else { throw .malformed(.host) }
        if section.has(.transferEncoding) {
            guard section.contentLength == nil else { throw .malformed(.bothLengths) }
            guard minorVersion == 1 else { throw .malformed(.transferEncodingInHTTP10) }
            body = .chunked
        } else if let length = section.contentLength {
            body = .exactly(length)
        } else {
            body = .none
        }
        keepAlive = section.isPersistent(minorVersion: minorVersion)
        expectsContinue = false
        guard method != .trace, method != .connect else { throw .methodNotAllowed }
        guard let expect = section.first(.expect) else { return }
        guard section.repeated & FieldID.expect.bit == 0, bytes[expect.value].isEqualFolded(to: "100-continue") else {
            throw .expectationFailed
        }
        expectsContinue = minorVersion == 1 && !body.isEmpty
    }
}

extension RawSpan {
    /// The minor version of `HTTP/1.0` or `HTTP/1.1`, eight bytes at `start` (RFC 9112, section 2.3).
    @inline(always)
    func minorVersion(at start: Int, orElse malformation: Malformation) throws(MessageFault) -> Int {
        let version = word(at: start)
        // "HTTP/1.0" and "HTTP/1.1", the first byte lowest
        if version == 0x312E_312F_5054_5448 { return 1 }
        if version == 0x302E_312F_5054_5448 { return 0 }
        guard extracting(start..<start + 5).isEqual(to: "HTTP/"), self[start + 5].isDigit,
            self[start + 6] == UInt8(ascii: "."), self[start + 7].isDigit
        else { throw .malformed(malformation) }
        throw .unsupportedVersion
    }
}
