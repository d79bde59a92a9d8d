// One thread writes the log; everyone else leaves his lines with it and goes on.

internal import Dispatch
internal import HTTP1
package import Kernel
package import Logging
package import Metrics
internal import Synchronization

/// Lines wait in sinks: one for each worker's records, one for the audit's rows, one for all others. A sink's lock is shared with the writer alone, who holds it for a swap.
/// While lines keep coming the writer looks every 20 ms by itself; a line makes a system call only when it has to wake him from sleep.
package final class LogOutput: Sendable {
    package let format: LogFormat
    let lines = Sink(of: .other)
    let audits = Sink(of: .audit)
    let metrics: SharedShard
    let limit = LineLimit()
    private let sinks = Mutex<[Sink]>([])
    private let destination: @Sendable (RawSpan, MonotonicTime) -> Int
    /// Lines that were dropped and not told of yet.
    private let untold = Atomic(0)

    private let levelIndex = Atomic<Int>(Logger.Level.info.place)
    private let isAsleep = Atomic<Bool>(false)
    private let isEnding = Atomic<Bool>(false)
    private let isStarted = Atomic<Bool>(false)
    private let wake = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    /// - Parameters:
    ///   - metrics: counts access records written, and lines dropped by their kind.
    ///   - destination: takes whole lines, several at once, and says how many it lost; may block for a while, and not beyond the time it is given.
    package init(format: LogFormat, metrics: SharedShard, destination: @escaping @Sendable (RawSpan, MonotonicTime) -> Int) {
        self.format = format
        self.metrics = metrics
        self.destination = destination
    }

    /// To standard error, or to the journal's socket where the format is the journal's.
    package convenience init(format: LogFormat, metrics: SharedShard, journal: JournalSocket?) {
        let stream = LogStream()
        self.init(format: format, metrics: metrics) { lines, deadline in
            journal?.send(lines, until: deadline) ?? stream.write(lines, until: deadline)
        }
    }

    /// What is below is not written by loggers without a level of their own.
    package var level: Logger.Level { Logger.Level.allCases[levelIndex.load(ordering: .relaxed)] }

    package func setLevel(_ level: Logger.Level) {
        levelIndex.store(level.place, ordering: .relaxed)
    }

    /// Starts the writer's thread.
    package func start() throws(SystemFault) {
        try Thread.start(name: "log") { [self] in run() }
        isStarted.store(true, ordering: .releasing)
    }

    /// How long the end waits for whoever reads.
    private static let lastPatience = 5

    /// Writes out everything left so far and ends the writer. Lines that come later are lost, and so are those that a reader does not take within
    /// five seconds.
    package func end() {
        guard isStarted.load(ordering: .acquiring) else {
            _ = drain(isLast: true)
            return
        }
        isEnding.store(true, ordering: .releasing)
        wake.signal()
        // Whoever else waits for the end hears of it, too.
        if ended.wait(timeout: .now() + .seconds(LogOutput.lastPatience)) == .success { ended.signal() }
    }

    func addSink(of kind: LineKind, capacity: Int = Sink.usualCapacity) -> Sink {
        let sink = Sink(of: kind, capacity: capacity)
        sinks.withLock { $0.append(sink) }
        return sink
    }

    /// To be called after lines were left in a sink.
    func linesWereLeft() {
        // The sink's lock orders this load behind the writer's last look: he sees the line, or this sees him asleep.
        guard isAsleep.load(ordering: .relaxed) else { return }
        if isAsleep.exchange(false, ordering: .relaxed) { wake.signal() }
    }

    private func run() {
        var emptyLooks = 0
        while !isEnding.load(ordering: .acquiring) {
            emptyLooks = drain() ? 0 : emptyLooks + 1
            if emptyLooks < 50 {
                _ = wake.wait(timeout: .now() + .milliseconds(20))
            } else {
                isAsleep.store(true, ordering: .relaxed)
                // What was held back or dropped is told of, also where nothing follows.
                let hasMore = limit.isHoldingBack || untold.load(ordering: .relaxed) > 0
                let latest: DispatchTime = hasMore ? .now() + .seconds(10) : .distantFuture
                if !drain(), !isEnding.load(ordering: .acquiring) { _ = wake.wait(timeout: latest) }
                isAsleep.store(false, ordering: .relaxed)
                emptyLooks = 0
            }
        }
        _ = drain(isLast: true)
        ended.signal()
    }

    /// Writes what stands in the sinks now; false where nothing did. Called by one thread at a time.
    func drain(isLast: Bool = false) -> Bool {
        let deadline = isLast ? MonotonicTime.now().advanced(by: .seconds(LogOutput.lastPatience)) : .never
        tellHeldBack(isLast)
        var found = false
        for sink in [lines, audits] + sinks.withLock({ $0 }) {
            let taken = sink.take { destination($0, deadline) }
            found = found || taken.lines > 0
            if sink.kind == .record { metrics.add(.accessRecords, taken.lines - taken.lost) }
            let dropped = taken.dropped + taken.lost
            guard dropped > 0 else { continue }
            metrics.add(sink.kind.dropped, dropped)
            untold.add(dropped, ordering: .relaxed)
        }
        tellDropped(until: deadline)
        return found
    }

    /// Where the line about it is not taken either, it is said when there is room again.
    private func tellDropped(until deadline: MonotonicTime) {
        let dropped = untold.load(ordering: .relaxed)
        guard dropped > 0 else { return }
        var writer = LineWriter(format: format)
        writer.begin(.warning, time: WallClock.milliseconds(), "\(dropped) log lines dropped: whoever reads this log did not keep up")
        writer.end()
        if destination(writer.line.bytes, deadline) == 0 { untold.store(0, ordering: .relaxed) }
    }

    private func tellHeldBack(_ isLast: Bool) {
        guard limit.isHoldingBack else { return }
        let time = WallClock.milliseconds()
        for told in limit.told(at: time, isLast: isLast) {
            metrics.add(.linesHeldBack, told.count)
            var writer = LineWriter(format: format)
            writer.begin(told.level, time: time, told.words)
            writer.end()
            lines.leave(writer)
        }
    }
}

extension Logger.Level {
    fileprivate var place: Int { Logger.Level.allCases.firstIndex(of: self) ?? 0 }
}

/// What is lost with a line.
enum LineKind: Sendable {
    /// An access record.
    case record
    /// A row of the audit, which is in the database all the same.
    case audit
    case other

    /// Where it is counted.
    var dropped: Counter {
        switch self {
        case .record: .accessDropped
        case .audit: .auditLinesDropped
        case .other: .otherLinesDropped
        }
    }
}

/// Where one thread, or everyone who is no worker, leaves lines of one kind: bounded, and what does not fit is counted instead.
final class Sink: Sendable {
    let kind: LineKind
    private let filling: Mutex<Filling>
    private let draining: Mutex<BoundedBytes>

    static let usualCapacity = 1 << 20

    private struct Filling: ~Copyable {
        var bytes: BoundedBytes
        var lines = 0
        var dropped = 0
    }

    /// `capacity` in bytes; the memory is used twice over, and only as far as lines pile up.
    init(of kind: LineKind, capacity: Int = Sink.usualCapacity) {
        self.kind = kind
        filling = Mutex(Filling(bytes: BoundedBytes(capacity: capacity)))
        draining = Mutex(BoundedBytes(capacity: capacity))
    }

    /// Leaves the line that stands in `writer`.
    func leave(_ writer: borrowing LineWriter) {
        let line = writer.line
        filling.withLock { filling in
            if filling.bytes.append(line.bytes) {
                filling.lines += 1
            } else {
                filling.dropped += 1
            }
        }
    }

    /// Takes the lines out and hands them to `destination`, while others already leave new ones.
    ///
    /// - Returns: how many lines there were, how many of them were lost, and how many had found no room before.
    func take(_ destination: (RawSpan) -> Int) -> (lines: Int, lost: Int, dropped: Int) {
        draining.withLock { drained in
            let (lines, dropped) = filling.withLock { filling in
                swap(&filling.bytes, &drained)
                defer { filling.lines = 0; filling.dropped = 0 }
                return (filling.lines, filling.dropped)
            }
            let lost = lines > 0 ? min(destination(drained.bytes), lines) : 0
            drained.clear()
            return (lines, lost, dropped)
        }
    }
}
