// The secret store of a configuration, opened, with whatever it needs to be asked.

internal import Credentials
internal import EventLoop
internal import Gateway
internal import Kernel
internal import Logging
internal import Metrics
internal import Outbound
internal import Portal

struct OpenedStore: Sendable {
    /// What the broker asks.
    let store: any SecretStore
    private let remote: Remote?

    fileprivate struct Remote: Sendable {
        let store: ParameterStore
        let credentials: AWSCredentialChain
        let client: OutboundClient
    }

    /// - Parameter report: told of what an operator should know.
    /// - Throws: what cannot be opened, and what to do; an exit code of configuration where that is at fault.
    static func open(
        _ secrets: SecretsSettings, state: String, metrics: SharedShard, report: @escaping @Sendable (Logger.Level, String) -> Void
    ) throws -> OpenedStore {
        switch secrets {
        case .sealedFiles(let directory, let key):
            let files = try SealedFiles(at: directory ?? "\(state)/secrets", key: key, state: state, on: .started(name: "store", mayBlock: true))
            return OpenedStore(store: TimedStore(files, metrics: metrics, clock: { .now() }), remote: nil)
        case .parameterStore(let settings):
            let remote = try Remote(settings, metrics: metrics, report: report)
            return OpenedStore(store: remote.store, remote: remote)
        }
    }

    var kind: String { remote == nil ? "sealed_files" : "parameter_store" }

    /// Whether the store is known not to answer now.
    var isFailing: Bool {
        get async { await remote?.store.isFailing ?? false }
    }

    /// Waits until there is something to sign with, or a source that may give it later.
    /// - Throws: where no source is configured, or one is configured wrongly.
    func findCredentials() async throws(CommandFault) {
        guard let remote else { return }
        do throws(AWSCredentialFault) {
            _ = try await remote.credentials.credentials()
        } catch {
            guard !error.isPassing else { return }
            throw CommandFault(kind: .configuration, line: "no AWS credentials: \(error)")
        }
    }

    /// Asks for a parameter that there is not, as a try. Nil for a store that is not asked over a network.
    func greeting() async -> (isGood: Bool, line: String)? {
        guard let remote else { return nil }
        do throws(StoreFault) {
            try await remote.store.probe()
        } catch {
            return (false, "secret store: a try failed: \(error)")
        }
        let words = "secret store: \(remote.store.place), prefix \(remote.store.settings.prefix), tier \(remote.store.settings.tier)"
        return (true, "\(words), credentials from \(await remote.credentials.status()?.source ?? "an unknown source"): it answers")
    }

    func standing() async -> StatusReport.Remote? {
        guard let remote else { return nil }
        let credentials = await remote.credentials.status()
        return StatusReport.Remote(
            region: remote.store.place.region, endpoint: remote.store.place.endpoint, prefix: remote.store.settings.prefix,
            credentials: credentials?.source, credentialsExpire: credentials?.expires.map(Timestamp.text), circuit: await remote.store.circuitWord)
    }

    func close() async {
        await remote?.store.close()
        await remote?.credentials.close()
        await remote?.client.close()
    }
}

extension OpenedStore.Remote {
    init(_ settings: ParameterStoreSettings, metrics: SharedShard, report: @escaping @Sendable (Logger.Level, String) -> Void) throws {
        client = OutboundClient(on: try .started(name: "outbound"), agent: "claviger/\(Version.text)")
        let loop = try EventLoop.started(name: "store")
        let warn: @Sendable (String) -> Void = { report(.warning, $0) }
        let place: ParameterStorePlace
        do {
            place = try ParameterStorePlace(settings, try AWSSettings(AWSSurroundings(environment: Places.environment, client: client, warn: warn)))
        } catch {
            throw CommandFault(kind: .configuration, line: "\(error)")
        }
        credentials = AWSCredentialChain.standard(
            environment: Places.environment, client: client, region: place.region, on: try .started(name: "credentials"), warn: warn)
        store = ParameterStore(
            settings, at: place, on: loop, client: client, credentials: credentials, metrics: metrics, clock: { .now() },
            wallClock: { WallClock.milliseconds() / 1000 },
            random: {
                var random = SecureRandom()
                return random.next()
            },
            sleep: { time in
                // Cancelled, it returns early, which is what is asked of it.
                try? await Task.sleep(for: time.duration(since: .now()))
            },
            report: { isTrouble, line in report(isTrouble ? .error : .notice, line) })
    }
}
