// The host of a URL or an address: a DNS name, IPv4 or IPv6, in its one form.

internal import Kernel

struct Host: Hashable {
    /// Lower-case; an IPv6 address without its brackets and as RFC 5952 writes it.
    let text: String
    let kind: Kind

    enum Kind: Hashable { case name, v4([UInt8]), v6([UInt8]) }

    /// `written` is a name, an IPv4 address, or an IPv6 address in brackets (RFC 3986, section 3.2.2).
    init(_ written: String) throws(Malformed) {
        let bytes = Array(written.utf8)
        guard !bytes.isEmpty else { throw Malformed("the host is missing") }
        guard bytes.allSatisfy({ $0 < 0x80 }) else {
            throw Malformed("the host must be ASCII; write an international name by its A-labels (`xn--…`)")
        }
        guard !bytes.contains(where: { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "}") }) else {
            throw Malformed("a placeholder may not stand in the host; it may in the path, with `auth: path`")
        }
        if bytes.first == UInt8(ascii: "[") {
            let inner = String(decoding: bytes.dropFirst().dropLast(), as: UTF8.self)
            guard bytes.last == UInt8(ascii: "]"), inner.utf8.allSatisfy(Host.isHexadecimal), case .v6(let address, let port, let scope)? = SocketAddress(numeric: inner, port: 0)
            else { throw Malformed("what stands in brackets must be an IPv6 address") }
            text = SocketAddress.v6(address, port: port, scope: scope).host
            kind = .v6(address)
            return
        }
        let name = String(decoding: bytes.map { $0 &- 65 < 26 ? $0 | 0x20 : $0 }, as: UTF8.self)
        if name.utf8.contains(UInt8(ascii: ":")), name.utf8.allSatisfy(Host.isHexadecimal) { throw Malformed("an IPv6 address must stand in brackets, as in `[::1]`") }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        guard bytes.count <= 253, labels.allSatisfy(Host.isLabel), let last = labels.last else {
            throw Malformed("the host must be a name of letters, digits, hyphens and dots, or an address")
        }
        // What ends in a number is an address to every resolver, in forms that hide which (WHATWG URL, ends-in-a-number).
        guard last.utf8.contains(where: { !(48...57).contains($0) }), !last.hasPrefix("0x") else {
            guard case .v4(let address, _)? = SocketAddress(numeric: name, port: 0) else {
                throw Malformed("a host that ends in a number must be an IPv4 address of four decimal numbers")
            }
            text = name
            kind = .v4(address)
            return
        }
        text = name
        kind = .name
    }

    var isLoopback: Bool {
        switch kind {
        case .name: text == "localhost"
        case .v4(let bytes): bytes.first == 127
        case .v6(let bytes): bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
        }
    }

    /// Not an address that anyone could connect to: `0.0.0.0` and `::`.
    var isWildcard: Bool {
        switch kind {
        case .name: false
        case .v4(let bytes), .v6(let bytes): bytes.allSatisfy { $0 == 0 }
        }
    }

    /// With the brackets of IPv6.
    var inURL: String {
        if case .v6 = kind { "[\(text)]" } else { text }
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (byte | 0x20 >= 97 && byte | 0x20 <= 102) || byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".")
    }

    /// Letters, digits and inner hyphens, 63 at most (RFC 1034, section 3.5).
    private static func isLabel(_ label: Substring) -> Bool {
        (1...63).contains(label.utf8.count) && label.utf8.first != UInt8(ascii: "-") && label.utf8.last != UInt8(ascii: "-")
            && label.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0) || $0 == UInt8(ascii: "-") }
    }
}
