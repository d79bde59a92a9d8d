// The URL of an endpoint or a document that somebody else named: taken apart once, and refused where it could lead astray.

internal import FoundationEssentials

/// Absolute, `https` (`http` to a loopback address or name only), without user information and fragment, printable ASCII.
package struct ServiceURL: Hashable, Sendable, CustomStringConvertible {
    /// As it was given: issuers are compared by these bytes.
    package let text: String
    /// Lower-case; an IPv6 address without its brackets.
    package let host: String
    package let port: UInt16
    package let isEncrypted: Bool
    /// `/` first; empty where there is none.
    package let path: String
    package let query: String?

    /// - Throws: in words that follow the name of what was read.
    package init(_ text: String) throws(NotUsable) {
        guard text.utf8.count <= 2048, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw NotUsable("is not printable ASCII of 2,048 bytes at most")
        }
        guard let url = URL(string: text, encodingInvalidCharacters: false), let scheme = url.scheme?.lowercased(), let host = url.host(percentEncoded: true),
            !host.isEmpty
        else { throw NotUsable("is not an absolute URL") }
        guard scheme == "https" || scheme == "http" else { throw NotUsable("is neither https nor http") }
        guard url.user(percentEncoded: true) == nil, url.password(percentEncoded: true) == nil, url.fragment(percentEncoded: true) == nil,
            !text.utf8.contains(UInt8(ascii: "\\"))
        else { throw NotUsable("has user information, a fragment or a backslash") }
        let bare = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        guard !bare.utf8.contains(UInt8(ascii: "%")), let port = UInt16(exactly: url.port ?? (scheme == "https" ? 443 : 80)), port > 0 else {
            throw NotUsable("has an odd host or port")
        }
        self.host = bare.lowercased()
        guard scheme == "https" || ServiceURL.isLoopback(self.host) else { throw NotUsable("is http, which is for loopback only") }
        self.text = text
        self.port = port
        isEncrypted = scheme == "https"
        path = url.path(percentEncoded: true)
        query = url.query(percentEncoded: true)
    }

    /// Scheme and authority, the port only where it is not the scheme's own.
    package var origin: String {
        let name = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
        return "\(isEncrypted ? "https" : "http")://\(name)" + (port == (isEncrypted ? 443 : 80) ? "" : ":\(port)")
    }

    /// Whether what lies here may say to go on at `other`: what came over TLS leads to TLS alone. So nobody elsewhere names a service of this machine.
    func mayLead(to other: ServiceURL) -> Bool { other.isEncrypted || !isEncrypted }

    package var description: String { text }

    package static func == (left: ServiceURL, right: ServiceURL) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }

    package func hash(into hasher: inout Hasher) { hasher.combine(text) }

    /// Names of RFC 6761, section 6.3, and the addresses of the host itself.
    private static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host.hasSuffix(".localhost") || host == "::1" || host.hasPrefix("127.") && host.utf8.allSatisfy { $0 == 46 || (48...57).contains($0) }
    }
}

/// Why something that another side gave cannot be used; in words without a subject.
package struct NotUsable: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
