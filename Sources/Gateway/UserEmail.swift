// For whom a caller speaks: an email address, checked and brought to its one form at deposit and at look-up alike.

internal import Kernel
package import TLS

/// A mailbox of ASCII characters: `local@domain`, trimmed and lower-case. Plus-addresses are identities of their own.
///
/// The local part is 1 to 64 of `A-Z a-z 0-9 . ! # $ % & ' * + / = ? ^ _ { | } ~ -`; the domain is labels of letters, digits and inner
/// hyphens (RFC 1034, section 3.5), 253 bytes in all, the last one not a number. No quotes, comments, literals, final dot or U-labels.
package struct UserEmail: Hashable, Sendable {
    /// SHA-256 of the normalised text: what caches and references know the user by.
    package let digest: Digest256
    private let bytes: [UInt8]
    private let at: Int

    /// - Parameter value: an `x-user-email` value; spaces and tabs around it do not count. A list is no address.
    package init?(_ value: RawSpan) {
        let (start, end) = UserEmail.trimmed(value)
        guard end - start >= 3, end - start <= 64 + 1 + 253 else { return nil }
        var folded = [UInt8](repeating: 0, count: end - start)
        var separator = -1
        for offset in start..<end {
            let byte = value[offset]
            if byte == UInt8(ascii: "@") {
                guard separator < 0 else { return nil }
                separator = offset - start
            }
            folded[offset - start] = byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
        }
        guard separator >= 1, separator <= 64 else { return nil }
        for offset in 0..<separator {
            guard UserEmail.isLocal(folded[offset]) else { return nil }
        }
        guard UserEmail.isDomain(folded.span.extracting((separator + 1)...)) else { return nil }
        digest = Digest256(hashing: folded.span.raw)
        bytes = folded
        at = separator
    }

    package init?(_ text: String) {
        self.init(Array(text.utf8).span.raw)
    }

    /// The normalised address. For records and pages; deciding needs only `digest`.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Whether `value`, perhaps in other case, is this address without a byte around it: then parsing it would give the same.
    func isSaid(by value: RawSpan) -> Bool {
        value.equalsFolded(bytes.span.raw)
    }

    /// The domain's bytes, lower-case.
    package var domain: RawSpan {
        @_lifetime(borrow self)
        get { bytes.span.extracting((at + 1)...).raw }
    }

    package static func == (left: UserEmail, right: UserEmail) -> Bool { left.digest == right.digest }

    package func hash(into hasher: inout Hasher) { hasher.combine(digest) }

    /// Whether `text` could stand behind an address's `@`: the rule for configured domains too.
    package static func isDomain(_ text: String) -> Bool {
        isDomain(Array(text.utf8).span)
    }

    private static func trimmed(_ value: RawSpan) -> (Int, Int) {
        var start = 0
        var end = value.byteCount
        while start < end, value[start] == 0x20 || value[start] == 0x09 { start += 1 }
        while end > start, value[end - 1] == 0x20 || value[end - 1] == 0x09 { end -= 1 }
        return (start, end)
    }

    /// Of a local part, lower-case.
    private static func isLocal(_ byte: UInt8) -> Bool {
        // Bit n of the first word is character n, of the second character 64 + n: 0-9 ! # $ % & ' * + - . / = ? and a-z ^ _ { | } ~
        let low: UInt64 = 0xa3ff_ecfa_0000_0000
        let high: UInt64 = 0x7fff_fffe_c000_0000
        return byte < 128 && (byte < 64 ? low >> UInt64(byte) : high >> UInt64(byte & 63)) & 1 == 1
    }

    private static func isDomain(_ bytes: Span<UInt8>) -> Bool {
        guard bytes.count >= 1, bytes.count <= 253 else { return false }
        var label = 0
        var onlyDigits = true
        for offset in 0..<bytes.count {
            let byte = bytes[offset]
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): onlyDigits = false
            case UInt8(ascii: "0")...UInt8(ascii: "9"): break
            case UInt8(ascii: "-"):
                guard label > 0 else { return false }
                onlyDigits = false
            case UInt8(ascii: "."):
                guard label > 0, bytes[offset - 1] != UInt8(ascii: "-") else { return false }
                label = -1
                onlyDigits = true
            default: return false
            }
            label += 1
            guard label <= 63 else { return false }
        }
        return label > 0 && !onlyDigits && bytes[bytes.count - 1] != UInt8(ascii: "-")
    }
}
