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

    let content: Content
    let fetchedAt: MonotonicTime
    let freshUntil: MonotonicTime
    /// The last answer made of it, and for which server: made again only where another asks.
    var rendering: (server: Server, answer: CredentialAnswer)?

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
