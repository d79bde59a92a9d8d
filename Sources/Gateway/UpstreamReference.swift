// A reference that a server gave (an `endpoint` event, a Location), resolved as a client of that server would.

internal import HTTP1
internal import Kernel

/// Where on the server's own origin a reference leads (RFC 3986, section 5.2). May hold a secret: the path is in locked memory.
struct UpstreamReference {
    /// Dot segments removed.
    let path: Secret
    /// Whether `path` has one reading (`RequestPath`), and not two slashes in front, which would read as an authority.
    let isUnambiguous: Bool
    /// Where in the reference its query stands, without `?`.
    let query: Range<Int>?
    /// Where in the reference its fragment stands, with its `#`.
    let fragment: Range<Int>

    /// - Parameters:
    ///   - reference: ASCII without spaces and control characters; else nil.
    ///   - url: path, and perhaps query, of the URL that was asked for.
    /// - Returns: nil for another origin and for what is no reference.
    init?(_ reference: RawSpan, on origin: Origin, of url: RawSpan) {
        for at in 0..<reference.byteCount where reference[at] <= 0x20 || reference[at] >= 0x7f { return nil }
        let end = reference.first(UInt8(ascii: "#")) ?? reference.byteCount
        fragment = end..<reference.byteCount
        let whole = reference.extracting(0..<end)
        let mark = whole.first(UInt8(ascii: "?"))
        query = mark.map { $0 + 1..<end }
        let pathEnd = mark ?? end

        // scheme ":" and "//" authority, both of which have to be the origin's.
        var start = 0
        if let colon = UpstreamReference.endOfScheme(whole.extracting(0..<pathEnd)) {
            guard whole.extracting(0..<colon).equalsFolded(origin.scheme.rawValue.utf8Span.span.raw) else { return nil }
            start = colon + 1
            guard whole.extracting(start..<pathEnd).begins(with: "//") else { return nil }
        }
        var merged = LockedBuffer(capacity: url.byteCount + pathEnd + 1)
        if whole.extracting(start..<pathEnd).begins(with: "//") {
            start += 2
            let authorityEnd = min(whole.first(UInt8(ascii: "/"), from: start) ?? pathEnd, pathEnd)
            guard UpstreamReference.isAuthority(whole.extracting(start..<authorityEnd), of: origin) else { return nil }
            if authorityEnd == pathEnd { merged.append(byte: UInt8(ascii: "/")) }
            merged.append(whole.extracting(authorityEnd..<pathEnd))
        } else {
            let urlPath = url.extracting(0..<(url.first(UInt8(ascii: "?")) ?? url.byteCount))
            if pathEnd == 0 {
                merged.append(urlPath)
            } else {
                if whole[0] != UInt8(ascii: "/") { merged.append(UpstreamReference.directory(of: urlPath)) }
                merged.append(whole.extracting(0..<pathEnd))
            }
        }
        let resolved = Secret(UpstreamReference.withoutDotSegments(merged.bytes))
        path = resolved
        isUnambiguous = RequestPath.isUnambiguous(resolved.bytes) && !resolved.bytes.begins(with: "//")
    }

    /// Where the colon of a scheme stands (RFC 3986, section 3.1).
    private static func endOfScheme(_ text: RawSpan) -> Int? {
        for at in 0..<text.byteCount {
            switch text[at] {
            case UInt8(ascii: ":"): return at
            case UInt8(ascii: "/"): return nil
            default: continue
            }
        }
        return nil
    }

    /// Whether `authority` is the origin's, the port written out or not. User information makes it another.
    private static func isAuthority(_ authority: RawSpan, of origin: Origin) -> Bool {
        let short = origin.authority
        if authority.equalsFolded(short.utf8Span.span.raw) { return true }
        let name = origin.host.utf8.contains(UInt8(ascii: ":")) ? "[\(origin.host)]" : origin.host
        let long = "\(name):\(origin.port)"
        return authority.equalsFolded(long.utf8Span.span.raw)
    }

    /// A path through its last slash.
    @_lifetime(copy path)
    private static func directory(of path: RawSpan) -> RawSpan {
        var end = path.byteCount
        while end > 0, path[end - 1] != UInt8(ascii: "/") { end -= 1 }
        return path.extracting(0..<end)
    }

    /// RFC 3986, section 5.2.4, for a path that begins with a slash.
    private static func withoutDotSegments(_ path: RawSpan) -> LockedBuffer {
        var segments: [Range<Int>] = []
        var at = 1
        while at <= path.byteCount {
            let end = path.first(UInt8(ascii: "/"), from: at) ?? path.byteCount
            let segment = path.extracting(at..<end)
            let isLast = end == path.byteCount
            if segment.equals("..") {
                _ = segments.popLast()
                if isLast { segments.append(end..<end) }
            } else if segment.equals(".") {
                if isLast { segments.append(end..<end) }
            } else {
                segments.append(at..<end)
            }
            at = end + 1
        }
        var result = LockedBuffer(capacity: path.byteCount + 1)
        for segment in segments {
            result.append(byte: UInt8(ascii: "/"))
            result.append(path.extracting(segment))
        }
        return result
    }
}
