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
