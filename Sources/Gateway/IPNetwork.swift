// A block of addresses in CIDR form (RFC 4632), for trusted proxies.

/// `bytes` is 4 or 16 long.
package struct IPNetwork: Hashable, Sendable {
    package let bytes: [UInt8]
    package let prefix: Int

    package init(bytes: [UInt8], prefix: Int) {
        self.bytes = bytes
        self.prefix = prefix
    }
}
