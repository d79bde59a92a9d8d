// RFC 4648's base 64, into locked memory: what Foundation has makes copies that nobody wipes.

internal import Gateway
internal import Kernel

enum Base64 {
    /// Section 4, with padding.
    static func append(_ bytes: RawSpan, to out: inout LockedBuffer) {
        append(bytes, to: &out, last: (UInt8(ascii: "+"), UInt8(ascii: "/")))
        for _ in 0..<(3 - bytes.byteCount % 3) % 3 { out.append(byte: UInt8(ascii: "=")) }
    }

    /// Section 5, without padding.
    static func url(_ bytes: RawSpan) -> Secret {
        var out = LockedBuffer(capacity: (bytes.byteCount * 4 + 2) / 3)
        append(bytes, to: &out, last: (UInt8(ascii: "-"), UInt8(ascii: "_")))
        return Secret(out)
    }

    /// What text of section 5, without padding, stands for; nil for what is none. Of the ways to write something only the one counts.
    static func bytes(_ text: some Collection<UInt8>) -> [UInt8]? {
        var out: [UInt8] = []
        out.reserveCapacity(text.count * 3 / 4)
        var bits: UInt32 = 0
        var count = 0
        for character in text {
            guard let value = value(of: character) else { return nil }
            bits = (bits << 6 | value) & 0xFFFF
            count += 6
            if count >= 8 {
                count -= 8
                out.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        guard count < 6, bits & ((1 << UInt32(count)) - 1) == 0 else { return nil }
        return out
    }

    private static func value(of character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character) - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character) - 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character) + 4
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }

    private static func append(_ bytes: RawSpan, to out: inout LockedBuffer, last: (UInt8, UInt8)) {
        var bits: UInt32 = 0
        var count = 0
        for at in 0..<bytes.byteCount {
            bits = bits << 8 | UInt32(bytes[at])
            count += 8
            while count >= 6 {
                count -= 6
                out.append(byte: digit(bits >> UInt32(count) & 63, last))
            }
        }
        if count > 0 { out.append(byte: digit(bits << UInt32(6 - count) & 63, last)) }
    }

    private static func digit(_ value: UInt32, _ last: (UInt8, UInt8)) -> UInt8 {
        switch value {
        case 0..<26: UInt8(value) + UInt8(ascii: "A")
        case 26..<52: UInt8(value - 26) + UInt8(ascii: "a")
        case 52..<62: UInt8(value - 52) + UInt8(ascii: "0")
        case 62: last.0
        default: last.1
        }
    }
}
