// Classes of single bytes, and comparing spans of them: ASCII only, no Unicode.

internal import Kernel

extension UInt8 {
    /// RFC 3986, section 2.3: what is never percent-encoded.
    var isUnreserved: Bool {
        switch self {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
            true
        default: false
        }
    }

    /// RFC 3986, section 3.3: `pchar` without the percent sign.
    var isPathCharacter: Bool {
        switch self {
        case UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"),
            UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "="), UInt8(ascii: ":"),
            UInt8(ascii: "@"):
            true
        default: isUnreserved
        }
    }

    /// The value of a hexadecimal digit, of either case.
    var hexadecimalValue: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// The digit of a value below 16, upper-case as RFC 3986, section 2.1 wants it.
    static func hexadecimalDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? value + UInt8(ascii: "0") : value - 10 + UInt8(ascii: "A")
    }

    /// ASCII letters lower-case, all else as it is.
    var lowercased: UInt8 { self &- UInt8(ascii: "A") < 26 ? self | 0x20 : self }

    /// As field names are compared for injection: folded, `_` as `-`.
    var foldedFieldByte: UInt8 { self == UInt8(ascii: "_") ? UInt8(ascii: "-") : lowercased }
}

extension RawSpan {
    /// Whether the bytes are exactly these.
    func equals(_ other: RawSpan) -> Bool {
        guard byteCount == other.byteCount else { return false }
        guard byteCount >= 8 else {
            for at in 0..<byteCount where self[at] != other[at] { return false }
            return true
        }
        let last = byteCount &- 8
        var at = 0
        while at < last {
            if word(at: at) != other.word(at: at) { return false }
            at &+= 8
        }
        return word(at: last) == other.word(at: last)
    }

    /// Whether the bytes are those of a literal.
    package func equals(_ text: String) -> Bool {
        equals(text.utf8Span.span.raw)
    }

    /// Whether the bytes are these under ASCII case folding.
    package func equalsFolded(_ other: RawSpan) -> Bool {
        guard byteCount == other.byteCount else { return false }
        // Most who compare wrote both alike.
        return equals(other) || equalsByteByByteFolded(other)
    }

    private func equalsByteByByteFolded(_ other: RawSpan) -> Bool {
        for at in 0..<byteCount where self[at].lowercased != other[at].lowercased { return false }
        return true
    }

    /// Whether the bytes begin with a literal's.
    func begins(with text: StaticString) -> Bool {
        byteCount >= text.utf8CodeUnitCount && extracting(first: text.utf8CodeUnitCount).isEqual(to: text)
    }

    /// Whether the bytes begin with these.
    func begins(with other: RawSpan) -> Bool {
        byteCount >= other.byteCount && extracting(first: other.byteCount).equals(other)
    }

    /// The byte at `offset`, a percent sign with two digits taken for what it encodes; moves `offset` behind it.
    func decodedByte(at offset: inout Int) -> UInt8 {
        let byte = self[offset]
        if byte == UInt8(ascii: "%"), offset + 2 < byteCount, let high = self[offset + 1].hexadecimalValue,
            let low = self[offset + 2].hexadecimalValue
        {
            offset += 3
            return high << 4 | low
        }
        offset += 1
        return byte
    }

    /// Where the byte stands first, from `start` on.
    func first(_ byte: UInt8, from start: Int = 0) -> Int? {
        let wanted = ByteBlock(repeating: byte)
        var at = start
        while at < byteCount {
            let found = ByteMatches(paddedBlock(at: at) .== wanted)
            if !found.isEmpty {
                // Zeros behind the end are none of these bytes.
                let place = at &+ found.first
                return place < byteCount ? place : nil
            }
            at &+= 16
        }
        return nil
    }
}
