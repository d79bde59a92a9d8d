// Whether the portal knows who asks: found out on the way to an answer, and told to the worker, who writes the access record.

internal import HTTPTypes
internal import Hummingbird
internal import Synchronization

/// One for each request, for as long as its answer is made.
final class Acquaintance: Sendable {
    @TaskLocal static var current: Acquaintance?
    private let made = Atomic(false)

    /// To be called where a session, a token or a door has said who asks.
    static func isMade() {
        current?.made.store(true, ordering: .relaxed)
    }

    /// The answer of `body`, marked where it is known whom it is for. The mark goes no further than our worker.
    static func noted(_ body: () async -> Response) async -> Response {
        let acquaintance = Acquaintance()
        var response = await $current.withValue(acquaintance) { await body() }
        if acquaintance.made.load(ordering: .relaxed) { response.headers[.clavigerKnown] = "1" }
        return response
    }
}
