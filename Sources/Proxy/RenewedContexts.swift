// TLS contexts whose files may change while they are in use: looked at now and then, read anew, and swapped when all of them are good.

internal import Kernel
internal import Synchronization
internal import TLS

/// What became of files that changed.
package struct CertificateRenewal: Sendable {
    /// Whose they are, for a line of the log: "127.0.0.1:8443".
    package let owner: String
    /// Nil: the new ones are in force. Else why the old ones still are.
    package let fault: String?
}

/// Contexts by what they are made of. Making one takes long, and happens on the thread of who asks for it; a look-up never waits for that.
final class RenewedContexts<Key: Hashable & Sendable, Context: Sendable>: Sendable {
    /// How one is made.
    struct Recipe: Sendable {
        let owner: String
        let files: [String]
        let make: @Sendable () throws(TLSFault) -> Context
    }

    private struct Entry: Sendable {
        let recipe: Recipe
        /// Of the files, as they were before they were read.
        let marks: [FileMark?]
        let context: Context
        let madeAt: MonotonicTime
        var failure: Failure?
    }

    /// Files that changed and cannot be used as they are.
    private struct Failure: Sendable {
        let marks: [FileMark?]
        let fault: TLSFault
        var isReported = false
    }

    // Held for a look-up at an accept or a connect, or a swap; never while a file is read.
    private let entries: Mutex<[Key: Entry]>
    /// A context's own keys, those of tickets, are used no longer than this.
    private static var lifetime: Nanoseconds { Nanoseconds(.seconds(12 * 3600)) }

    /// - Parameter former: where what the recipes want may be at hand: made for the same, of files that have not changed since.
    /// - Throws: the first that cannot be made.
    init(_ recipes: [Key: Recipe], after former: RenewedContexts?, now: MonotonicTime) throws(TLSFault) {
        let known = former?.entries.withLock { $0 } ?? [:]
        var entries: [Key: Entry] = [:]
        for (key, recipe) in recipes {
            if let same = known[key], same.marks == recipe.files.map({ FileMark($0) }) {
                entries[key] = same
            } else {
                entries[key] = try Self.entry(recipe, now)
            }
        }
        self.entries = Mutex(entries)
    }

    func context(for key: Key) -> Context? {
        entries.withLock { $0[key]?.context }
    }

    /// Looks at every file. Of those that changed, contexts are made anew; where that fails, the old one stays, and it is said
    /// once, at the next look: who renews a pair writes one file after the other.
    func renew(now: MonotonicTime) -> [CertificateRenewal] {
        let present = entries.withLock { $0 }
        var renewals: [CertificateRenewal] = []
        for (key, entry) in present {
            let (after, renewal) = Self.renewed(entry, now)
            if let after { entries.withLock { $0[key] = after } }
            if let renewal { renewals.append(renewal) }
        }
        return renewals.sorted { $0.owner < $1.owner }
    }

    /// - Returns: nil for an entry that stays as it is.
    private static func renewed(_ entry: Entry, _ now: MonotonicTime) -> (Entry?, CertificateRenewal?) {
        let marks = entry.recipe.files.map { FileMark($0) }
        if marks == entry.marks {
            let isOld = now >= entry.madeAt.advanced(by: lifetime)
            guard isOld || entry.failure != nil else { return (nil, nil) }
            var same = entry
            same.failure = nil
            return (isOld ? (try? Self.entry(entry.recipe, now)) ?? same : same, nil)
        }
        if var failure = entry.failure, failure.marks == marks {
            guard !failure.isReported else { return (nil, nil) }
            failure.isReported = true
            var failing = entry
            failing.failure = failure
            return (failing, CertificateRenewal(owner: entry.recipe.owner, fault: failure.fault.words))
        }
        do throws(TLSFault) {
            return (try Self.entry(entry.recipe, now), CertificateRenewal(owner: entry.recipe.owner, fault: nil))
        } catch {
            var failing = entry
            failing.failure = Failure(marks: marks, fault: error)
            return (failing, nil)
        }
    }

    private static func entry(_ recipe: Recipe, _ now: MonotonicTime) throws(TLSFault) -> Entry {
        let marks = recipe.files.map { FileMark($0) }
        return Entry(recipe: recipe, marks: marks, context: try recipe.make(), madeAt: now)
    }
}
