// A credential broker over a store in memory that has the same credential for everybody: where the cache cases get what they look up.

internal import Credentials
internal import EventLoop
internal import Gateway
internal import Kernel
internal import Metrics

struct Desk {
    /// The broker's clock stands still here.
    let now = MonotonicTime(nanoseconds: 1_000_000_000_000)
    private let loop: EventLoop
    private let broker: CredentialBroker

    init() throws {
        loop = try EventLoop.started(name: "broker")
        let now = now
        broker = CredentialBroker(
            on: loop, store: Store(), ledger: Ledger(), tokens: NoTokens(), settings: CacheSettings(), metrics: SharedShard(), clock: { now },
            wallClock: { Fixtures.wallClock }, random: { 0 })
    }

    func credential(at instance: ServerInstance, for user: UserEmail) async throws -> CachedCredential {
        try await broker.credential(for: CacheKey(instance, user: user), at: instance, user: user)
    }

    /// Ends its thread.
    func close() {
        loop.stop()
    }

    private struct NoTokens: TokenSource {
        func token(at instance: ServerInstance, user: UserEmail?) async throws(TokenFault) -> BearerToken { throw .missing }
        func needsMore(_ challenges: [String], at instance: ServerInstance, user: UserEmail?) async -> String { "" }
        func rejected(_ number: Int, at instance: ServerInstance, user: UserEmail?) async {}
        func remove(at instance: ServerInstance, user: UserEmail?) async throws(StoreFault) -> String? { nil }
    }

    private struct Store: SecretStore {
        func read(_ references: [Reference], _ urgency: ReadUrgency) async throws(StoreFault) -> [Reference: StoredSecret] {
            let json = "{\"token\":\"\(Text.token)\"}"
            return Dictionary(uniqueKeysWithValues: references.map { ($0, .value(Secret(copying: json.utf8Span.span.raw))) })
        }

        func write(_ value: Secret, to reference: Reference) async throws(StoreFault) {}

        func delete(_ reference: Reference) async throws(StoreFault) -> Bool { false }

        func list(under root: String) async throws(StoreFault) -> [Reference] { [] }
    }

    private struct Ledger: OriginLedger {
        func standing(of reference: Reference) async throws -> Standing? { nil }

        func adopt(_ deposit: Deposit) async throws -> Origin { deposit.origin }

        func record(_ deposit: Deposit) async throws {}

        func setRejected(_ reference: Reference, at time: Int64?) async throws {}

        func forget(_ reference: Reference) async throws {}

        func deposits(at references: [Reference]) async throws -> [Reference: Deposit] { [:] }

        func deposits(in project: ProjectName) async throws -> [Deposit] { [] }
    }
}
