// Spans: what stands in an export request, and what becomes of it when the receiver is good, full, or away.

import EventLoop
import Foundation
import Gateway
import HTTP1
import Kernel
import Metrics
import Outbound
import Synchronization
import TLS
import Testing

@testable import Telemetry

@Suite struct SpanTests {
    let metrics = Metrics(workers: 1, refusals: [], version: "0")

    func span(_ number: UInt64 = 7, fill: (inout AccessRecord) -> Void = { _ in }) -> Span {
        var record = AccessRecord(requestID: RequestID(random: (1, 2)), time: 0, client: "192.0.2.1", method: .post)
        record.status = 200
        record.nanoseconds = 1_500_000
        fill(&record)
        let context = TraceContext(random: (0xab, number), sampling: TraceSettings(otlp: "x")).with(span: number)
        return Span(context, began: 1_795_222_923_004_000_001, record: record)
    }

    func json(_ spans: [Span]) throws -> [[String: Any]] {
        let body = SpanJSON.body(of: spans, version: "1.2.3", instance: "abc")
        let read = try #require(try JSONSerialization.jsonObject(with: Data(body.bytes.copied())) as? [String: Any])
        let resource = try #require((read["resourceSpans"] as? [[String: Any]])?.first)
        let scope = try #require((resource["scopeSpans"] as? [[String: Any]])?.first)
        return try #require(scope["spans"] as? [[String: Any]])
    }

    func attributes(_ span: [String: Any]) -> [String: String] {
        let pairs = (span["attributes"] as? [[String: Any]] ?? []).compactMap { attribute -> (String, String)? in
            guard let key = attribute["key"] as? String, let value = (attribute["value"] as? [String: Any])?.first?.value else { return nil }
            return (key, "\(value)")
        }
        return Dictionary(pairs) { first, _ in first }
    }

    @Test func `a span says when, where in the trace, and what`() throws {
        let spans = try json([
            span {
                $0.project = ProjectName("acme")
                $0.server = ServerName("crm")
                $0.navigator = NavigatorName("support")
                $0.user = UserEmail("alice@acme.com")
                $0.operation = Operation(method: "tools/call".utf8Span.span.raw, name: "se\"arch".utf8Span.span.raw)
                $0.upstreamNanoseconds = 900_000
                $0.use = .user
            }
        ])
        let span = try #require(spans.first)
        #expect(span["traceId"] as? String == "00000000000000ab0000000000000007" && span["spanId"] as? String == "0000000000000007")
        #expect(span["parentSpanId"] == nil && span["kind"] as? Int == 2 && span["flags"] as? Int == 0x101)
        #expect(span["name"] as? String == "tools/call se\"arch")
        #expect(span["startTimeUnixNano"] as? String == "1795222923004000001" && span["endTimeUnixNano"] as? String == "1795222923005500001")
        #expect((span["status"] as? [String: Any])?.isEmpty == true)
        let attributes = attributes(span)
        #expect(attributes["http.request.method"] == "POST" && attributes["http.response.status_code"] == "200" && attributes["url.path"] == "/mcp/crm")
        #expect(attributes["mcp.method.name"] == "tools/call" && attributes["gen_ai.tool.name"] == "se\"arch" && attributes["claviger.use"] == "user")
        #expect(attributes["claviger.upstream_ms"] == "0.9")
        #expect(!"\(span)".contains("alice") && !"\(span)".contains("192.0.2.1"))
    }

    @Test(arguments: [
        (502, RefusalCode.upstreamUnreachable, "upstream_unreachable"), (500, nil, "500"), (401, .unauthenticated, nil), (404, nil, nil),
    ] as [(Int, RefusalCode?, String?)])
    func `an error is the server's or ours, not the client's`(status: Int, refusal: RefusalCode?, error: String?) throws {
        let span = try #require(
            try json([
                span {
                    $0.status = status
                    $0.refusal = refusal
                }
            ]).first)
        let status = span["status"] as? [String: Any]
        #expect(status?["message"] as? String == error && (status?["code"] as? Int == 2) == (error != nil))
        #expect(span["name"] as? String == "POST /mcp/{server}")
        #expect(attributes(span)["error.type"] == error ?? refusal?.rawValue)
    }

    @Test func `a span under another names it, and that it is far away`() throws {
        let sent = TraceContext("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".utf8Span.span.raw)
        let context = try #require(sent).with(span: 9)
        let spans = try json([Span(context, began: 0, record: span().record), span()])
        #expect(spans.count == 2 && spans[0]["parentSpanId"] as? String == "b7ad6b7169203331" && spans[0]["flags"] as? Int == 0x301)
    }

    @Test func `what finds no room is counted`() {
        let queue = SpanQueue(most: 1000, metrics: metrics.shared)
        var tally = SpanTally()
        for number in 0..<1500 { tally.add(span(UInt64(number) + 1), to: queue) }
        tally.handOver(to: queue)
        #expect(queue.count == 1000 && metrics.value(.spansDropped) == 500)
        #expect(queue.take(most: 300).first?.context.span == 1 && queue.count == 700)
    }

    /// Answers what it is told to, in order; then 200.
    final class Receiver: HTTPClient {
        let answers: Mutex<[Result<OutboundResponse, OutboundFault>]>
        let bodies = Mutex<[String]>([])

        init(_ answers: [Result<OutboundResponse, OutboundFault>]) {
            self.answers = Mutex(answers)
        }

        static func answer(_ status: Int, _ body: String = "{}", _ fields: [(name: String, value: String)] = []) -> Result<OutboundResponse, OutboundFault> {
            .success(OutboundResponse(status: status, fields: fields, body: Secret(copying: body.utf8Span.span.raw)))
        }

        func send(_ request: OutboundRequest) async throws(OutboundFault) -> OutboundResponse {
            bodies.withLock { $0.append(request.body.map { String(decoding: $0.bytes.copied(), as: UTF8.self) } ?? "") }
            let next = answers.withLock { $0.isEmpty ? Self.answer(200) : $0.removeFirst() }
            return try next.get()
        }
    }

    func export(_ receiver: Receiver, _ spans: Int = 3, settings: TraceSettings? = TraceSettings(otlp: "http://127.0.0.1/v1/traces")) async throws -> [String] {
        let loop = try EventLoop.started(name: "trace")
        defer { loop.stop() }
        let queue = SpanQueue(metrics: metrics.shared)
        queue.add((1...spans).map { span(UInt64($0)) })
        let lines = Lines()
        let exporter = SpanExporter(
            on: loop, client: receiver, queue: queue, settings: { settings }, service: ("1", "i"), metrics: metrics.shared,
            report: { level, line in lines.lines.withLock { $0.append("\(level) \(line)") } })
        await exporter.sendWaiting()
        #expect(queue.count == 0)
        return lines.lines.withLock { $0 }
    }

    final class Lines: Sendable {
        let lines = Mutex<[String]>([])
    }

    @Test func `spans are sent in batches`() async throws {
        let receiver = Receiver([])
        #expect(try await export(receiver, 600).isEmpty)
        #expect(receiver.bodies.withLock { $0.count } == 3 && metrics.value(.spansExported) == 600)
    }

    @Test func `what a receiver refuses is counted, in part or as a whole, and said once`() async throws {
        let partial = Receiver([Receiver.answer(200, #"{"partialSuccess":{"rejectedSpans":"2","errorMessage":"x"}}"#)])
        #expect(try await export(partial).isEmpty)
        #expect(metrics.value(.spansExported) == 1 && metrics.value(.spansFailed) == 2)
        let refusing = Receiver([Receiver.answer(400), Receiver.answer(400)])
        let lines = try await export(refusing, 500)
        #expect(lines == ["warning trace: spans cannot be sent: the receiver answers 400; those that find no room meanwhile are dropped and counted"])
        #expect(metrics.value(.spansFailed) == 502)
    }

    @Test func `a receiver that asks for a moment gets the same spans again`() async throws {
        let busy = Receiver([Receiver.answer(503, "", [("retry-after", "0")]), Receiver.answer(429, "", [("retry-after", "0")])])
        let lines = try await export(busy)
        #expect(Set(busy.bodies.withLock { $0 }).count == 1 && busy.bodies.withLock { $0.count } == 3)
        #expect(lines.count == 2 && lines[1] == "notice trace: spans are taken again")
        #expect(metrics.value(.spansExported) == 3 && metrics.value(.spansFailed) == 0)
    }

    @Test func `at the end, the batch in its pause is sent once more, and counted`() async throws {
        for (last, exported) in [(200, UInt64(3)), (503, 0)] {
            let metrics = Metrics(workers: 1, refusals: [], version: "0")
            let receiver = Receiver([Receiver.answer(503, "", [("retry-after", "60")]), Receiver.answer(last)])
            let loop = try EventLoop.started(name: "trace")
            defer { loop.stop() }
            let queue = SpanQueue(metrics: metrics.shared)
            queue.add((1...3).map { span(UInt64($0)) })
            let exporter = SpanExporter(
                on: loop, client: receiver, queue: queue, settings: { TraceSettings(otlp: "http://127.0.0.1/v1/traces") }, service: ("1", "i"),
                metrics: metrics.shared, report: { _, _ in })
            let sending = Task { await exporter.sendWaiting() }
            while await !exporter.isPaused { await Task.yield() }
            await exporter.finish()
            #expect(receiver.bodies.withLock { $0.count } == 2 && Set(receiver.bodies.withLock { $0 }).count == 1)
            #expect(metrics.value(.spansExported) == exported && metrics.value(.spansFailed) == 3 - exported)
            // Whoever slept meanwhile has nothing left to send.
            sending.cancel()
            await sending.value
            #expect(metrics.value(.spansExported) + metrics.value(.spansFailed) == 3)
        }
    }

    @Test func `a request that cannot be sent at all is not sent again`() async throws {
        let lines = try await export(Receiver([.failure(OutboundFault(.invalid, .pointless, "h: no"))]))
        #expect(lines.count == 1 && metrics.value(.spansFailed) == 3)
    }

    @Test func `where tracing was switched off, what waits is let go`() async throws {
        let receiver = Receiver([])
        #expect(try await export(receiver, settings: nil).isEmpty)
        #expect(receiver.bodies.withLock { $0.isEmpty } && metrics.value(.spansDropped) == 3)
    }
}
