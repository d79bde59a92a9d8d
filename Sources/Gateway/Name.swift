// The checked names of projects, servers and navigators, and of a credential's fields.

/// A name of `[a-z0-9][a-z0-9-]{0,62}`; `Kind` keeps a project's from being taken for a server's.
package struct Name<Kind>: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let text: String

    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, bytes.count <= 63, first != UInt8(ascii: "-") else { return nil }
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): continue
            default: return nil
            }
        }
        self.text = text
    }

    package var description: String { text }

    package static func < (left: Name, right: Name) -> Bool { left.text < right.text }
}

package enum ProjectKind: Sendable {}
package enum ServerKind: Sendable {}
package enum NavigatorKind: Sendable {}

package typealias ProjectName = Name<ProjectKind>
package typealias ServerName = Name<ServerKind>
package typealias NavigatorName = Name<NavigatorKind>

/// The name of one secret of a credential: `[a-z][a-z0-9_]{0,31}`.
package struct FieldName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Where a server's tokens come by OAuth: nobody is asked for it.
    package static let accessToken = FieldName(checked: "access_token")

    package let text: String

    private init(checked text: String) {
        self.text = text
    }

    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, bytes.count <= 32 else { return nil }
        guard (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first) else { return nil }
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): continue
            default: return nil
            }
        }
        self.text = text
    }

    package var description: String { text }

    package static func < (left: FieldName, right: FieldName) -> Bool { left.text < right.text }
}
