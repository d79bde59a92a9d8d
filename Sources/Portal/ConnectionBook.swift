// Connections that a command began: each has a page that opens once, and an end that the command waits for.

internal import Gateway
internal import Kernel
internal import Synchronization
internal import TLS

/// May be used from any thread.
final class ConnectionBook: Sendable {
    struct Subject: Sendable {
        let project: ProjectName
        let server: ServerName
        let user: UserEmail?
        /// Who ran the command.
        let principal: Principal
    }

    /// Who asks how far a connection is.
    struct Waiter: Hashable, Sendable {
        let actor: AuditActor
        let source: String
    }

    /// Too many wait already.
    struct Crowded: Error {}

    private struct Entry {
        let subject: Subject
        let page: Digest256
        let begun: MonotonicTime
        var state = ConnectionState.waiting
        var waiting: [UInt64: CheckedContinuation<Void, Never>] = [:]
    }

    private struct Entries {
        var byID: [String: Entry] = [:]
        var lastWait: UInt64 = 0
        /// How many wait at once, by who asks.
        var waiters: [Waiter: Int] = [:]
    }

    private let entries = Mutex(Entries())
    private let clock: @Sendable () -> MonotonicTime

    /// How long the page may be opened, and the command waits.
    static let life = Duration.seconds(600)
    private static let capacity = 1000
    /// How many may wait at once for one who asks.
    static let mostWaiting = 8

    init(clock: @escaping @Sendable () -> MonotonicTime = MonotonicTime.now) {
        self.clock = clock
    }

    /// - Returns: what the command asks with, and what the page's URL ends in; both have 128 bits and more.
    func begin(_ subject: Subject) -> (id: String, page: String) {
        let page = ConnectPageToken(random: SecureRandom.bytes(32))
        let id = Base64URL.text(SecureRandom.bytes(16))
        let entry = Entry(subject: subject, page: page.digest, begun: clock())
        entries.withLock { entries in
            ConnectionBook.sweep(&entries, now: clock())
            if entries.byID.count >= ConnectionBook.capacity, let oldest = entries.byID.min(by: { $0.value.begun < $1.value.begun }) {
                ConnectionBook.end(oldest.key, in: &entries)
            }
            entries.byID[id] = entry
        }
        return (id, page.text)
    }

    /// What the page of that token is for; it opens once. Nil for what never was, was opened, or is too old.
    func open(_ page: String) -> (id: String, subject: Subject)? {
        guard let digest = ConnectPageToken(page)?.digest else { return nil }
        return entries.withLock { entries in
            ConnectionBook.sweep(&entries, now: clock())
            guard let (id, entry) = entries.byID.first(where: { $0.value.page == digest }), entry.state == .waiting else { return nil }
            ConnectionBook.put(.opened, id, in: &entries)
            return (id, entry.subject)
        }
    }

    func subject(of id: String) -> Subject? {
        entries.withLock { $0.byID[id]?.subject }
    }

    /// What a command that waits is told.
    func end(_ id: String, _ state: ConnectionState) {
        entries.withLock { ConnectionBook.put(state, id, in: &$0) }
    }

    /// The state, as soon as it is another than `known`, or after `patience`. Nil where there is no such connection.
    /// - Throws: where `waiter` waits for `mostWaiting` already.
    func state(of id: String, after known: ConnectionState?, for waiter: Waiter, patience: Duration) async throws(Crowded) -> ConnectionState? {
        guard let now = entries.withLock({ $0.byID[id]?.state }) else { return nil }
        guard now == known else { return now }
        let number: UInt64? = entries.withLock { entries in
            guard entries.waiters[waiter, default: 0] < ConnectionBook.mostWaiting else { return nil }
            entries.waiters[waiter, default: 0] += 1
            entries.lastWait += 1
            return entries.lastWait
        }
        guard let number else { throw Crowded() }
        defer {
            entries.withLock { entries in
                let left = entries.waiters[waiter, default: 1] - 1
                entries.waiters[waiter] = left > 0 ? left : nil
            }
        }
        let bell = Task {
            try? await Task.sleep(for: patience)
            entries.withLock { $0.byID[id]?.waiting.removeValue(forKey: number) }?.resume()
        }
        await withCheckedContinuation { continuation in
            let isOver = entries.withLock { entries in
                guard entries.byID[id]?.state == known else { return true }
                entries.byID[id]?.waiting[number] = continuation
                return false
            }
            if isOver { continuation.resume() }
        }
        bell.cancel()
        return entries.withLock { $0.byID[id]?.state }
    }

    private static func put(_ state: ConnectionState, _ id: String, in entries: inout Entries) {
        guard let entry = entries.byID[id] else { return }
        entries.byID[id]?.state = state
        entries.byID[id]?.waiting = [:]
        for one in entry.waiting.values { one.resume() }
    }

    /// Forgets what is long over, an answer that nobody fetched included.
    private static func sweep(_ entries: inout Entries, now: MonotonicTime) {
        for (id, entry) in entries.byID where now >= entry.begun.advanced(by: life + life) { end(id, in: &entries) }
        for (id, entry) in entries.byID where now >= entry.begun.advanced(by: life) && !entry.state.isOver {
            put(.failed("nobody came back within ten minutes; run it again"), id, in: &entries)
        }
    }

    private static func end(_ id: String, in entries: inout Entries) {
        guard let entry = entries.byID.removeValue(forKey: id) else { return }
        for one in entry.waiting.values { one.resume() }
    }
}

/// How far a connection is that a command began.
enum ConnectionState: Equatable, Sendable {
    /// Nobody has opened the page.
    case waiting
    /// The person is at the provider.
    case opened
    case connected(scopes: [String])
    /// Why, and what to do.
    case failed(String)

    var isOver: Bool {
        switch self {
        case .waiting, .opened: false
        case .connected, .failed: true
        }
    }
}

/// `GET /api/v1/connections/{id}`.
package struct ConnectionReport: Codable, Equatable, Sendable {
    /// `waiting`, `opened`, `connected` or `failed`.
    package let state: String
    package let scopes: [String]?
    package let message: String?

    init(_ state: ConnectionState) {
        switch state {
        case .waiting: (self.state, scopes, message) = ("waiting", nil, nil)
        case .opened: (self.state, scopes, message) = ("opened", nil, nil)
        case .connected(let scopes): (self.state, self.scopes, message) = ("connected", scopes, nil)
        case .failed(let why): (self.state, scopes, message) = ("failed", nil, why)
        }
    }
}

/// `POST …/credentials/{server}/connect`.
package struct ConnectionBegun: Codable, Equatable, Sendable {
    package let id: String
    /// Opens once, within ten minutes.
    package let url: String
}
