// How a log names a user: in full, by a keyed hash, or not at all.

package import Gateway
internal import Kernel
package import TLS

/// With `hashed`, the same address has the same label as long as the key lives, and nobody without the key can try addresses out.
package struct UserLabel: Sendable {
    package let key: KeyedDigest
    private let setting: @Sendable () -> LogSettings.User

    /// - Parameters:
    ///   - key: for `hashed`; 32 random bytes.
    ///   - setting: `log.user` of the configuration in force.
    package init(key: KeyedDigest, setting: @escaping @Sendable () -> LogSettings.User) {
        self.key = key
        self.setting = setting
    }

    package init(_ setting: LogSettings.User, key: KeyedDigest) {
        self.init(key: key) { setting }
    }

    /// The label as text; nil where users are not logged.
    package func text(for user: UserEmail) -> String? {
        switch setting() {
        case .full: return user.text
        case .hashed:
            let digits = String(UserLabel.word(user, key), radix: 16)
            return String(repeating: "0", count: 16 - digits.utf8.count) + digits
        case .off: return nil
        }
    }

    /// 64 bits of the code over the address's digest: enough to tell a gateway's users apart.
    static func word(_ user: UserEmail, _ key: KeyedDigest) -> UInt64 {
        key.digest(of: user.digest.bytes.span.raw).words.0
    }
}

/// What a worker has worked out already, so that a record costs no hashing. Direct-mapped; a collision works out again.
struct UserLabelCache {
    private var entries: [(Digest256, UInt64)?] = Array(repeating: nil, count: 1024)

    mutating func word(_ user: UserEmail, _ key: KeyedDigest) -> UInt64 {
        let place = Int(truncatingIfNeeded: user.digest.words.3 & 1023)
        if let (digest, word) = entries[place], digest == user.digest { return word }
        let word = UserLabel.word(user, key)
        entries[place] = (user.digest, word)
        return word
    }
}
