// Where a URL of AWS's leads: to this machine's own addresses or away, and so whether a proxy may be on the way.

internal import Kernel

enum AWSEndpoint {
    /// Whether a proxy of the environment counts. Of plain HTTP it would read all; this machine's own addresses are none of its business.
    static func usesProxy(_ url: String) -> Bool {
        guard let host = host(of: url, scheme: "https://") else { return false }
        return !isOwn(host)
    }

    /// The host, without port, in small letters; nil where there is none, user information before it, or another scheme than HTTP's two.
    static func host(of url: String) -> String? {
        host(of: url, scheme: "https://") ?? host(of: url, scheme: "http://")
    }

    private static func host(of url: String, scheme: String) -> String? {
        guard url.utf8.starts(with: scheme.utf8) else { return nil }
        let authority = url.utf8.dropFirst(scheme.utf8.count).prefix { ![0x2F, 0x3F, 0x23, 0x5C].contains($0) }
        guard !authority.contains(UInt8(ascii: "@")) else { return nil }
        let host =
            if authority.first == UInt8(ascii: "[") {
                authority.dropFirst().prefix { $0 != UInt8(ascii: "]") }
            } else {
                authority.prefix { $0 != UInt8(ascii: ":") }
            }
        guard !host.isEmpty, host.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        return String(decoding: host.map(\.foldedASCII), as: UTF8.self)
    }

    /// Loopback, and the addresses that AWS gives containers.
    static func isOwn(_ host: String) -> Bool {
        if ["localhost", "::1", "169.254.170.2", "169.254.170.23", "fd00:ec2::23"].contains(host) { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
