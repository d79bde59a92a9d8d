// Grants and registered clients in the secret store.

internal import Credentials
internal import Gateway
internal import Kernel
internal import Metrics
internal import OAuth

/// Grants and registered clients lie where credentials do, as flat JSON objects.
struct StoredGrants: GrantStore, ClientStore {
    let store: any SecretStore
    let metrics: SharedShard
    /// Whether the store is known not to answer now.
    let isFailing: @Sendable () async -> Bool

    var isOpen: Bool { get async { await isFailing() } }

    func read(_ reference: Reference) async throws(GrantStoreFault) -> GrantRecord? {
        guard let fields = try await fields(at: reference) else { return nil }
        do { return try GrantRecord(fields: fields) } catch { throw GrantStoreFault("\(reference) \(error)", isUnreadable: true) }
    }

    func write(_ record: GrantRecord, to reference: Reference) async throws(GrantStoreFault) {
        try await write(record.fields, to: reference)
    }

    func read(_ reference: Reference) async throws(GrantStoreFault) -> [String: Secret]? {
        try await fields(at: reference)
    }

    func write(_ fields: [String: Secret], to reference: Reference) async throws(GrantStoreFault) {
        var named: [FieldName: Secret] = [:]
        for (name, value) in fields {
            guard let name = FieldName(name) else { throw GrantStoreFault("\(name) is no field's name") }
            named[name] = value
        }
        metrics.add(.storeWrites)
        do throws(StoreFault) { try await store.write(CredentialJSON.write(named), to: reference) } catch { throw failed(error) }
    }

    private func fields(at reference: Reference) async throws(GrantStoreFault) -> [String: Secret]? {
        let stored: StoredSecret?
        metrics.add(.storeReads)
        do throws(StoreFault) { stored = try await store.read([reference], .waiting)[reference] } catch { throw failed(error) }
        switch stored {
        case nil: return nil
        case .damaged(let fault): throw GrantStoreFault(fault.description, isUnreadable: true)
        case .value(let value):
            do throws(CredentialJSON.Malformed) {
                return Dictionary(try CredentialJSON.read(value.bytes).map { ($0.key.text, $0.value) }) { first, _ in first }
            } catch {
                throw GrantStoreFault("\(reference) is not a flat JSON object of strings, at byte \(error.offset); connect it again", isUnreadable: true)
            }
        }
    }

    private func failed(_ fault: StoreFault) -> GrantStoreFault {
        metrics.add(.storeFailures)
        return GrantStoreFault(fault.description)
    }
}
