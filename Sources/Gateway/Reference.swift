// Where a credential lies in the secret store: computed, never chosen, and all that the database knows of it.

internal import Kernel
package import TLS

/// `{prefix}/{project}/users/{user}/{server}` or `{prefix}/{project}/shared/{server}` (contract.md, "Secret store").
package struct Reference: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Begins with a slash; each segment is of `A-Z a-z 0-9 - _ .` and begins with none of the last.
    package let path: String

    /// The reference of the credential that a server instance uses: for OAuth, of the grant that its tokens come from.
    ///
    /// - Parameters:
    ///   - user: whose; must be given for an instance of user level, and does not count for one of project level.
    ///   - prefix: empty, or as `path` is: what stands before everything of this gateway.
    package init(_ instance: ServerInstance, user: UserEmail?, prefix: String = "") {
        let name = Reference.name(of: instance)
        switch (instance.level, user) {
        case (.project, _):
            path = "\(prefix)/\(instance.project)/shared/\(name)"
        case (.user, let user?):
            path = "\(prefix)/\(instance.project)/users/\(Reference.segment(of: user.digest))/\(name)"
        case (.user, nil):
            preconditionFailure("a credential of user level is somebody's")
        }
    }

    /// Of a client that was registered at a provider.
    package init(clientAt issuer: String, redirectURI: String, prefix: String = "") {
        path = "\(prefix)/_clients/\(Reference.segment(of: Digest256(hashing: "\(issuer) \(redirectURI)".utf8Span.span.raw)))"
    }

    /// Where what is had by exchanging the instance's grant is known by: nothing lies there.
    package static func exchanged(_ instance: ServerInstance, user: UserEmail?, prefix: String = "") -> Reference {
        let grant = Reference(instance, user: user, prefix: prefix).path
        let directory = grant.utf8.lastIndex(of: UInt8(ascii: "/")).map { grant[...$0] } ?? "/"
        return Reference(unchecked: "\(directory)\(instance.name).token")
    }

    private init(unchecked path: String) {
        self.path = path
    }

    private static func name(of instance: ServerInstance) -> String {
        guard let oauth = instance.server.oauth else { return instance.name.text }
        guard oauth.grant == .tokenExchange, let issuer = oauth.issuer ?? oauth.tokenEndpoint else { return "\(instance.name).grant" }
        return "_idp-\(segment(of: Digest256(hashing: issuer.utf8Span.span.raw))).grant"
    }

    /// A reference as a store or the database gives it back; nil for what cannot be one. 1,011 bytes at most, as Parameter Store has it.
    package init?(path: String) {
        var previous = UInt8(ascii: ".")
        guard path.utf8.first == UInt8(ascii: "/"), path.utf8.count <= 1011 else { return nil }
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "_"):
                break
            case UInt8(ascii: "/"), UInt8(ascii: "."):
                guard previous != UInt8(ascii: "/") else { return nil }
            default: return nil
            }
            previous = byte
        }
        guard previous != UInt8(ascii: "/") else { return nil }
        self.path = path
    }

    /// What every reference of a project begins with.
    package static func root(of project: ProjectName, prefix: String = "") -> String {
        "\(prefix)/\(project)/"
    }

    package var description: String { path }

    package static func < (left: Reference, right: Reference) -> Bool { left.path < right.path }

    /// Whose server's credential lies here, or its grant, or is known by this; nil where that cannot be told from the path.
    ///
    /// - Parameter prefix: what stands before everything of this gateway.
    package func owner(prefix: String = "") -> (project: ProjectName, server: ServerName, user: Digest256?)? {
        guard path.utf8.starts(with: prefix.utf8) else { return nil }
        var segments = path.dropFirst(prefix.count).split(separator: "/")
        guard let last = segments.popLast() else { return nil }
        let name = last.hasSuffix(".grant") || last.hasSuffix(".token") ? last.dropLast(6) : last
        guard let server = ServerName(String(name)), let project = segments.first.flatMap({ ProjectName(String($0)) }) else { return nil }
        switch (segments.count, segments.dropFirst().first) {
        case (2, "shared"): return (project, server, nil)
        case (3, "users"): return Reference.digest(of: segments[2]).map { (project, server, $0) }
        default: return nil
        }
    }

    private static func digest(of segment: Substring) -> Digest256? {
        var bytes: [UInt8] = []
        var pending: UInt32 = 0
        var bits: UInt32 = 0
        for digit in segment.utf8 {
            switch digit {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): pending = pending << 5 | UInt32(digit - 97)
            case UInt8(ascii: "2")...UInt8(ascii: "7"): pending = pending << 5 | UInt32(digit - 50 + 26)
            default: return nil
            }
            bits += 5
            guard bits >= 8 else { continue }
            bits -= 8
            bytes.append(UInt8(truncatingIfNeeded: pending >> bits))
        }
        return segment.utf8.count == 52 && pending & 15 == 0 ? Digest256(bytes: bytes) : nil
    }

    /// Lower-case base32 without padding (RFC 4648, section 6): 52 characters.
    private static func segment(of digest: Digest256) -> String {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
        var text: [UInt8] = []
        var pending: UInt32 = 0
        var bits: UInt32 = 0
        for byte in digest.bytes {
            pending = pending << 8 | UInt32(byte)
            bits += 8
            while bits >= 5 {
                bits -= 5
                text.append(alphabet[Int(pending >> bits & 31)])
            }
        }
        if bits > 0 { text.append(alphabet[Int(pending << (5 - bits) & 31)]) }
        return String(decoding: text, as: UTF8.self)
    }
}
