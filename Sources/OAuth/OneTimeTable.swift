// What people began elsewhere, by the `state` they come back with: each once, to whom it belongs, within its time.

package import Gateway
package import Kernel
internal import TLS

/// Bounded, in all and for each session; who begins one more ends the oldest, his own before another's. However many there are, to begin and to take
/// cost the same.
package struct OneTimeTable<Value: Sendable>: Sendable {
    private struct Entry {
        let value: Value
        let session: Digest256
        let begun: MonotonicTime
    }

    private let life: Duration
    private let capacity: Int
    private let capacityOfSession: Int

    /// By the digest of their state: what is looked up is never compared byte by byte.
    private var entries: [Digest256: Entry] = [:]
    /// Each session's, by its digest, oldest first: never more than `capacityOfSession`.
    private var sessions: [Digest256: [Digest256]] = [:]
    /// All, oldest first. Those that are spent stand here, too, until it is their turn or they are more than half.
    private var order: [Digest256] = []
    private var first = 0

    package init(life: Duration, capacity: Int, ofSession capacityOfSession: Int) {
        self.life = life
        self.capacity = max(capacity, 1)
        self.capacityOfSession = max(capacityOfSession, 1)
    }

    package var count: Int { entries.count }

    /// - Parameters:
    ///   - session: what the browser shows when it comes back.
    ///   - now: never earlier than the time before.
    /// - Returns: its state: 43 characters of base64url, 256 bits.
    package mutating func begin(_ value: Value, session: Secret, now: MonotonicTime) -> Secret {
        while let oldest = oldest(), let entry = entries[oldest], now >= entry.begun.advanced(by: life) { remove(oldest) }
        let owner = Digest256(hashing: session.bytes)
        if let own = sessions[owner], own.count >= capacityOfSession {
            remove(own[0])
        } else if entries.count >= capacity, let oldest = oldest() {
            remove(oldest)
        }
        let state = Base64.url(Secret.random(count: 32).bytes)
        let key = Digest256(hashing: state.bytes)
        entries[key] = Entry(value: value, session: owner, begun: now)
        sessions[owner, default: []].append(key)
        order.append(key)
        return state
    }

    /// What began with this state, which is spent by that, whoever shows it.
    ///
    /// - Returns: nil for what never was, is spent, is too old, or belongs to another session.
    package mutating func take(state: Secret, session: Secret, now: MonotonicTime) -> Value? {
        guard let entry = remove(Digest256(hashing: state.bytes)), now < entry.begun.advanced(by: life), entry.session == Digest256(hashing: session.bytes)
        else { return nil }
        return entry.value
    }

    /// What began with this state, which stays as it is; for whoever answers nobody by it.
    package func peek(state: Secret) -> Value? {
        entries[Digest256(hashing: state.bytes)]?.value
    }

    private mutating func oldest() -> Digest256? {
        while first < order.count, entries[order[first]] == nil { first += 1 }
        return first < order.count ? order[first] : nil
    }

    @discardableResult
    private mutating func remove(_ key: Digest256) -> Entry? {
        guard let entry = entries.removeValue(forKey: key) else { return nil }
        sessions[entry.session]?.removeAll { $0 == key }
        if sessions[entry.session]?.isEmpty == true { sessions[entry.session] = nil }
        if order.count > 2 * entries.count + 64 {
            order = order[first...].filter { entries[$0] != nil }
            first = 0
        }
        return entry
    }
}
