// Where a credential lies in the secret store: computed, never chosen, and all that the database knows of it.

internal import TLS

/// `{prefix}/{project}/users/{user}/{server}` or `{prefix}/{project}/shared/{server}` (contract.md, "Secret store").
package struct Reference: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Begins with a slash; each segment is of `A-Z a-z 0-9 - _ .` and begins with none of the last.
    package let path: String

    /// The reference of the credential that a server instance uses.
    ///
    /// - Parameters:
    ///   - user: whose; must be given for an instance of user level, and does not count for one of project level.
    ///   - prefix: empty, or as `path` is: what stands before everything of this gateway.
    package init(_ instance: ServerInstance, user: UserEmail?, prefix: String = "") {
        switch (instance.level, user) {
        case (.project, _):
            path = "\(prefix)/\(instance.project)/shared/\(instance.name)"
        case (.user, let user?):
            path = "\(prefix)/\(instance.project)/users/\(Reference.segment(of: user.digest))/\(instance.name)"
        case (.user, nil):
            preconditionFailure("a credential of user level is somebody's")
        }
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
