// An agent's key as it stands in `x-api-key`: `ck_{id}.{secret}`.

internal import Kernel
internal import TLS

/// Finding the entry that a key's text proves.
package enum APIKey {
    /// 256 bits in base64url without padding.
    private static let secretLength = 43

    /// What the text says, taken apart; nil where it is not of the form.
    /// - Parameter value: the header's value, OWS trimmed.
    /// - Returns: the public id, and where the secret's text stands in `value`.
    package static func parse(_ value: RawSpan) -> (id: APIKeyID, secret: Range<Int>)? {
        let dot = value.byteCount - secretLength - 1
        guard dot >= 3, value[0] == UInt8(ascii: "c"), value[1] == UInt8(ascii: "k"), value[2] == UInt8(ascii: "_"),
            value[dot] == UInt8(ascii: "."), let id = APIKeyID(value.extracting(3..<dot))
        else { return nil }
        for at in dot + 1..<value.byteCount {
            guard value[at].isBase64URL else { return nil }
        }
        return (id, dot + 1..<value.byteCount)
    }

    /// The entry of the snapshot's keys whose secret the value holds and that has not expired.
    ///
    /// An unknown id costs what a wrong secret costs: the same hash, and a comparison with a digest that no text has.
    /// - Parameters:
    ///   - wallClock: seconds since 1970.
    ///   - memo: spares the hash for keys that were proven before.
    /// - Throws: `unauthenticated`; the detail, for the log alone, says which case it was.
    package static func entry(for value: RawSpan, in snapshot: Snapshot, wallClock: Int64, recalling memo: IdentityMemo?) throws(Refusal) -> KeyEntry {
        let entry: KeyEntry
        if let known = memo?.entry(provenBy: value, under: snapshot) {
            entry = known
        } else {
            guard let (id, secret) = parse(value) else { throw Refusal(.unauthenticated, "the key is not of the form ck_{id}.{secret}") }
            entry = try prove(id, value.extracting(secret), in: snapshot)
            memo?.note(entry, provenBy: value, under: snapshot)
        }
        if let expires = entry.expires, expires <= wallClock { throw Refusal(.unauthenticated, "the key has expired") }
        return entry
    }

    /// A few bits that tell ids apart, from where the id stands in a key's text; nil for a text too short to be one.
    static func slot(of value: RawSpan) -> Int? {
        let idLength = value.byteCount - secretLength - 4
        guard idLength > 0 else { return nil }
        // No byte of the secret has a part in it, so that where we look tells nothing about one.
        let first = value.word(at: 3) & (idLength < 8 ? (1 << UInt64(idLength * 8)) - 1 : .max)
        let last = idLength > 8 ? value.word(at: idLength - 5) : 0
        return Int(truncatingIfNeeded: ((first ^ last) &* 0x9e37_79b9_7f4a_7c15) >> 40)
    }

    private static func prove(_ id: APIKeyID, _ secret: RawSpan, in snapshot: Snapshot) throws(Refusal) -> KeyEntry {
        let entry = snapshot.keys[id]
        let matches = Digest256(hashing: secret).matches(entry?.sha256 ?? impossible)
        guard let entry, matches else {
            throw Refusal(.unauthenticated, entry == nil ? "no key has this id" : "the key's secret is wrong")
        }
        return entry
    }

    private static let impossible = Digest256(words: (0, 0, 0, 0))
}
