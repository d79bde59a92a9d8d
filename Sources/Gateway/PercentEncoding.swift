// Percent-encoding as credentials need it: nothing but unreserved characters stands as it is (RFC 3986, section 2).

internal import Kernel

extension LockedBuffer {
    mutating func append(percentEncoding text: String) {
        append(percentEncoding: text.utf8Span.span.raw)
    }

    /// Appends `value`, every byte outside RFC 3986's unreserved ones encoded.
    mutating func append(percentEncoding value: RawSpan) {
        for at in 0..<value.byteCount {
            let byte = value[at]
            if byte.isUnreserved {
                append(byte: byte)
            } else {
                append(byte: UInt8(ascii: "%"))
                append(byte: .hexadecimalDigit(byte >> 4))
                append(byte: .hexadecimalDigit(byte & 15))
            }
        }
    }
}
