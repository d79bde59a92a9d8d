// The authorizations under way, by their `state`: each may come back once, to whom it belongs, within ten minutes.

package import Gateway
package import Kernel
internal import TLS

package struct PendingAuthorizations: Sendable {
    package static let life = Duration.seconds(600)
    /// At once; who begins one more ends the oldest.
    package static let capacity = 10_000
    /// Of one session.
    package static let capacityOfSession = 20

    private struct Entry {
        let authorization: PendingAuthorization
        let begun: MonotonicTime
    }

    /// By the digest of their state: what is looked up is never compared byte by byte.
    private var entries: [Digest256: Entry] = [:]

    package init() {}

    package var count: Int { entries.count }

    /// - Returns: its state: 43 characters of base64url, 256 bits.
    package mutating func begin(_ authorization: PendingAuthorization, now: MonotonicTime) -> Secret {
        sweep(now: now)
        let own = entries.filter { $0.value.authorization.session.isSame(as: authorization.session) }
        if own.count >= PendingAuthorizations.capacityOfSession {
            dropOldest(of: own)
        } else if entries.count >= PendingAuthorizations.capacity {
            dropOldest(of: entries)
        }
        let state = Base64.url(Secret.random(count: 32).bytes)
        entries[Digest256(hashing: state.bytes)] = Entry(authorization: authorization, begun: now)
        return state
    }

    /// What began with this state, which is spent by that, whoever shows it.
    ///
    /// - Returns: nil for what never was, is spent, is too old, or belongs to another session or server.
    package mutating func take(state: Secret, session: Secret, server: String, now: MonotonicTime) -> PendingAuthorization? {
        guard let entry = entries.removeValue(forKey: Digest256(hashing: state.bytes)), now < entry.begun.advanced(by: PendingAuthorizations.life),
            entry.authorization.session.isSame(as: session), entry.authorization.server.utf8.elementsEqual(server.utf8)
        else { return nil }
        return entry.authorization
    }

    package mutating func sweep(now: MonotonicTime) {
        entries = entries.filter { now < $0.value.begun.advanced(by: PendingAuthorizations.life) }
    }

    private mutating func dropOldest(of some: [Digest256: Entry]) {
        if let oldest = some.min(by: { $0.value.begun < $1.value.begun }) { entries[oldest.key] = nil }
    }
}
