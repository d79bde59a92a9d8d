// Whether a value has the form that a server's field asks for.

package import Gateway
internal import Kernel

package enum FieldPattern {
    /// Whether the whole of `value` matches `pattern`, a regular expression of Swift's `Regex`; false for one that is none.
    ///
    /// The engine reads Strings only, so for the time of a match the value is in memory that is not locked; a deposit comes
    /// through such memory anyhow, the stored and the injected value never do.
    package static func matches(_ pattern: String, _ value: Secret) -> Bool {
        guard let expression = try? Regex(pattern), let text = String(validating: value.bytes.copied(), as: UTF8.self) else { return false }
        return (try? expression.wholeMatch(in: text)) != nil
    }
}
