// How exported credentials come into this store: each put, recorded, and read back, and nothing replaced unasked.

internal import Gateway
internal import Kernel
internal import Metrics

/// What came of one exported credential.
package enum ImportOutcome: Equatable, Sendable {
    /// Written, and read back as it was.
    case imported
    /// The same value was there, for the same origin.
    case present
    /// Something else is there and stays; what, and the remedy.
    case conflicting(String)
    /// Why not, and the remedy.
    case failed(String)
}

/// What came of a batch of lines, in their order, as far as it came.
package struct ImportedBatch: Sendable {
    package var outcomes: [(reference: String, outcome: ImportOutcome)] = []
    /// Why the rest was not begun: the store or the ledger fail. The same may be done again.
    package var stopped: DepositFault?

    package init() {}
}

extension CredentialBroker {
    /// Puts exported credentials into this store, in the way of a deposit: the next request on every worker sees them.
    ///
    /// What was imported before is found and left, so the same lines may be given again after any failure.
    /// - Parameters:
    ///   - lines: of an export's credentials, sealed under `key`.
    ///   - replacing: whether a value that is there and differs gives way.
    ///   - pause: waits between looks at a store that shows what was written only after a while.
    package func take(
        _ lines: [[UInt8]], under key: MasterKey, replacing: Bool,
        pause: @escaping @Sendable (Duration) async -> Void = { try? await Task.sleep(for: $0) }
    ) async -> ImportedBatch {
        var batch = ImportedBatch()
        do throws(DepositFault) {
            let arrivals = lines.map { Arrival($0, key, prefix) }
            // Ten are looked at in one call; only what is missing is changed, one after the other.
            let places = arrivals.compactMap(\.place)
            let found = try await read(places, .ahead)
            let records = try await recording { ledger async throws in try await ledger.deposits(at: places) }
            for arrival in arrivals where !Task.isCancelled {
                guard let place = arrival.place, let value = arrival.value else {
                    batch.outcomes.append((arrival.entry?.reference ?? "(unknown)", .failed(Arrival.unfit)))
                    continue
                }
                let here = Occupant(stored: found[place], deposit: records[place])
                var outcome = arrival.settled(by: here, replacing: replacing)
                if outcome == nil { outcome = try await put(value, of: arrival, at: place, replacing: replacing, pause: pause) }
                batch.outcomes.append((arrival.entry?.reference ?? place.path, outcome ?? .imported))
            }
        } catch {
            batch.stopped = error
        }
        return batch
    }

    private func put(
        _ value: Secret, of arrival: Arrival, at place: Reference, replacing: Bool, pause: @escaping @Sendable (Duration) async -> Void
    ) async throws(DepositFault) -> ImportOutcome {
        try await change(CacheKey(place, prefix: prefix)) { broker async throws(DepositFault) in
            // Somebody may have changed it since it was looked at.
            let found = try await broker.read([place], .waiting)[place]
            let known = try await broker.recording { ledger async throws in try await ledger.deposits(at: [place])[place] }
            if let outcome = arrival.settled(by: Occupant(stored: found, deposit: known), replacing: replacing) { return outcome }
            // In the order of a deposit: a record first where there is none, and none for another origin before the value is there.
            if let deposit = arrival.deposit { _ = try await broker.recording { ledger async throws in try await ledger.adopt(deposit) } }
            let isThere = found.isSame(as: value)
            if !isThere {
                do throws(DepositFault) {
                    try await broker.write(value, to: place)
                } catch {
                    guard case .store(let fault) = error, fault.isOfThisValue else { throw error }
                    if found == nil, known == nil { try await broker.recording { ledger async throws in try await ledger.forget(place) } }
                    return .failed(fault.description)
                }
            }
            if let deposit = arrival.deposit {
                try await broker.recording { ledger async throws in try await ledger.record(deposit) }
            } else if known != nil {
                // What stands there was recorded of another value.
                try await broker.recording { ledger async throws in try await ledger.forget(place) }
            }
            if isThere { return .present }
            return try await broker.shows(value, at: place, pause) ? .imported : .failed(Arrival.unseen)
        }
    }

    /// Whether the store gives back what was written: soon, where it shows a write only after a while.
    private func shows(_ value: Secret, at place: Reference, _ pause: @Sendable (Duration) async -> Void) async throws(DepositFault) -> Bool {
        for wait in [Duration.zero, .milliseconds(200), .seconds(1), .seconds(3)] {
            if wait > .zero { await pause(wait) }
            if try await read([place], .waiting)[place].isSame(as: value) { return true }
        }
        return false
    }
}

/// A line that was opened.
private struct Arrival: Sendable {
    let entry: ExportEntry?
    let value: Secret?
    /// Where it belongs in this store.
    let place: Reference?
    let deposit: Deposit?

    static let unfit = "the line is damaged, sealed under another key, or its reference is too long here: export again, or shorten the store's prefix"
    static let unseen = "the store does not give back what was written to it: was it changed meanwhile? import again"

    init(_ line: [UInt8], _ key: MasterKey, _ prefix: String) {
        let sealed = SealedLine(line)
        let value = sealed?.open(key)
        let entry = value == nil ? nil : sealed?.decode(ExportEntry.self)
        let place = entry.flatMap { Reference(path: $0.reference) == nil ? nil : Reference(path: prefix + $0.reference) }
        (self.entry, self.value, self.place) = (entry, value, place)
        deposit = place.flatMap { entry?.deposit(at: $0) }
    }

    /// What comes of it, where that needs no change; nil where it is to be put.
    func settled(by here: Occupant, replacing: Bool) -> ImportOutcome? {
        switch here.stored {
        case nil: return nil
        case .damaged: return replacing ? nil : .conflicting("what is stored there is damaged: import with --replace, or remove it")
        case .value:
            guard let value, here.stored.isSame(as: value) else {
                // Its refresh token is spent: shown again, the provider may end the whole grant.
                if place?.path.hasSuffix(".grant") == true, let value, let known = here.stored.generation, let arriving = (.value(value) as StoredSecret?).generation, arriving < known {
                    return .conflicting("a later generation of the grant is stored there (\(known), not \(arriving)); its person connects anew, if need be")
                }
                return replacing ? nil : .conflicting("another value is stored there: import with --replace, or delete it")
            }
            guard let deposit else { return .present }
            guard let known = here.deposit else { return nil }
            if known.origin == deposit.origin { return .present }
            let words = "it is recorded for \(known.origin) there, not for \(deposit.origin): import with --replace, or delete it"
            return replacing ? nil : .conflicting(words)
        }
    }
}

/// What is in this store and ledger already.
private struct Occupant {
    let stored: StoredSecret?
    let deposit: Deposit?
}

extension StoredSecret? {
    fileprivate func isSame(as value: Secret) -> Bool {
        guard case .value(let stored)? = self else { return false }
        return stored.isSame(as: value)
    }

    /// Of an OAuth grant; nil for all else.
    fileprivate var generation: Int? {
        guard case .value(let value)? = self, let name = FieldName("generation"), let text = try? CredentialJSON.read(value.bytes)[name] else { return nil }
        return Int(String(decoding: text.bytes.copied(), as: UTF8.self))
    }
}

extension StoreFault {
    /// Another value may go well.
    fileprivate var isOfThisValue: Bool {
        switch kind {
        case .damaged, .rejected: true
        case .unavailable, .timedOut, .throttled, .key, .denied, .misconfigured: false
        }
    }
}
