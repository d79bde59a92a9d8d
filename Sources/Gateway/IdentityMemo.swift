// What a worker remembers of who asked before, so that a known key and a known address are not hashed again for every request.

internal import Kernel
internal import TLS

/// Keys that were proven, addresses that were parsed, and admissions, a bounded number of each. One a worker; not shared, so without a lock.
///
/// A remembered key is of one snapshot: with another configuration everything is proven anew. The secrets' texts are kept as `Secret` is, and
/// compared in constant time; whoever does not know one pays for the hash as ever, so that a wrong secret still costs what an unknown id costs.
package final class IdentityMemo {
    private struct ProvenKey {
        /// As it stands in `x-api-key`: id and secret.
        let text: Secret
        let entry: KeyEntry
    }

    private var snapshot: Snapshot?
    private let keys: Own<[ProvenKey?]>
    private let users: Own<[UserEmail?]>
    private let admissions: Own<[Admission?]>
    private let keyMask: Int
    private let userMask: Int

    /// Both numbers are powers of two.
    package init(keys: Int = 64, users: Int = 512) {
        precondition(keys.nonzeroBitCount == 1 && users.nonzeroBitCount == 1, "slots are found by masking")
        self.keys = Own(Array(repeating: nil, count: keys))
        self.users = Own(Array(repeating: nil, count: users))
        admissions = Own(Array(repeating: nil, count: users))
        keyMask = keys - 1
        userMask = users - 1
    }

    /// The entry that this key's text proved before, under `snapshot`.
    func entry(provenBy text: RawSpan, under snapshot: Snapshot) -> KeyEntry? {
        guard self.snapshot === snapshot, let slot = APIKey.slot(of: text), let known = keys.value[slot & keyMask],
            known.text.bytes.matches(text)
        else { return nil }
        return known.entry
    }

    /// Remembers a proof; another key's may have to make way.
    func note(_ entry: KeyEntry, provenBy text: RawSpan, under snapshot: Snapshot) {
        if self.snapshot !== snapshot {
            self.snapshot = snapshot
            for slot in 0...keyMask { keys.value[slot] = nil }
            for slot in 0...userMask { admissions.value[slot] = nil }
        }
        guard let slot = APIKey.slot(of: text) else { return }
        keys.value[slot & keyMask] = ProvenKey(text: Secret(copying: text), entry: entry)
    }

    /// The address that `value` says: remembered, or parsed and remembered.
    func user(_ value: RawSpan) -> UserEmail? {
        let slot = IdentityMemo.slot(of: value) & userMask
        if let known = users.value[slot], known.isSaid(by: value) { return known }
        guard let user = UserEmail(value) else { return nil }
        users.value[slot] = user
        return user
    }

    /// The admission of an earlier request of this key for this user to this instance, without suffix and Origin.
    func admission(of key: KeyEntry, for user: UserEmail, to instance: ServerInstance) -> Admission? {
        guard let known = admissions.value[slot(of: user, instance)], known.caller.key === key, known.instance === instance,
            known.caller.user == user
        else { return nil }
        return known
    }

    /// Remembers an admission without suffix and Origin.
    func note(_ admission: Admission) {
        admissions.value[slot(of: admission.caller.user, admission.instance)] = admission
    }

    private func slot(of user: UserEmail, _ instance: ServerInstance) -> Int {
        Int(truncatingIfNeeded: user.digest.words.0 ^ instance.digest.words.0) & userMask
    }

    /// The same for every spelling of an address: of its length, its first and its last bytes without the bit that tells cases apart.
    private static func slot(of value: RawSpan) -> Int {
        guard value.byteCount >= 8 else { return value.byteCount }
        let case5: UInt64 = 0x2020_2020_2020_2020
        let first = (value.word(at: 0) | case5) &* 0x9e37_79b9_7f4a_7c15
        let last = (value.word(at: value.byteCount - 8) | case5) &* 0xbf58_476d_1ce4_e5b9
        let mixed = (first ^ last &+ UInt64(value.byteCount)) &* 0x94d0_49bb_1331_11eb
        return Int(truncatingIfNeeded: mixed >> 40)
    }
}

extension RawSpan {
    /// Whether the bytes are these, found out in a time that depends on their number alone.
    func matches(_ other: RawSpan) -> Bool {
        guard byteCount == other.byteCount else { return false }
        var difference: UInt64 = 0
        var at = 0
        while at &+ 8 <= byteCount {
            difference |= word(at: at) ^ other.word(at: at)
            at &+= 8
        }
        if at < byteCount, byteCount >= 8 {
            difference |= word(at: byteCount &- 8) ^ other.word(at: byteCount &- 8)
            at = byteCount
        }
        while at < byteCount {
            difference |= UInt64(self[at] ^ other[at])
            at &+= 1
        }
        return difference == 0
    }
}
