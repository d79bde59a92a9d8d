// What the broker's table holds for a key.

internal import Gateway
internal import Kernel

struct Held: Sendable {
    enum Content: Sendable {
        case stored(Credential)
        /// The store has a value that is no credential; why.
        case unusable(String)
        case missing
    }

    /// Which fetch brought it.
    let number: UInt64
    let content: Content
    let fetchedAt: MonotonicTime
    let freshUntil: MonotonicTime
    /// The last answer made of it, and for which server: made again only where another asks.
    var rendering: (server: Server, answer: CredentialAnswer)?

    /// Whether the store should be looked at again before the entry's time is over: what may not be injected may have been mended.
    func isDoubtful(now: MonotonicTime, after negativeTTL: Duration) -> Bool {
        guard case .stored = content, let rendering, case .invalid = rendering.answer else { return false }
        return now >= fetchedAt.advanced(by: negativeTTL)
    }

    /// What this means for `server`: rendered, or that its origin is another than the credential was given for.
    func answer(for server: Server) -> CredentialAnswer {
        if let rendering, rendering.server === server { return rendering.answer }
        switch content {
        case .missing: return .missing
        case .unusable(let why): return .invalid(why)
        case .stored(let credential):
            guard credential.origin == server.origin else { return .missing }
            do {
                return .hit(try RenderedCredential.render(credential.fields, for: server))
            } catch {
                return .invalid(error.sentence)
            }
        }
    }
}
