// Which addresses may be asked for what somebody else named: the way into a private network is through a name that leads there.

package import Gateway
package import Kernel
internal import Outbound

/// Public unicast addresses, and what the operator allows (`gateway.outbound.allow`), or names himself. For a URL in plain text: the host's own
/// addresses only.
package struct AddressRule: Sendable {
    private let allowed: [IPNetwork]
    private let trusted: Set<String>

    /// - Parameter trusted: origins that the configuration names, as `ServiceURL.origin` has them: they may be anywhere.
    package init(allowed: [IPNetwork], trusted: Set<String> = []) {
        self.allowed = allowed
        self.trusted = trusted
    }

    /// Where a URL's host is reached, every address of it checked: the connection is to go to no other.
    func resolution(of url: ServiceURL, by resolve: DocumentFetcher.Resolve) async throws(NoWay) -> OutboundRequest.Resolution {
        let addresses: [SocketAddress]
        do { addresses = try await resolve(url.host, url.port) } catch { throw .unresolved("does not resolve: \(error)") }
        do { try check(addresses, of: url) } catch { throw .forbidden(error.description) }
        return OutboundRequest.Resolution(host: url.host, port: url.port, addresses: addresses)
    }

    /// Why there is none, in words that follow what was asked for.
    enum NoWay: Error {
        /// Not now.
        case unresolved(String)
        case forbidden(String)
    }

    /// - Throws: naming the first address that may not be asked: one is enough, for any of them may be the one that is.
    package func check(_ addresses: [SocketAddress], of url: ServiceURL) throws(NotUsable) {
        guard !addresses.isEmpty else { throw NotUsable("has no address") }
        for address in addresses {
            guard let bytes = address.ip, let ip = IPAddress(bytes: bytes) else { throw NotUsable("is at no IP address") }
            if url.isEncrypted {
                guard trusted.contains(url.origin) || allowed.contains(where: { $0.contains(ip) }) || !AddressRule.special.contains(where: { $0.contains(ip) }) else {
                    throw NotUsable("is at \(address.host), which is no public address: allow its network with `gateway.outbound.allow` if it is yours")
                }
            } else {
                guard AddressRule.loopback.contains(where: { $0.contains(ip) }) else { throw NotUsable("is http, and at \(address.host), which is not this machine") }
            }
        }
    }

    private static let loopback = ["127.0.0.0/8", "::1/128"].compactMap { IPNetwork($0) }

    /// IANA's registries of special-purpose addresses (RFC 6890) and multicast; with them what wraps an IPv4 address: NAT64 (RFC 6052, 8215),
    /// 6to4 (RFC 3056) and Teredo (RFC 4380).
    static let special = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
        "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "::/128", "::1/128", "64:ff9b::/96",
        "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    ].compactMap { IPNetwork($0) }
}

extension SocketAddress {
    /// The bytes of its IP address.
    fileprivate var ip: [UInt8]? {
        switch self {
        case .v4(let bytes, _), .v6(let bytes, _, _): bytes
        case .unix: nil
        }
    }
}
