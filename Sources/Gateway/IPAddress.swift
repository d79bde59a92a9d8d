// A host's address, IPv4 or IPv6, as something to compare and count by.

internal import Kernel

/// 128 bits; an IPv4 address is the IPv4-mapped IPv6 address (RFC 4291, section 2.5.5.2), so that both spellings of one host are equal.
package struct IPAddress: Hashable, Sendable {
    let high: UInt64
    let low: UInt64

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The address in network order: 4 or 16 bytes.
    package init?(bytes: [UInt8]) {
        func word(_ range: Range<Int>) -> UInt64 { bytes[range].reduce(0) { $0 << 8 | UInt64($1) } }
        switch bytes.count {
        case 4: self.init(high: 0, low: 0xffff_0000_0000 | word(0..<4))
        case 16: self.init(high: word(0..<8), low: word(8..<16))
        default: return nil
        }
    }

    /// What one client has: an IPv4 address, or a network of 64 bits of IPv6. The two do not meet, since 0.0.0.0/8 and ::/32 are nobody's.
    package var client: UInt64 { isV4 ? low & 0xffff_ffff : high }

    package var isV4: Bool { high == 0 && low >> 32 == 0xffff }

    /// The address written as RFC 4291, section 2.2 or as four decimal numbers without leading zeros; no zone, no brackets, no blanks.
    package init?(_ text: RawSpan) {
        if let four = IPAddress.v4(text) {
            self.init(high: 0, low: 0xffff_0000_0000 | UInt64(four))
        } else if let six = IPAddress.v6(text) {
            self = six
        } else {
            return nil
        }
    }

    package init?(_ text: String) {
        self.init(text.utf8Span.span.raw)
    }

    private static func v4(_ text: RawSpan) -> UInt32? {
        guard text.byteCount >= 7, text.byteCount <= 15 else { return nil }
        var address: UInt32 = 0
        var part: UInt32 = 0, digits = 0, dots = 0
        for at in 0..<text.byteCount {
            switch text[at] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                // A leading zero means octal to some readers.
                if digits > 0 && part == 0 { return nil }
                part = part * 10 + UInt32(text[at] - 48)
                digits += 1
                if part > 255 { return nil }
            case UInt8(ascii: "."):
                guard digits > 0, dots < 3 else { return nil }
                address = address << 8 | part
                part = 0
                digits = 0
                dots += 1
            default: return nil
            }
        }
        return dots == 3 && digits > 0 ? address << 8 | part : nil
    }

    private static func v6(_ text: RawSpan) -> IPAddress? {
        guard text.byteCount >= 2, text.byteCount <= 45 else { return nil }
        /// The groups, and before which of them `::` stands.
        var groups: [UInt16] = []
        var gap: Int?
        var at = 0
        if text[0] == UInt8(ascii: ":") {
            guard text[1] == UInt8(ascii: ":") else { return nil }
            gap = 0
            at = 2
        }
        while at < text.byteCount {
            var end = at
            while end < text.byteCount, text[end] != UInt8(ascii: ":") { end += 1 }
            let piece = text.extracting(at..<end)
            if end == text.byteCount, let four = v4(piece) {
                groups.append(UInt16(four >> 16))
                groups.append(UInt16(truncatingIfNeeded: four))
                break
            }
            guard let group = hexadecimal(piece), groups.count < 8 else { return nil }
            groups.append(group)
            if end == text.byteCount { break }
            at = end + 1
            guard at < text.byteCount else { return nil }
            if text[at] == UInt8(ascii: ":") {
                guard gap == nil else { return nil }
                gap = groups.count
                at += 1
            }
        }
        guard gap == nil ? groups.count == 8 : groups.count < 8 else { return nil }
        if let gap { groups.insert(contentsOf: repeatElement(0, count: 8 - groups.count), at: gap) }
        func word(_ range: Range<Int>) -> UInt64 { groups[range].reduce(0) { $0 << 16 | UInt64($1) } }
        return IPAddress(high: word(0..<4), low: word(4..<8))
    }

    private static func hexadecimal(_ piece: RawSpan) -> UInt16? {
        guard piece.byteCount >= 1, piece.byteCount <= 4 else { return nil }
        var value: UInt16 = 0
        for at in 0..<piece.byteCount {
            guard let digit = piece[at].hexadecimalValue else { return nil }
            value = value << 4 | UInt16(digit)
        }
        return value
    }
}

extension IPAddress {
    /// In network order: 4 or 16 bytes.
    package var bytes: [UInt8] {
        let all = [high, low].flatMap { word in stride(from: UInt64(56), through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> $0) } }
        return isV4 ? Array(all.suffix(4)) : all
    }
}
