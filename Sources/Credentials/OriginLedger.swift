// What the broker needs recorded beside the secret store. `State` does it; `claviger` joins the two.

package import Gateway

/// Durable records of deposits. Each call is one transaction, done on threads of its own.
package protocol OriginLedger: Sendable {
    /// What a credential was deposited for and whether it was rejected; nil where nothing is recorded.
    func standing(of reference: Reference) async throws -> Standing?

    /// Records the deposit where nothing is recorded yet.
    /// - Returns: the origin now on record, which is an older one's where there was one.
    func adopt(_ deposit: Deposit) async throws -> Origin

    /// Records the deposit in place of an older one, whose `depositedAt` is kept where the origin is the same. A new value is not a rejected one.
    func record(_ deposit: Deposit) async throws

    /// Records since when its server rejects the stored value, in seconds since 1970; nil = it takes it. Nothing recorded is no fault.
    func setRejected(_ reference: Reference, at time: Int64?) async throws

    /// Forgets what is recorded; nothing recorded is no fault.
    func forget(_ reference: Reference) async throws

    /// What is recorded of those references that have a record.
    func deposits(at references: [Reference]) async throws -> [Reference: Deposit]

    /// What is recorded for a project, in order of server and user.
    func deposits(in project: ProjectName) async throws -> [Deposit]
}
