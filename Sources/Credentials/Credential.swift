// A credential as it was fetched, and what becomes of it for a server.

package import Gateway
package import Kernel
internal import Metrics

/// The fields of one credential, and what was on record of it.
package final class Credential: Sendable {
    package let fields: [FieldName: Secret]
    /// What it may be injected toward.
    package let origin: Origin
    /// Whether its server answered 401 to it, as was on record when it was fetched.
    let isRejected: Bool
    /// When it ends whatever the cache's settings say: nothing of it is served from then on. An access token's; nil for a static one.
    package let expiry: MonotonicTime?
    /// Of a token: which one it is, and from when on its source may have another.
    let token: (number: Int, refreshFrom: MonotonicTime)?

    package init(fields: [FieldName: Secret], origin: Origin, isRejected: Bool = false, expiry: MonotonicTime? = nil) {
        self.fields = fields
        self.origin = origin
        self.isRejected = isRejected
        self.expiry = expiry
        token = nil
    }

    /// A bearer token, in the one field that the injector of such a server has.
    init(_ token: BearerToken, origin: Origin, isRejected: Bool) {
        fields = [.accessToken: token.value]
        self.origin = origin
        self.isRejected = isRejected
        expiry = token.expiry
        self.token = (token.number, token.refreshFrom)
    }

    /// Whether it is the same value for the same origin until the same time.
    func isSame(as other: Credential) -> Bool {
        guard origin == other.origin, expiry == other.expiry, fields.count == other.fields.count else { return false }
        return fields.allSatisfy { name, value in other.fields[name].map { value.isSame(as: $0) } ?? false }
    }
}

/// What is known of a credential, for one server instance as it is configured.
package enum CredentialAnswer: Sendable {
    case hit(RenderedCredential)
    /// None is deposited, or it was deposited for another origin.
    case missing
    /// One was connected, and its provider takes it no more; why, for the log.
    case disconnected(String)
    /// There is one that may not be injected; why, for the log.
    case invalid(String)

    var isHit: Bool {
        if case .hit = self { true } else { false }
    }

    /// What to inject.
    ///
    /// - Parameter portalURL: `Snapshot.portalURL` of the exchange's snapshot, for the place where a missing one is connected.
    /// - Throws: `credential_missing`, `credential_invalid`.
    package func credential(at instance: ServerInstance, portalURL: String) throws(Refusal) -> RenderedCredential {
        switch self {
        case .hit(let rendered): return rendered
        case .missing:
            throw Refusal(
                .credentialMissing, "none deposited for \(instance.server.origin)", connect: ConnectPointer(to: instance, portalURL: portalURL))
        case .disconnected(let why):
            throw Refusal(.credentialRejected, "its connection is over: \(why)", connect: ConnectPointer(to: instance, portalURL: portalURL))
        case .invalid(let why): throw Refusal(.credentialInvalid, why)
        }
    }
}

/// What the broker hands to a worker's view: an answer, for which server it holds, and how long.
package struct CachedCredential: Sendable {
    package let key: CacheKey
    package let answer: CredentialAnswer
    /// The answer is for this object: a reload makes another, and asks again.
    let server: Server
    let freshUntil: MonotonicTime
    /// From when on the broker wants to hear of its use, and of its first before that; nil where it need not.
    let refreshFrom: MonotonicTime?
    /// Whether its time is over, and it is served because the store does not answer.
    let isStale: Bool
    /// Of the invalidation log, at which this was true.
    let sequence: UInt64

    /// What a look-up that finds it counts as.
    var counter: Counter {
        if !answer.isHit { .cacheNegativeHits } else if isStale { .cacheStale } else { .cacheHits }
    }
}
