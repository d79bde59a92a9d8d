// The public names of what is made while the daemon runs: auth links, administration tokens. No secret: they stand in lists and logs.

/// Ten of 32 characters that are not taken for one another; `Kind` keeps a link's from being taken for a token's.
package struct ShortID<Kind>: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let text: String

    package init?(_ text: some StringProtocol) {
        guard text.utf8.count == 10, text.utf8.allSatisfy({ ShortID.alphabet.contains($0) }) else { return nil }
        self.text = String(text)
    }

    /// - Parameter random: ten bytes.
    package init(random: [UInt8]) {
        precondition(random.count == 10, "an id is made of ten random bytes")
        text = String(decoding: random.map { ShortID.alphabet[Int($0 & 31)] }, as: UTF8.self)
    }

    package var description: String { text }

    package static func < (left: ShortID, right: ShortID) -> Bool { left.text < right.text }

    private static var alphabet: [UInt8] { Array("abcdefghjkmnpqrstuvwxyz023456789".utf8) }
}

package enum LinkKind: Sendable {}
package enum AdministrationTokenName: Sendable {}

package typealias LinkID = ShortID<LinkKind>
package typealias TokenID = ShortID<AdministrationTokenName>
