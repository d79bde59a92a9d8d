// What becomes of grants: on record in the database, counted, logged, and told to the broker.

internal import Credentials
internal import Gateway
internal import Logging
internal import Metrics
internal import OAuth
internal import State
internal import Synchronization

/// What becomes of grants, for the database, the metrics and the log.
struct GrantNotes: GrantObserver {
    let state: StateDatabase
    let metrics: SharedShard
    let wallClock: @Sendable () -> Int64
    let line: @Sendable (Logger.Level, String) -> Void
    /// Told of references whose token is another now.
    let bell: RenewalBell

    func renewed(_ reference: Reference) { bell.ring(reference) }

    func saved(_ record: GrantRecord, as reference: Reference) async {
        do throws(StateFault) {
            try await state.recordGrant(reference, issuer: record.issuer, scopes: record.scopes, generation: record.generation, at: wallClock())
        } catch {
            line(.warning, "\(reference): the grant is in the store, and its generation not on record: \(error)")
        }
    }

    func disconnected(_ reference: Reference, _ words: String) async {
        do throws(StateFault) { try await state.setRejected(reference, at: wallClock()) } catch {
            line(.warning, "\(reference): that the connection is over is not on record: \(error)")
        }
    }

    func refreshed(_ outcome: RefreshOutcome, took: Duration) {
        switch outcome {
        case .done: metrics.add(.tokensObtained)
        case .ended: metrics.add(.tokensEnded)
        case .refused: metrics.add(.tokensRefused)
        case .unanswered: metrics.add(.tokensUnanswered)
        }
    }

    func unsaved(_ count: Int) { metrics.set(.unsavedGrants, to: count) }

    func report(isTrouble: Bool, _ words: String) { line(isTrouble ? .warning : .notice, words) }
}

/// Tells the broker of new tokens; the broker is there a moment later than those who tell.
final class RenewalBell: Sendable {
    private let broker = Mutex<CredentialBroker?>(nil)

    func connect(_ broker: CredentialBroker) {
        self.broker.withLock { $0 = broker }
    }

    /// A step of the broker's, which nobody waits for; at the end of the process it may be lost.
    func ring(_ reference: Reference) {
        Task { await tell(reference) }
    }

    func tell(_ reference: Reference) async {
        await broker.withLock({ $0 })?.changed(reference)
    }
}
