// What a worker remembers of who asked before, so that a known key and a known address are not hashed again for every request.

package import Kernel
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

    /// A class, so that a place without one takes a word.
    private final class ProvenToken {
        /// As it stands in `x-user-token`.
        let text: Secret
        let rule: UserTokenRule
        let vouched: VouchedUser

        init(_ text: Secret, _ rule: UserTokenRule, _ vouched: VouchedUser) {
            self.text = text
            self.rule = rule
            self.vouched = vouched
        }
    }

    private var snapshot: Snapshot?
    private let keys: Own<PairedPlaces<ProvenKey>>
    private let users: Own<PairedPlaces<UserEmail>>
    private let tokens: Own<PairedPlaces<ProvenToken>>
    private var hasTokens = false
    private let admissions: Own<PairedPlaces<Admission>>

    /// - Parameters:
    ///   - keys, users, tokens: how many are remembered at most, and as many admissions as users; powers of two, at least two.
    package init(keys: Int = 64, users: Int = 4096, tokens: Int = 1024) {
        self.keys = Own(PairedPlaces(keys))
        self.users = Own(PairedPlaces(users))
        self.tokens = Own(PairedPlaces(tokens))
        admissions = Own(PairedPlaces(users))
    }

    /// Another snapshot is in force: what was proven under the last counts no more, and holds nothing of it.
    package func forget() {
        snapshot = nil
        clear()
    }

    /// The entry that this key's text proved before, under `snapshot`.
    func entry(provenBy text: RawSpan, under snapshot: Snapshot) -> KeyEntry? {
        guard self.snapshot === snapshot, let place = APIKey.slot(of: text) else { return nil }
        return keys.value.first(at: place) { $0.text.bytes.matches(text) }?.entry
    }

    /// Remembers a proof; another key's may have to make way.
    func note(_ entry: KeyEntry, provenBy text: RawSpan, under snapshot: Snapshot) {
        begin(snapshot)
        guard let place = APIKey.slot(of: text) else { return }
        keys.value.insert(ProvenKey(text: Secret(copying: text), entry: entry), at: place)
    }

    /// With another configuration everything is proven anew.
    private func begin(_ snapshot: Snapshot) {
        guard self.snapshot !== snapshot else { return }
        self.snapshot = snapshot
        clear()
    }

    private func clear() {
        keys.value.clear()
        admissions.value.clear()
        tokens.value.clear()
        hasTokens = false
    }

    /// Whom this token was found to name, under `snapshot` and by this rule, where it is still good.
    @inline(never)
    func user(provenBy text: RawSpan, _ rule: UserTokenRule, under snapshot: Snapshot, at now: MonotonicTime) -> UserEmail? {
        guard self.snapshot === snapshot else { return nil }
        let known = tokens.value.first(at: IdentityMemo.place(of: text)) { known in
            guard known.rule === rule, now < known.vouched.until else { return false }
            let secret = known.text
            return secret.bytes.matches(text)
        }
        return known?.vouched.user
    }

    /// Remembers whom a token was found to name.
    package func note(_ vouched: VouchedUser, provenBy text: RawSpan, _ rule: UserTokenRule, under snapshot: Snapshot) {
        begin(snapshot)
        tokens.value.insert(ProvenToken(Secret(copying: text), rule, vouched), at: IdentityMemo.place(of: text))
        hasTokens = true
    }

    /// Forgets tokens whose time is over. To be called by the worker's timer every second or so.
    package func sweep(now: MonotonicTime) {
        guard hasTokens else { return }
        hasTokens = tokens.value.keep { now < $0.vouched.until }
    }

    /// The address that `value` says: remembered, or parsed and remembered.
    func user(_ value: RawSpan) -> UserEmail? {
        let place = IdentityMemo.place(of: value)
        if let known = users.value.first(at: place, where: { $0.isSaid(by: value) }) { return known }
        guard let user = UserEmail(value) else { return nil }
        users.value.insert(user, at: place)
        return user
    }

    /// The admission of an earlier request of this key for this user to this instance, without suffix and Origin.
    func admission(of key: KeyEntry, for user: UserEmail, to instance: ServerInstance) -> Admission? {
        admissions.value.first(at: IdentityMemo.place(of: user, instance)) {
            $0.caller.key === key && $0.instance === instance && $0.caller.user == user
        }
    }

    /// Remembers an admission without suffix and Origin.
    func note(_ admission: Admission) {
        admissions.value.insert(admission, at: IdentityMemo.place(of: admission.caller.user, admission.instance))
    }

    private static func place(of user: UserEmail, _ instance: ServerInstance) -> Int {
        Int(truncatingIfNeeded: user.digest.words.0 ^ instance.digest.words.0)
    }

    /// The same for every spelling of an address: of all its bytes, without the bit that tells cases apart.
    package static func place(of value: RawSpan) -> Int {
        guard value.byteCount >= 8 else { return value.byteCount }
        let cases: UInt64 = 0x2020_2020_2020_2020
        var mixed = UInt64(value.byteCount)
        var at = 0
        while at &+ 8 <= value.byteCount {
            mixed = (mixed ^ (value.word(at: at) | cases)) &* 0x9e37_79b9_7f4a_7c15
            mixed ^= mixed >> 29
            at &+= 8
        }
        mixed = (mixed ^ (value.word(at: value.byteCount &- 8) | cases)) &* 0xbf58_476d_1ce4_e5b9
        return Int(truncatingIfNeeded: mixed >> 32)
    }
}

/// A table that forgets: an entry has two places, the newer one is looked at first, and the older one makes way.
struct PairedPlaces<Element> {
    private var places: [Element?]
    private let mask: Int

    init(_ count: Int) {
        precondition(count.nonzeroBitCount == 1 && count >= 2, "places are found by masking, two by two")
        places = Array(repeating: nil, count: count)
        mask = (count - 1) & ~1
    }

    @inline(always)
    func first(at place: Int, where isIt: (Element) -> Bool) -> Element? {
        let newer = place & mask
        if let known = places[newer], isIt(known) { return known }
        if let known = places[newer | 1], isIt(known) { return known }
        return nil
    }

    mutating func insert(_ element: Element, at place: Int) {
        let newer = place & mask
        places[newer | 1] = places[newer]
        places[newer] = element
    }

    /// Lets go what `isKept` says no to.
    /// - Returns: whether anything is left.
    mutating func keep(_ isKept: (Element) -> Bool) -> Bool {
        var isAnyLeft = false
        for place in places.indices {
            guard let element = places[place] else { continue }
            if isKept(element) { isAnyLeft = true } else { places[place] = nil }
        }
        return isAnyLeft
    }

    mutating func clear() {
        for place in places.indices { places[place] = nil }
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
