// Why there was no whole answer, and whether asking again may help.

/// Holds no part of the request but its host, and nothing of the answer.
package struct OutboundFault: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Sendable {
        /// The request cannot be sent as it is.
        case invalid
        /// The host's name does not resolve now.
        case unresolved
        /// Nobody answers at the address.
        case unreachable
        /// No encryption, or not with whom it should be.
        case untrusted
        /// Its time was over.
        case timedOut
        /// The connection broke, or what came was no HTTP.
        case broken
        /// The answer is larger than it may be.
        case tooLarge
        /// Too many wait, or no descriptor is left.
        case crowded
        /// Whoever asked does not wait any more, or the client was closed.
        case cancelled
    }

    package enum Retry: Sendable {
        /// The same request would fail again.
        case pointless
        /// Nothing of it was sent: it may be sent again whatever it does.
        case safe
        /// It may have been carried out: only what may be done twice may be sent again.
        case ifRepeatable
    }

    package let kind: Kind
    package let retry: Retry
    /// Host and cause, in words for a log.
    package let description: String

    package init(_ kind: Kind, _ retry: Retry, _ description: String) {
        self.kind = kind
        self.retry = retry
        self.description = description
    }
}
