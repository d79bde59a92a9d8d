// `10.0.0.0/8`, `fd00::/8`, or one address, as the configuration writes a network.

internal import Gateway
internal import Kernel

extension IPNetwork {
    /// RFC 4632, section 3.1; nil also where bits behind the prefix are set: such a network is mostly a slip.
    init?(reading text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, parts.count <= 2, first.utf8.allSatisfy({ $0 != 0 && $0 < 0x80 }) else { return nil }
        let address: [UInt8]
        switch SocketAddress(numeric: String(first), port: 0) {
        case .v4(let bytes, _), .v6(let bytes, _, _): address = bytes
        case .unix, nil: return nil
        }
        var prefix = address.count * 8
        if parts.count == 2 {
            guard parts[1].utf8.count <= 3, let written = Quantity.number(parts[1]), written <= prefix else { return nil }
            prefix = written
        }
        for bit in prefix..<(address.count * 8) where address[bit / 8] & (0x80 >> UInt8(bit % 8)) != 0 { return nil }
        self.init(bytes: address, prefix: prefix)
    }
}
