// Where credentials lie: what a secret store can do, and how it says that it could not.

package import Gateway
internal import Kernel

/// Keeps one value under a reference. What it acknowledged is there after a crash; what it did not is there whole or not at all.
///
/// A store does its work on threads of its own: no caller's executor waits for a disk or a network in it.
package protocol SecretStore: Sendable {
    /// The values of those references that have one.
    ///
    /// A read whose task is cancelled need not be done: the broker begins one that is ahead anew where somebody comes who cannot wait.
    ///
    /// - Parameter urgency: what the read may wait for so that it costs less; one that costs nothing to speak of waits for nothing.
    func read(_ references: [Reference], _ urgency: ReadUrgency) async throws(StoreFault) -> [Reference: StoredSecret]

    /// Puts `value` in place of what was there, durably.
    func write(_ value: Secret, to reference: Reference) async throws(StoreFault)

    /// Removes the value, durably; false where there was none.
    func delete(_ reference: Reference) async throws(StoreFault) -> Bool

    /// Every reference that has a value and whose path begins with `root`, in order.
    func list(under root: String) async throws(StoreFault) -> [Reference]
}

/// Who is kept waiting by a read; the more urgent first.
package enum ReadUrgency: Int, Comparable, CaseIterable, Sendable {
    /// A request: the read leaves within 2 ms, in company or alone, and goes before the others.
    case waiting
    /// A request for what nobody is known to have deposited. It is likely to be missing, and whoever can name addresses can ask for any number
    /// of them: it goes behind those that are not.
    case speculative
    /// Nobody: what is known is still good. It may wait 1 s for company, and for its turn as long as it takes.
    case ahead

    package static func < (left: ReadUrgency, right: ReadUrgency) -> Bool { left.rawValue < right.rawValue }
}

package enum StoredSecret: Sendable {
    case value(Secret)
    /// There is something, but it is not what was stored: the others of the batch are fine.
    case damaged(StoreFault)
}

/// Why a store could not do what it was asked. Its words name what and what to do, and hold no secret.
package struct StoreFault: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Sendable {
        /// It failed now and may succeed later.
        case unavailable
        /// No answer came in time.
        case timedOut
        /// Too many ask, by the store's count or by our own.
        case throttled
        /// One stored value is broken or is not this store's.
        case damaged
        /// The master key is missing, malformed, readable by others, or not the one that sealed.
        case key
        /// The store does not know who asks, or does not let him.
        case denied
        /// The configuration names a place, a key or a form that there is not.
        case misconfigured
        /// The store understood, and does not take it: a value that is too long, a limit that is reached.
        case rejected
    }

    package let kind: Kind
    package let description: String
    /// When it may be tried again, where that is known.
    package let retryAfter: Duration?

    package init(_ kind: Kind, _ description: String, retryAfter: Duration? = nil) {
        self.kind = kind
        self.description = description
        self.retryAfter = retryAfter
    }
}

extension StoreFault {
    /// It stays so until somebody mends what the words name: asking again alone does not help.
    package var isLasting: Bool {
        switch kind {
        case .unavailable, .timedOut, .throttled: false
        case .damaged, .key, .denied, .misconfigured, .rejected: true
        }
    }

    /// What the system refused, as a fault that names the file.
    static func attempt<R: ~Copyable>(_ path: String, _ body: () throws(SystemFault) -> R) throws(StoreFault) -> R {
        do {
            return try body()
        } catch {
            throw StoreFault(.unavailable, "\(path): \(error)")
        }
    }
}
