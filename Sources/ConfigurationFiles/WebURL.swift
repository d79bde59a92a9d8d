// A URL of the configuration, taken apart strictly (RFC 3986): scheme, host, port, path, query, and nothing that could hide another.

internal import Gateway

struct WebURL {
    let origin: Origin
    let host: Host
    /// `/` first, as written; empty where nothing was.
    let path: String
    /// Without its `?`, as written.
    let query: String?

    init(_ text: String) throws(Malformed) {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw Malformed("must be printable ASCII without blanks; percent-encode anything else")
        }
        guard let colon = text.firstRange(of: "://") else { throw Malformed("must begin with `https://` or `http://`") }
        let scheme = text[..<colon.lowerBound]
        guard !scheme.utf8.contains(UInt8(ascii: "{")) else { throw Malformed("must begin with `https://` or `http://`; a placeholder may not stand there") }
        guard let kind = Origin.Scheme(rawValue: scheme.lowercased()) else {
            throw Malformed("must begin with `https://` or `http://`, not with \("\(scheme)://".quoted)")
        }
        var rest = text[colon.upperBound...]
        guard !rest.utf8.contains(UInt8(ascii: "#")) else { throw Malformed("must have no fragment; take out the `#` and what follows") }
        query = rest.utf8.firstIndex(of: UInt8(ascii: "?")).map { String(rest[rest.index(after: $0)...]) }
        if let mark = rest.utf8.firstIndex(of: UInt8(ascii: "?")) { rest = rest[..<mark] }
        let authority = rest.prefix { $0 != "/" }
        path = String(rest[authority.endIndex...])
        guard !authority.utf8.contains(UInt8(ascii: "\\")), !path.utf8.contains(UInt8(ascii: "\\")) else { throw Malformed("must have no `\\`; a path's steps are parted by `/`") }
        guard !authority.utf8.contains(UInt8(ascii: "@")) else {
            throw Malformed("must have no user or password before the host; a credential enters by `auth`")
        }
        let (name, digits) = WebURL.split(authority)
        do {
            host = try Host(String(name))
        } catch {
            throw Malformed("is not a URL: \(error.words)")
        }
        var port: UInt16 = kind == .https ? 443 : 80
        if let digits {
            guard !digits.utf8.contains(UInt8(ascii: "{")) else { throw Malformed("must have a number for a port; a placeholder may not stand there") }
            guard digits.utf8.count <= 5, let number = Quantity.number(digits), (1...65_535).contains(number) else {
                throw Malformed("must have a port from 1 to 65535, or none")
            }
            port = UInt16(number)
        }
        origin = Origin(scheme: kind, host: host.text, port: port)
    }

    /// Host and what stands behind the last colon outside brackets.
    private static func split(_ authority: Substring) -> (Substring, Substring?) {
        let bracket = authority.lastIndex(of: "]") ?? authority.startIndex
        guard let colon = authority[bracket...].lastIndex(of: ":") else { return (authority, nil) }
        return (authority[..<colon], authority[authority.index(after: colon)...])
    }
}

extension WebURL {
    /// Characters of a path (RFC 3986, section 3.3) or a query (3.4) outside percent-encoding.
    static func isPathByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122: true
        default: "-._~!$&'()*+,;=:@/".utf8.contains(byte)
        }
    }

    static func isQueryByte(_ byte: UInt8) -> Bool { isPathByte(byte) || byte == UInt8(ascii: "?") }

    /// Whether `text` holds only such bytes and whole `%XX`.
    static func isEncoded(_ text: String, _ allowed: (UInt8) -> Bool) -> Bool {
        let bytes = Array(text.utf8)
        var at = 0
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "%") {
                guard at + 2 < bytes.count, hexadecimal(bytes[at + 1]) != nil, hexadecimal(bytes[at + 2]) != nil else { return false }
                at += 3
            } else {
                guard allowed(bytes[at]) else { return false }
                at += 1
            }
        }
        return true
    }

    /// `%XX` undone; `text` is encoded.
    static func decoded(_ text: some StringProtocol) -> [UInt8] {
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        var at = 0
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "%"), at + 2 < bytes.count, let high = hexadecimal(bytes[at + 1]), let low = hexadecimal(bytes[at + 2]) {
                out.append(high << 4 | low)
                at += 3
            } else {
                out.append(bytes[at])
                at += 1
            }
        }
        return out
    }

    static func hexadecimal(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 48...57: digit - 48
        case 97...102: digit - 87
        case 65...70: digit - 55
        default: nil
        }
    }
}
