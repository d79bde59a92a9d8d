// One exchange as a trace has it: left by the workers in batches, for the exporter to send.

package import Gateway
package import Metrics
internal import Synchronization

package struct Span: Sendable {
    package let context: TraceContext
    /// Nanoseconds since 1970.
    package let began: Int64
    package let record: AccessRecord

    package init(_ context: TraceContext, began: Int64, record: AccessRecord) {
        self.context = context
        self.began = began
        self.record = record
    }
}

/// One worker's spans since it last handed them over. Belongs to that worker and stays on its thread.
package struct SpanTally {
    private var spans: [Span] = []
    /// So many are handed over at once, also before it is time to.
    private static let batch = 512

    package init() {}

    package mutating func add(_ span: Span, to queue: SpanQueue) {
        spans.append(span)
        if spans.count == SpanTally.batch { handOver(to: queue) }
    }

    package mutating func handOver(to queue: SpanQueue) {
        guard !spans.isEmpty else { return }
        queue.add(spans)
        spans.removeAll(keepingCapacity: true)
    }
}

/// What the workers recorded and the exporter has not sent yet: bounded, and what does not fit is counted instead.
package final class SpanQueue: Sendable {
    private let spans = Mutex<[Span]>([])
    private let most: Int
    private let metrics: SharedShard

    /// - Parameter most: how many wait at most.
    package init(most: Int = 16_384, metrics: SharedShard) {
        self.most = most
        self.metrics = metrics
    }

    package func add(_ new: [Span]) {
        let taken = spans.withLock { spans in
            let room = min(most - spans.count, new.count)
            spans.append(contentsOf: new.prefix(room))
            return room
        }
        if taken < new.count { metrics.add(.spansDropped, new.count - taken) }
    }

    /// The oldest that wait, `most` at most, which then wait no more.
    package func take(most: Int) -> [Span] {
        spans.withLock { spans in
            let taken = Array(spans.prefix(most))
            spans.removeFirst(taken.count)
            return taken
        }
    }

    package var count: Int { spans.withLock { $0.count } }
}
