// Texts of 256 random bits that let in whoever has them: a link's, a session's, an administrator's. Shown once; only the digest is kept.

internal import Kernel
package import TLS

/// `{prefix}{43 characters of base64url}`; `Kind` keeps one's text from being taken for another's.
///
/// Like a secret it cannot be printed by accident: it has no description, and `text` is asked for by name.
package struct Token<Kind: TokenKind>: Sendable {
    /// What is handed over, once.
    package let text: String
    /// SHA-256 of the whole text: what is stored, and what it is found by.
    package let digest: Digest256

    /// - Parameter text: as somebody brought it; nil for what none of ours can be.
    package init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        let prefix = Array(Kind.prefix.utf8)
        guard bytes.count == prefix.count + Token.length, bytes.starts(with: prefix) else { return nil }
        for byte in bytes.dropFirst(prefix.count) {
            guard byte.isBase64URL else { return nil }
        }
        self.text = String(decoding: bytes, as: UTF8.self)
        digest = Digest256(hashing: bytes.span.raw)
    }

    /// - Parameter random: 32 bytes nobody can guess (`SecureRandom`).
    package init(random: [UInt8]) {
        precondition(random.count == 32, "a token is made of 256 random bits")
        let bytes = Array(Kind.prefix.utf8) + Base64URL.text(random).utf8
        text = String(decoding: bytes, as: UTF8.self)
        digest = Digest256(hashing: bytes.span.raw)
    }

    private static var length: Int { 43 }
}

extension Token: CustomReflectable {
    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension Token: CustomStringConvertible {
    package var description: String { "\(Kind.prefix)…" }
}

package protocol TokenKind: Sendable {
    /// What each begins with: a name cannot have its underscore, and who searches for leaks finds it.
    static var prefix: String { get }
}

package enum LinkTokenKind: TokenKind {
    package static let prefix = "cl_"
}

package enum SessionTokenKind: TokenKind {
    package static let prefix = "cs_"
}

package enum SignInTokenKind: TokenKind {
    package static let prefix = "ci_"
}

package enum AdministrationTokenKind: TokenKind {
    package static let prefix = "ca_"
}

package enum ConnectPageTokenKind: TokenKind {
    package static let prefix = "cp_"
}

package enum ConnectTokenKind: TokenKind {
    package static let prefix = "cc_"
}

/// In the URL that `claviger credential connect` prints.
package typealias ConnectPageToken = Token<ConnectPageTokenKind>
/// In the cookie of a browser on its way to an OAuth provider and back.
package typealias ConnectToken = Token<ConnectTokenKind>
/// In an auth link's URL, `{portal.public_url}/connect/{token}`, until the first visit moves it into a cookie.
package typealias LinkToken = Token<LinkTokenKind>
/// In the cookie of who has signed in.
package typealias SessionToken = Token<SessionTokenKind>
/// In the URL that `claviger sign-in` prints.
package typealias SignInToken = Token<SignInTokenKind>
/// `Authorization: Bearer` of the administration API.
package typealias AdministrationToken = Token<AdministrationTokenKind>

/// RFC 4648, section 5, without padding.
package enum Base64URL {
    package static func text(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        var text: [UInt8] = []
        var pending: UInt32 = 0
        var bits: UInt32 = 0
        for byte in bytes {
            pending = pending << 8 | UInt32(byte)
            bits += 8
            while bits >= 6 {
                bits -= 6
                text.append(alphabet[Int(pending >> bits & 63)])
            }
        }
        if bits > 0 { text.append(alphabet[Int(pending << (6 - bits) & 63)]) }
        return String(decoding: text, as: UTF8.self)
    }
}

extension UInt8 {
    var isBase64URL: Bool {
        switch self {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
