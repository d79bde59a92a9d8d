// How credentials leave a store for another: listed, then read and sealed a few at a time.

package import Gateway
internal import Kernel
internal import Metrics

/// What came of a batch of references.
package struct ExportedBatch: Sendable {
    /// Sealed, in the order asked for.
    package var lines: [[UInt8]] = []
    /// What is not there any more.
    package var gone: [Reference] = []
    /// What is there and cannot be read, with the remedy.
    package var unreadable: [(reference: Reference, words: String)] = []

    package init() {}
}

extension CredentialBroker {
    /// Every reference that has a value, without the store's prefix, in order: credentials, grants and clients.
    package func references() async throws(DepositFault) -> [Reference] {
        do throws(StoreFault) {
            return try await store.list(under: "\(prefix)/").compactMap { Reference(path: String($0.path.dropFirst(prefix.count))) }
        } catch {
            metrics.add(.storeFailures)
            throw .store(error)
        }
    }

    /// Reads what lies at `references` and seals each value with its record under `key`.
    ///
    /// - Parameter references: without prefix. The values of ten at a time are in memory.
    /// - Throws: `DepositFault` where store or ledger fail; the same may be asked again.
    package func export(_ references: [Reference], under key: MasterKey) async throws(DepositFault) -> ExportedBatch {
        var batch = ExportedBatch()
        for start in stride(from: 0, to: references.count, by: 10) {
            try await export(references[start..<min(start + 10, references.count)], under: key, into: &batch)
        }
        return batch
    }

    private func export(_ references: ArraySlice<Reference>, under key: MasterKey, into batch: inout ExportedBatch) async throws(DepositFault) {
        let places = references.compactMap(placed)
        let found = try await read(places, .ahead)
        let records = try await recording { ledger async throws in try await ledger.deposits(at: places) }
        for reference in references {
            guard let place = placed(reference), let stored = found[place] else {
                batch.gone.append(reference)
                continue
            }
            switch stored {
            case .damaged(let fault): batch.unreadable.append((reference, fault.description))
            case .value(let value):
                do throws(StoreFault) {
                    let line = try SealedLine(ExportEntry(reference, records[place]), value.bytes, key: key, nonce: SecureRandom.bytes(12))
                    batch.lines.append(line.bytes)
                } catch {
                    throw .store(error)
                }
            }
        }
    }

    /// Where a reference without prefix lies in this store; nil where it would be too long.
    func placed(_ reference: Reference) -> Reference? {
        prefix.isEmpty ? reference : Reference(path: prefix + reference.path)
    }

    func read(_ references: [Reference], _ urgency: ReadUrgency) async throws(DepositFault) -> [Reference: StoredSecret] {
        metrics.add(.storeReads, references.count)
        do throws(StoreFault) {
            return try await store.read(references, urgency)
        } catch {
            metrics.add(.storeFailures)
            throw .store(error)
        }
    }
}
