// What the broker's table holds for a key.

internal import Gateway
internal import Kernel

struct Held: Sendable {
    enum Content: Sendable {
        case stored(Credential)
        /// The store has a value that is no credential; why.
        case unusable(String)
        case missing
        /// There is a grant, which its provider takes no more; why.
        case disconnected(String)
    }

    /// Which fetch brought it; a refresh that brings the same does not change it.
    let number: UInt64
    let content: Content
    /// For whom it was fetched last, and by which server of the configuration: whom a refresh is for.
    var asker: Asker
    /// When the store last said so.
    private(set) var fetchedAt: MonotonicTime
    private(set) var lifetime: Lifetime
    /// Whether anybody used it since the store last said so: then it is read again ahead of its end.
    var isUsed = false
    /// Of refreshes since the store last said so; the next is not begun before `retryAt`.
    private(set) var failures = 0
    private(set) var retryAt = MonotonicTime(nanoseconds: 0)
    /// The last answer made of it, and for which server: made again only where another asks.
    var rendering: (server: Server, answer: CredentialAnswer)?

    struct Asker: Sendable {
        let instance: ServerInstance
        let user: UserEmail?
    }

    init(number: UInt64, content: Content, for asker: Asker, at now: MonotonicTime, _ lifetime: Lifetime) {
        self.number = number
        self.content = content
        self.asker = asker
        fetchedAt = now
        self.lifetime = lifetime
    }

    var isStored: Bool {
        if case .stored = content { true } else { false }
    }

    /// Whether it may be used without asking anybody. What may not be injected may have been mended: the store is looked at again sooner.
    func isFresh(now: MonotonicTime, negativeTTL: Duration) -> Bool {
        if isStored, let rendering, case .invalid = rendering.answer, now >= fetchedAt.advanced(by: negativeTTL) { return false }
        return now < lifetime.freshUntil
    }

    /// The store has said the same again.
    mutating func confirm(at now: MonotonicTime, _ lifetime: Lifetime) {
        fetchedAt = now
        self.lifetime = lifetime
        isUsed = false
        failures = 0
        retryAt = MonotonicTime(nanoseconds: 0)
    }

    /// The store could not be asked: each time twice as long until the next attempt, from a second to half a minute.
    ///
    /// - Parameter share: from 0 to 1: how much of the later half is taken, so that those who failed together do not come back together.
    mutating func recordFailure(at now: MonotonicTime, share: Double) {
        let span = min(Duration.seconds(1 << min(failures, 5)), .seconds(30))
        failures += 1
        retryAt = now.advanced(by: span / 2 + span / 2 * share)
    }

    /// What this means for `server`: rendered, or that its origin is another than the credential was given for, or that it has expired.
    func answer(for server: Server, now: MonotonicTime) -> CredentialAnswer {
        if case .stored(let credential) = content, let expiry = credential.expiry, expiry <= now { return .invalid("it has expired") }
        if let rendering, rendering.server === server { return rendering.answer }
        switch content {
        case .missing: return .missing
        case .disconnected(let why): return .disconnected(why)
        case .unusable(let why): return .invalid(why)
        case .stored(let credential):
            guard credential.origin == server.origin else { return .missing }
            do {
                let rendered = try RenderedCredential.render(credential.fields, for: server)
                if case .hit(let before)? = rendering?.answer {
                    rendered.isRejected = before.isRejected
                } else {
                    rendered.isRejected = credential.isRejected
                }
                return .hit(rendered)
            } catch {
                return .invalid(error.sentence)
            }
        }
    }
}

extension Held.Content {
    /// Whether the store said the same as before. What it did not keep whole is never the same.
    func isSame(as other: Held.Content) -> Bool {
        switch (self, other) {
        case (.stored(let left), .stored(let right)): left.isSame(as: right)
        case (.missing, .missing): true
        case (.disconnected(let left), .disconnected(let right)): left == right
        default: false
        }
    }
}
