// The four forms of a request target, and what an authority may look like.

internal import Kernel

/// A request target taken apart (RFC 9112, section 3.2).
struct RequestTarget {
    var path: ByteRange
    var query: ByteRange?
    var authority: ByteRange?

    /// Reads `bytes[target]`, which holds printable ASCII and spaces.
    /// - Throws: `malformed` for a target of no form, with a space or `#`, with userinfo, or of a form its method does not have.
    @inline(always)
    init(_ bytes: RawSpan, _ target: ByteRange, _ method: Method) throws(MessageFault) {
        let start = Int(target.lower)
        let end = Int(target.upper)
        var question = bytes.firstDelimiter(from: start, to: end)
        let pathEnd = question
        // Later question marks belong to the query; a space or `#` is nowhere right.
        while question < end, bytes[question] == UInt8(ascii: "?") {
            question = bytes.firstDelimiter(from: question &+ 1, to: end)
        }
        guard question == end else { throw .malformed(.target) }
        path = ByteRange(start, pathEnd)
        query = pathEnd < end ? ByteRange(pathEnd &+ 1, end) : nil
        authority = nil
        guard bytes[start] == UInt8(ascii: "/"), method != .connect else {
            try takeOtherForm(bytes, target, method)
            return
        }
    }

    private mutating func takeOtherForm(_ bytes: RawSpan, _ target: ByteRange, _ method: Method) throws(MessageFault) {
        if method == .connect {
            guard bytes[target].isAuthority else { throw .malformed(.target) }
            authority = target
            path = ByteRange(Int(target.upper), Int(target.upper))
            return
        }
        if bytes[target].isEqual(to: "*") {
            guard method == .options else { throw .malformed(.target) }
            return
        }
        let start = Int(path.lower)
        let end = Int(path.upper)
        var host = start
        for scheme in [7, 8] where end - start >= scheme {
            let prefix = bytes.extracting(start..<start + scheme)
            if prefix.isEqualFolded(to: "http://") || prefix.isEqualFolded(to: "https://") { host = start + scheme }
        }
        guard host > start else { throw .malformed(.target) }
        var slash = host
        while slash < end, bytes[slash] != UInt8(ascii: "/") { slash += 1 }
        authority = ByteRange(host, slash)
        path = ByteRange(slash, end)
        guard bytes.extracting(host..<slash).isAuthority else { throw .malformed(.authority) }
    }
}

extension RawSpan {
    /// Whether these bytes are a host with an optional port and nothing else: letters, digits, `-`, `.`, `_`, or an IPv6 address in brackets,
    /// then `:` and a port up to 65535. Narrower than RFC 3986: no userinfo, no percent-encoding, no sub-delims, no zone.
    package var isAuthority: Bool {
        guard byteCount > 0 else { return false }
        var end = 0
        if self[0] == UInt8(ascii: "[") {
            end = 1
            while end < byteCount, self[end].isHexDigit || self[end] == UInt8(ascii: ":") || self[end] == UInt8(ascii: ".") {
                end += 1
            }
            guard end > 3, end < byteCount, self[end] == UInt8(ascii: "]") else { return false }
            end += 1
        } else {
            end = endOfHost
            guard end > 0 else { return false }
        }
        guard end < byteCount else { return true }
        guard self[end] == UInt8(ascii: ":") else { return false }
        return extracting((end + 1)..<byteCount).decimal(atMost: 65535) != nil
    }

    /// Where letters, digits, `-`, `.` and `_` end.
    private var endOfHost: Int {
        var end = 0
        while true {
            end = endOfNameBytes(from: end, to: byteCount)
            guard end < byteCount, self[end] == UInt8(ascii: ".") || self[end] == UInt8(ascii: "_") else { return end }
            end &+= 1
        }
    }
}

extension UInt8 {
    @inline(always)
    var isHexDigit: Bool { isDigit || foldedASCII &- 0x61 < 6 }
}
