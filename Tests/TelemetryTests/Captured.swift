// What a test's log has written.

import Kernel
import Metrics
import Synchronization

@testable import Telemetry

final class Captured: Sendable {
    private let bytes = Mutex<[UInt8]>([])

    var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }
    var lines: [Substring] { text.split(separator: "\n") }

    /// A log without a thread: a test drains it itself.
    func output(_ format: LogFormat, metrics: SharedShard = SharedShard()) -> LogOutput {
        LogOutput(format: format, metrics: metrics) { [self] span, _ in
            take(span)
            return 0
        }
    }

    func take(_ span: RawSpan) {
        let copy = span.copied()
        bytes.withLock { $0 += copy }
    }
}
