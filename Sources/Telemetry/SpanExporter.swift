// Sends what the workers traced to a receiver of OTLP, in batches; a receiver that is away costs spans, never an exchange.

package import EventLoop
internal import FoundationEssentials
package import Gateway
internal import HTTP1
internal import Kernel
package import Metrics
package import Outbound

/// One batch is under way at a time. What may be sent again is, after pauses of 1, 2, 4, 8 and 16 seconds, or of those that the receiver asks for, as long
/// as the pauses are no more than a minute together; meanwhile the queue fills, and beyond its bound spans are dropped and counted.
package actor SpanExporter {
    private nonisolated let loop: EventLoop
    private let client: any HTTPClient
    private let queue: SpanQueue
    private let settings: @Sendable () -> TraceSettings?
    private let service: (version: String, instance: String)
    private let metrics: SharedShard
    private let report: @Sendable (LogLevel, String) -> Void
    private var isFailing = false
    private var isEnding = false
    /// The batch in its pause; whoever takes it out sends it.
    private var paused: (spans: [Span], url: String)?

    /// Spans of one request.
    static let batch = 256
    static let attempts = 6
    /// All pauses of a batch together.
    static let pauses = Duration.seconds(60)

    /// - Parameters:
    ///   - loop: its own, shared with no worker.
    ///   - settings: those in force; nil = what waits is let go.
    ///   - service: what the spans say of who made them: the version, and an id of this process.
    ///   - report: writes a line of the log.
    package init(
        on loop: EventLoop, client: any HTTPClient, queue: SpanQueue, settings: @escaping @Sendable () -> TraceSettings?,
        service: (version: String, instance: String), metrics: SharedShard, report: @escaping @Sendable (LogLevel, String) -> Void
    ) {
        self.loop = loop
        self.client = client
        self.queue = queue
        self.settings = settings
        self.service = service
        self.metrics = metrics
        self.report = report
    }

    /// Whether a batch waits to be sent again.
    var isPaused: Bool { paused != nil }

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.serial }

    /// Sends every second what waits, until its task is cancelled.
    package func run() async {
        while (try? await Task.sleep(for: .seconds(1))) != nil { await sendWaiting() }
    }

    /// Sends what waits, each batch once, and the one in its pause first: nobody has the time to wait for a receiver.
    package func finish() async {
        isEnding = true
        if let (spans, url) = paused {
            paused = nil
            await send(spans, to: url)
        }
        await sendWaiting()
    }

    /// Sends what waits, each batch as often as it takes.
    package func sendWaiting() async {
        while true {
            let spans = queue.take(most: SpanExporter.batch)
            guard !spans.isEmpty else { return }
            guard let settings = settings() else {
                metrics.add(.spansDropped, spans.count)
                continue
            }
            await send(spans, to: settings.otlp)
        }
    }

    private func send(_ spans: [Span], to url: String) async {
        let body = Secret(copying: SpanJSON.body(of: spans, version: service.version, instance: service.instance).bytes)
        var request = OutboundRequest(.post, url, fields: [.init("Content-Type", "application/json"), .init("Accept", "application/json")], body: body)
        request.limits = .init(time: .seconds(10), connecting: .seconds(5), answer: 64 << 10)
        var left = SpanExporter.pauses
        for attempt in 1...SpanExporter.attempts {
            var pause = Duration.seconds(1 << (attempt - 1))
            do throws(OutboundFault) {
                let answer = try await client.send(request)
                if answer.status / 100 == 2 { return taken(spans.count, answer) }
                complain("the receiver answers \(answer.status)")
                // OTLP, "Failures": every other status is for good.
                guard [429, 502, 503, 504].contains(answer.status) else { break }
                if let seconds = answer["retry-after"].flatMap({ Int($0) }) { pause = .seconds(min(max(seconds, 0), 60)) }
            } catch {
                complain("\(error)")
                guard error.retry != .pointless, error.kind != .cancelled else { break }
            }
            left -= pause
            guard attempt < SpanExporter.attempts, left >= .zero, !isEnding else { break }
            paused = (spans, url)
            let isOver = (try? await Task.sleep(for: pause)) != nil
            guard paused != nil else { return }
            paused = nil
            guard isOver else { break }
        }
        metrics.add(.spansFailed, spans.count)
    }

    private func taken(_ count: Int, _ answer: OutboundResponse) {
        let refused = min(SpanExporter.refused(answer), count)
        metrics.add(.spansExported, count - refused)
        if refused > 0 { metrics.add(.spansFailed, refused) }
        guard isFailing else { return }
        isFailing = false
        report(.notice, "trace: spans are taken again")
    }

    private func complain(_ reason: String) {
        guard !isFailing else { return }
        isFailing = true
        report(.warning, "trace: spans cannot be sent: \(reason); those that find no room meanwhile are dropped and counted")
    }

    private struct Answer: Decodable {
        struct Partial: Decodable {
            let rejectedSpans: Count?
        }

        /// A 64-bit number is text in this JSON; some write it as a number.
        enum Count: Decodable {
            case of(Int)

            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                if let number = try? container.decode(Int.self) { self = .of(number); return }
                self = .of(Int(try container.decode(String.self)) ?? 0)
            }
        }

        let partialSuccess: Partial?
    }

    /// How many of the spans a receiver that took the request did not take (OTLP, "Partial Success"). What it says besides is nothing to rely on.
    private static func refused(_ answer: OutboundResponse) -> Int {
        guard let read = try? JSONDecoder().decode(Answer.self, from: Data(answer.body.bytes.copied())), case .of(let count) = read.partialSuccess?.rejectedSpans
        else { return 0 }
        return max(count, 0)
    }
}
