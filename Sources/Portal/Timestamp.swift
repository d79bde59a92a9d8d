// Times as people and programs read them: RFC 3339, in UTC.

internal import FoundationEssentials

package enum Timestamp {
    /// - Parameter seconds: since 1970.
    package static func text(_ seconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
    }

    /// In seconds since 1970; nil for what is no such time.
    package static func seconds(_ text: String) -> Int64? {
        (try? Date(text, strategy: .iso8601)).map { Int64($0.timeIntervalSince1970) }
    }
}
