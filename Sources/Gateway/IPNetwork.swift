// A block of addresses in CIDR form (RFC 4632), for trusted proxies.

internal import Kernel

/// All addresses that share a prefix. An IPv4 block holds the same hosts in their IPv4-mapped spelling.
package struct IPNetwork: Hashable, Sendable {
    private let address: IPAddress
    /// Of the 128 bits.
    private let length: Int

    /// The first address: 4 or 16 bytes.
    package var bytes: [UInt8] { address.bytes }

    /// How many of the bits of `bytes` its addresses share. An IPv4 block shares at least the 96 bits that make it one.
    package var prefix: Int { address.isV4 ? length - 96 : length }

    /// `192.0.2.0/24`, `2001:db8::/32`, or one address alone. Bits behind the prefix must be zero: who sets some meant another block.
    package init?(_ text: String) {
        let bytes = text.utf8Span.span.raw
        let slash = bytes.first(UInt8(ascii: "/"))
        guard let address = IPAddress(bytes.extracting(0..<(slash ?? bytes.byteCount))) else { return nil }
        // The text decides, not the address: `::ffff:192.0.2.0/120` counts its bits from the front of 128.
        let width = bytes.first(UInt8(ascii: ":")) == nil ? 32 : 128
        var length = width
        if let slash {
            guard let given = IPNetwork.decimal(bytes.extracting(slash + 1..<bytes.byteCount)), given <= width else { return nil }
            length = given
        }
        self.init(address, length: length + 128 - width)
    }

    private init?(_ address: IPAddress, length: Int) {
        self.address = address
        self.length = length
        let (high, low) = mask
        guard address.high & ~high == 0, address.low & ~low == 0 else { return nil }
    }

    package func contains(_ other: IPAddress) -> Bool {
        let (high, low) = mask
        return (other.high ^ address.high) & high == 0 && (other.low ^ address.low) & low == 0
    }

    // `<<` of a UInt64 by 64 or more gives zero.
    private var mask: (high: UInt64, low: UInt64) {
        (length >= 64 ? .max : ~(UInt64.max >> length), ~(UInt64.max >> max(length - 64, 0)))
    }

    private static func decimal(_ digits: RawSpan) -> Int? {
        guard digits.byteCount >= 1, digits.byteCount <= 3, digits.byteCount == 1 || digits[0] != UInt8(ascii: "0") else { return nil }
        var value = 0
        for at in 0..<digits.byteCount {
            guard (0x30...0x39).contains(digits[at]) else { return nil }
            value = value * 10 + Int(digits[at] - 48)
        }
        return value
    }
}
