// A credential as it was fetched, and what becomes of it for a server.

package import Gateway
internal import Kernel

/// The fields of one credential, and the origin it may be injected toward.
package final class Credential: Sendable {
    package let fields: [FieldName: Secret]
    package let origin: Origin

    package init(fields: [FieldName: Secret], origin: Origin) {
        self.fields = fields
        self.origin = origin
    }
}

/// What is known of a credential, for one server instance as it is configured.
package enum CredentialAnswer: Sendable {
    case hit(RenderedCredential)
    /// None is deposited, or it was deposited for another origin.
    case missing
    /// There is one that may not be injected; why, for the log.
    case invalid(String)

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
    /// Of the invalidation log, at which this was true.
    let sequence: UInt64
}
