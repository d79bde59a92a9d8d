// A domain as it stands behind an address's `@`: checked, lower-case, compared whole.

internal import Kernel

package struct EmailDomain: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let text: String

    /// - Parameter text: letters of either case; labels of letters, digits and inner hyphens, as `UserEmail` has them. No `@`, no `*`, no final dot.
    package init?(_ text: some StringProtocol) {
        // ASCII letters only: String's own lower case would make an ASCII k of a Kelvin sign.
        let folded = String(decoding: text.utf8.map(\.lowercased), as: UTF8.self)
        guard UserEmail.isDomain(folded) else { return nil }
        self.text = folded
    }

    /// Whether the address is of exactly this domain: not of one below it, nor of one that ends alike.
    package func contains(_ email: UserEmail) -> Bool {
        email.domain.equals(text)
    }

    package var description: String { text }

    package static func < (left: EmailDomain, right: EmailDomain) -> Bool { left.text < right.text }
}
