// The exporter of spans: made when tracing is first configured, with a loop and a client of its own.

internal import EventLoop
internal import Gateway
internal import Kernel
internal import Logging
internal import Metrics
internal import Outbound
internal import Synchronization
internal import Telemetry

/// Until then nothing of it runs.
final class Tracing: Sendable {
    private let queue: SpanQueue
    private let settings: @Sendable () -> TraceSettings?
    private let metrics: SharedShard
    private let logger: Logger
    private let made = Mutex<(exporter: SpanExporter, client: OutboundClient)?>(nil)

    /// How long the end waits for the last spans.
    private static let patience = Duration.seconds(2)

    /// - Parameter settings: of the configuration in force.
    init(queue: SpanQueue, settings: @escaping @Sendable () -> TraceSettings?, metrics: SharedShard, logger: Logger) {
        self.queue = queue
        self.settings = settings
        self.metrics = metrics
        self.logger = logger
    }

    /// Until its task is cancelled.
    func run() async {
        while settings() == nil {
            guard (try? await Task.sleep(for: .seconds(1))) != nil else { return }
        }
        do throws(SystemFault) {
            let exporter = try make()
            await exporter.run()
        } catch {
            logger.error("trace: no spans are sent: \(error)")
        }
    }

    private func make() throws(SystemFault) -> SpanExporter {
        let loop = try EventLoop.started(name: "trace")
        let client = OutboundClient(on: loop, agent: "claviger/\(Version.text)", transfers: 2)
        let instance = SecureRandom.bytes(16).map { String($0, radix: 16) }.joined()
        let logger = logger
        let exporter = SpanExporter(
            on: loop, client: client, queue: queue, settings: settings, service: (Version.text, instance), metrics: metrics,
            report: { level, line in logger.log(level: Logger.Level(level), "\(line)") })
        made.withLock { $0 = (exporter, client) }
        return exporter
    }

    /// Sends what the workers left last, if the receiver takes it at once.
    func finish() async {
        guard let (exporter, client) = made.withLock({ $0 }) else { return }
        let hurry = Task {
            try await Task.sleep(for: Tracing.patience)
            await client.close()
        }
        await exporter.finish()
        hurry.cancel()
        await client.close()
    }
}
