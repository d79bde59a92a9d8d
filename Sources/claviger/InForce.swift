// The snapshot in force, for all but the workers: who looks here twice may see two.

internal import Gateway
internal import Kernel
internal import OAuth
internal import Portal
internal import Proxy
internal import Synchronization

/// Workers have theirs by adoption (`Worker+Adopt.swift`).
final class InForce: Sendable {
    struct Standing: Sendable {
        let provisions: Provisions
        /// Where providers and documents may be.
        let rule: AddressRule
        /// One more with every reload that was done.
        let generation: Int
        /// Seconds since 1970.
        let since: Int64
        var lastReload: ReloadReport?

        var snapshot: Snapshot { provisions.snapshot }

        /// Which it is.
        var words: String {
            "snapshot \(generation) (\(Facts.name(of: snapshot)))"
        }

        /// What came of the last reload, behind what else is said; empty where there was none.
        var reloadWords: String {
            guard let lastReload else { return "" }
            let outcome = lastReload.result == .done ? "ok" : "\(lastReload.result.rawValue), nothing changed: \(lastReload.problems.first ?? "see the log")"
            return "; last reload \(lastReload.time) \(outcome)"
        }
    }

    /// What was read at the start, for what only a restart changes.
    let first: Outline
    private let standing: Mutex<Standing>

    init(_ provisions: Provisions, at now: Int64) {
        first = provisions.snapshot.outline
        standing = Mutex(Standing(provisions: provisions, rule: InForce.rule(of: provisions.snapshot), generation: 1, since: now))
    }

    var now: Standing { standing.withLock { $0 } }
    var snapshot: Snapshot { standing.withLock { $0.snapshot } }
    var rule: AddressRule { standing.withLock { $0.rule } }

    /// - Returns: its generation.
    func put(_ provisions: Provisions, at now: Int64) -> Int {
        let rule = InForce.rule(of: provisions.snapshot)
        return standing.withLock { standing in
            standing = Standing(
                provisions: provisions, rule: rule, generation: standing.generation + 1, since: now, lastReload: standing.lastReload)
            return standing.generation
        }
    }

    func note(_ report: ReloadReport) {
        standing.withLock { $0.lastReload = report }
    }

    private static func rule(of snapshot: Snapshot) -> AddressRule {
        AddressRule(allowed: snapshot.gateway.outboundAllow, trusted: OpenedOAuth.named(in: snapshot))
    }
}
