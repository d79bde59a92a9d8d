// What a cached credential is known by: a tuple of digests, never joined text.

package import Gateway
package import TLS

/// Project, server and level (the instance's digest) and, for user level, the user.
package struct CacheKey: Hashable, Sendable {
    package let instance: Digest256
    package let user: Digest256?

    /// - Parameter user: does not count for an instance of project level.
    package init(_ instance: ServerInstance, user: UserEmail?) {
        self.init(instance: instance.digest, user: instance.level == .user ? user?.digest : nil)
    }

    init(instance: Digest256, user: Digest256?) {
        self.instance = instance
        self.user = user
    }
}
