// Who asks, for what, and where the request is to go: what `admit` answers.

package import HTTP1

/// A navigator speaking for a user.
package struct Caller: Sendable {
    package let key: KeyEntry
    package let user: UserEmail

    package var navigator: Navigator { key.navigator }

    package init(key: KeyEntry, user: UserEmail) {
        self.key = key
        self.user = user
    }
}

/// A request that may be relayed once its credential is at hand. One object for all requests that are admitted alike (`IdentityMemo`).
package final class Admission: Sendable {
    package let caller: Caller
    package let instance: ServerInstance
    /// Behind `/mcp/{server}/`, never empty: `MessagePath` says what it means upstream. Only for `transport: sse`.
    package let suffix: ByteRange?
    /// The request's Origin as `gateway.allowed_origins` has it, so that it outlives the head: the response gets the CORS fields.
    package let allowedOrigin: String?

    init(caller: Caller, instance: ServerInstance, suffix: ByteRange?, allowedOrigin: String?) {
        self.caller = caller
        self.instance = instance
        self.suffix = suffix
        self.allowedOrigin = allowedOrigin
    }
}

package enum Destination: Sendable {
    case relay(Admission)
    /// A browser asks whether its page may call from this allowed origin: `CrossOrigin.writePreflight` answers.
    case preflight(origin: String)
    /// The pages and documents of the portal.
    case portal
    /// The key was accepted, and its users come in tokens, of which this one is not known: to be asked again with whom it vouches for.
    case unproven(UserTokenRule, token: ByteRange)
}

/// What was established of a request before it was admitted or refused: for the access record, and for the form of the refusal.
package struct RouteDetail: Sendable {
    /// The key was accepted; so a JSON-RPC id may be read for the answer.
    package internal(set) var key: KeyEntry?
    /// The id of a key that was not accepted, where the text had the form of one: anybody may say any.
    package internal(set) var claimedKey: APIKeyID?
    package internal(set) var user: UserEmail?
    /// The instance asked for, reachable or not: for the log only.
    package internal(set) var instance: ServerInstance?
    package internal(set) var allowedOrigin: String?

    package init() {}

    package mutating func reset() {
        self = RouteDetail()
    }
}
