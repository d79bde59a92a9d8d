// What records and traces add to a request: its operation found again, its record written, its span begun, told to the server, and left for the exporter.

internal import Gateway
internal import HTTP1
internal import Kernel
internal import Metrics
internal import TLS
internal import Telemetry

extension Case {
    static func traceCases(_ fixtures: Fixtures) -> [Case] {
        [
            Case("operation found again") {
                let request = try ReadRequest()
                guard try request.read() else { return { _ in 0 } }
                let bytes = request.bytes
                let memo = OperationMemo()
                return { iterations in
                    var sum = 0
                    for _ in 0..<iterations where memo.operation(of: request.head.value, bytes.bytes) != nil { sum &+= 1 }
                    return sum
                }
            },
            Case("record written") {
                let log = AccessLog(to: quiet(), key: KeyedDigest(key: [UInt8](repeating: 7, count: 32).span.raw))
                let record = record(fixtures)
                return { iterations in
                    for _ in 0..<iterations { log.record(record) }
                    return iterations
                }
            },
            Case("request head written, traced") {
                let request = try ReadRequest()
                guard try request.read() else { return { _ in 0 } }
                let bytes = request.bytes
                let settings = TraceSettings(otlp: "http://127.0.0.1/v1/traces")
                let out = ByteBuffer(capacity: 16 << 10)
                let credential = try fixtures.credential(for: fixtures.header)
                return { iterations in
                    var sum = 0
                    for number in 0..<iterations {
                        out.clear()
                        let context = TraceContext(random: (1, UInt64(number)), sampling: settings).with(span: UInt64(number) &+ 1)
                        try UpstreamHead.write(
                            request.head.value, bytes.bytes, to: fixtures.header, suffix: nil, with: credential, body: request.head.value.body,
                            requestID: Fixtures.requestID, trace: context, into: out)
                        sum &+= out.count
                    }
                    return sum
                }
            },
            Case("span left") {
                let queue = SpanQueue(most: 1024, metrics: SharedShard())
                let tally = Own(SpanTally())
                let context = TraceContext(random: (1, 2), sampling: TraceSettings(otlp: "x")).with(span: 3)
                let record = record(fixtures)
                for _ in 0..<1024 { tally.value.add(Span(context, began: 0, record: record), to: queue) }
                return { iterations in
                    for _ in 0..<iterations { tally.value.add(Span(context, began: 0, record: record), to: queue) }
                    return iterations
                }
            },
        ]
    }

    /// A log that takes everything and writes nothing.
    private static func quiet() -> LogOutput {
        LogOutput(format: .json, metrics: SharedShard()) { _ in 0 }
    }

    private static func record(_ fixtures: Fixtures) -> AccessRecord {
        var record = AccessRecord(requestID: Fixtures.requestID, time: 1_795_222_923_004, client: "192.0.2.1", method: .post)
        record.project = fixtures.header.project
        record.server = fixtures.header.name
        record.navigator = NavigatorName("support")
        record.user = fixtures.users[0]
        record.status = 200
        record.use = .user
        record.nanoseconds = 1_234_567
        record.upstreamNanoseconds = 1_000_000
        record.received = 700
        record.sent = 500
        record.reusedConnection = true
        return record
    }
}
