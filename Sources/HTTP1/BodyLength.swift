// How a message's body ends.

/// The framing of a body (RFC 9112, section 6).
package enum BodyLength: Equatable, Sendable {
    case none
    /// Content-Length; 0 to `most` bytes.
    case exactly(Int)
    case chunked
    /// Ends with the connection. Responses only.
    case untilClose

    /// The greatest length taken: sums of it with a buffer's size do not overflow.
    package static let most = Int.max / 2

    /// Whether the body may end wherever it is said to.
    package var hasOpenEnd: Bool { self == .chunked || self == .untilClose }

    /// Whether there is nothing to read.
    package var isEmpty: Bool { self == .none || self == .exactly(0) }
}
