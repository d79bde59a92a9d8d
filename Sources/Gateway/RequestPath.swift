// Whether a path means to everyone on the way what it says: the check before anything is looked up by it.

internal import Kernel

/// Paths in origin form (RFC 9112, section 3.2.1; RFC 3986, section 3.3).
package enum RequestPath {
    /// Whether `path` consists of what RFC 3986 allows in a path and, decoded once, still has the segments it seems to have: no `.` or `..`
    /// (also before a `;`), no encoded slash, backslash, NUL or control character, no overlong UTF-8, no `%` without two digits.
    ///
    /// An encoded percent sign is a percent sign: what it would mean when decoded again is not looked at.
    package static func isUnambiguous(_ path: RawSpan) -> Bool {
        isPlain(path) || isUnambiguousOnceDecoded(path)
    }

    /// Whether `path` begins with a slash and is letters, digits, `-`, `_` and slashes: nothing to decode, and no dots.
    private static func isPlain(_ path: RawSpan) -> Bool {
        guard path.byteCount > 0, path[0] == UInt8(ascii: "/") else { return false }
        // Bit n of the first word is character n, of the second character 64 + n.
        let low: UInt64 = 0x03ff_a000_0000_0000
        let high: UInt64 = 0x07ff_fffe_87ff_fffe
        for at in 0..<path.byteCount {
            let byte = path[at]
            guard byte < 128, (byte < 64 ? low : high) &>> UInt64(byte & 63) & 1 == 1 else { return false }
        }
        return true
    }

    private static func isUnambiguousOnceDecoded(_ path: RawSpan) -> Bool {
        var at = 0
        let end = path.byteCount
        guard end > 0, path[0] == UInt8(ascii: "/") else { return false }
        // Of the present segment, decoded: how many dots it began with, and whether it is nothing but these so far.
        var dots = 0
        var isDots = true
        var lead: UInt8 = 0
        while at < end {
            var byte = path[at]
            at += 1
            if byte == UInt8(ascii: "/") {
                if isDots && (dots == 1 || dots == 2) { return false }
                dots = 0
                isDots = true
                lead = 0
                continue
            }
            if byte == UInt8(ascii: "%") {
                guard at + 1 < end, let high = path[at].hexadecimalValue, let low = path[at + 1].hexadecimalValue else { return false }
                byte = high << 4 | low
                at += 2
                if byte < 0x20 || byte == 0x7f || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\\") { return false }
                // Overlong forms (RFC 3629, section 3): C0, C1; E0 before 80...9F; F0 before 80...8F.
                if byte == 0xc0 || byte == 0xc1 || (lead == 0xe0 && byte & 0xe0 == 0x80) || (lead == 0xf0 && byte & 0xf0 == 0x80) { return false }
                lead = byte
            } else {
                guard byte.isPathCharacter else { return false }
                lead = 0
            }
            if isDots {
                if byte == UInt8(ascii: ".") {
                    dots += 1
                } else if byte == UInt8(ascii: ";") {
                    if dots == 1 || dots == 2 { return false }
                    isDots = false
                } else {
                    isDots = false
                }
            }
        }
        return !(isDots && (dots == 1 || dots == 2))
    }

    /// How many slashes, and so how many segments, a path in origin form has.
    package static func segmentCount(_ path: RawSpan) -> Int {
        var count = 0
        for at in 0..<path.byteCount where path[at] == UInt8(ascii: "/") { count += 1 }
        return count
    }
}
