// Values that could not be tried out, until their owner says whether they are kept all the same.

internal import Gateway
internal import Synchronization
internal import TLS

/// In locked memory, for five minutes, for one browser's session, server and place. A page never carries them.
final class UntriedValues: Sendable {
    private struct Entry {
        let session: Digest256
        let action: String
        let values: [FieldName: Secret]
        let expires: Int64
    }

    private let entries = Mutex<[String: Entry]>([:])
    private static let most = 1000
    private static let life: Int64 = 300

    /// - Parameters:
    ///   - id: nobody's to guess.
    ///   - action: where they were sent to; they are kept there and nowhere else.
    /// - Returns: whether there was room.
    func hold(_ values: [FieldName: Secret], as id: String, session: Digest256, action: String, now: Int64) -> Bool {
        entries.withLock { entries in
            entries = entries.filter { $0.value.expires > now }
            guard entries.count < UntriedValues.most else { return false }
            entries[id] = Entry(session: session, action: action, values: values, expires: now + UntriedValues.life)
            return true
        }
    }

    /// Once; nil for what is not there any more, or is another's.
    func take(_ id: String, session: Digest256, action: String, now: Int64) -> [FieldName: Secret]? {
        entries.withLock { entries in
            guard let entry = entries[id], entry.session == session, entry.action == action, entry.expires > now else { return nil }
            entries[id] = nil
            return entry.values
        }
    }
}
