// Where grants lie, and what is on record of them: the secret store and the database do it, `claviger` joins them.

package import Gateway

package protocol GrantStore: Sendable {
    /// Nil where there is none.
    func read(_ reference: Reference) async throws(GrantStoreFault) -> GrantRecord?

    /// Durable when it returns.
    func write(_ record: GrantRecord, to reference: Reference) async throws(GrantStoreFault)

    /// Whether the store is known not to answer now: then no refresh is begun that can wait.
    var isOpen: Bool { get async }
}

/// The store could not do it. Words for a log and a refusal.
package struct GrantStoreFault: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String
    /// There is something that is no grant: only another in its place helps.
    package let isUnreadable: Bool

    package init(_ description: String, isUnreadable: Bool = false) {
        self.description = description
        self.isUnreadable = isUnreadable
    }
}

/// What an operator is told of grants, and what is kept on record of them beside the store: never a token.
package protocol GrantObserver: Sendable {
    /// The store has confirmed a record.
    func saved(_ record: GrantRecord, as reference: Reference) async

    /// The provider has ended a generation.
    func disconnected(_ reference: Reference, _ words: String) async

    /// There is another token while the one before it was still good.
    func renewed(_ reference: Reference)

    func refreshed(_ outcome: RefreshOutcome, took: Duration)

    /// In how many grants memory is ahead of the store.
    func unsaved(_ count: Int)

    /// A line for the log.
    func report(isTrouble: Bool, _ words: String)
}

package enum RefreshOutcome: String, CaseIterable, Sendable {
    case done
    /// The provider said that the grant is over.
    case ended
    /// It said something else than a token.
    case refused
    /// It could not be asked, or did not answer.
    case unanswered
}
