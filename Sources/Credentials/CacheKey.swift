// What a cached credential is known by: a tuple of digests, never joined text.

package import Gateway
internal import Kernel
package import TLS

/// Project, server and level (the instance's digest) and, for user level, the user.
package struct CacheKey: Hashable, Sendable {
    package let instance: Digest256
    package let user: Digest256?

    /// - Parameter user: does not count for an instance of project level.
    package init(_ instance: ServerInstance, user: UserEmail?) {
        self.init(instance: instance.digest, user: instance.level == .user ? user?.digest : nil)
    }

    /// Of what lies at a reference. Where no server's credential does, a key that no instance has: changes of one reference still wait for one another.
    init(_ reference: Reference, prefix: String) {
        if let owner = reference.owner(prefix: prefix) {
            self.init(instance: ServerInstance.digest(owner.project, owner.server, owner.user == nil ? .project : .user), user: owner.user)
        } else {
            self.init(instance: Digest256(hashing: reference.path.utf8Span.span.raw), user: nil)
        }
    }

    init(instance: Digest256, user: Digest256?) {
        self.instance = instance
        self.user = user
    }
}
