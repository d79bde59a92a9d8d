// What lets a later connection to the same server skip the certificate and half of the arithmetic (RFC 8446, section 2.2).

internal import COpenSSL
internal import Kernel
internal import Synchronization

/// A copy of an OpenSSL session that no connection uses: others are given copies of it.
@safe final class ResumableSession: Sendable {
    // Never written after it was made; SSL_SESSION_dup reads it.
    private nonisolated(unsafe) let session: OpaquePointer

    /// Nil where OpenSSL has no memory.
    init?(copying original: OpaquePointer?) {
        guard let copy = unsafe SSL_SESSION_dup(original) else { return nil }
        unsafe session = copy
    }

    deinit {
        unsafe SSL_SESSION_free(session)
    }

    /// Has `ssl` offer to resume; not being able to costs a full handshake, nothing else.
    func offer(on ssl: OpaquePointer) {
        guard let copy = unsafe SSL_SESSION_dup(session) else { return }
        unsafe SSL_set_session(ssl, copy)
        unsafe SSL_SESSION_free(copy)
    }
}

/// One session for each server name, the newest; bounded in number and age.
final class ResumableSessions: Sendable {
    struct Entry: Sendable {
        let session: ResumableSession
        /// When the certificate was last shown and verified.
        let verifiedAt: MonotonicTime
    }

    // Held for a dictionary's operation; only connecting comes here, never an exchange.
    private let entries = Mutex<[String: Entry]>([:])
    private let capacity: Int
    private let lifetime: Duration

    /// `lifetime`: how long a verified certificate counts without being shown again.
    init(capacity: Int, lifetime: Duration) {
        self.capacity = capacity
        self.lifetime = lifetime
    }

    /// The session for `name`, where one is young enough at `now`.
    func session(for name: String, now: MonotonicTime) -> Entry? {
        entries.withLock { entries in
            guard let entry = entries[name] else { return nil }
            if now < entry.verifiedAt.advanced(by: lifetime) { return entry }
            entries[name] = nil
            return nil
        }
    }

    /// Keeps `session`; where there is no room, the oldest goes.
    func keep(_ session: ResumableSession, for name: String, verifiedAt: MonotonicTime) {
        guard capacity > 0 else { return }
        entries.withLock { entries in
            if entries[name] == nil, entries.count >= capacity, let oldest = entries.min(by: { $0.value.verifiedAt < $1.value.verifiedAt }) {
                entries[oldest.key] = nil
            }
            entries[name] = Entry(session: session, verifiedAt: verifiedAt)
        }
    }
}
