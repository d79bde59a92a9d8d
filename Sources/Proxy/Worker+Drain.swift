// A worker's last while: how long it waits for whom, and how it is rid of those who are left.

internal import EventLoop
internal import Kernel
internal import Telemetry

extension Worker {
    /// How long a connection on which nothing is under way may still bring a request once the worker drains. Its agent may be just about to send one,
    /// which would meet a closed connection; most agents are as busy as that, or idle for long.
    private static let grace = Duration.milliseconds(500)

    static let drained = "the time to drain is over"

    /// Until when a connection that waits for a request since `start` is let wait while the worker drains.
    @inline(never)
    func lastWait(since start: MonotonicTime) -> MonotonicTime {
        max(start, drainingSince).advanced(by: Worker.grace)
    }

    /// Returns when the connections are gone that were there when it began to drain, or at the deadline.
    func outlast(until deadline: MonotonicTime) async {
        let waiter = Waiter(on: loop)
        while MonotonicTime.now() < deadline, !isCutting, connections.values.contains(where: { !$0.isLate }) {
            _ = await waiter.sleep(until: min(deadline, loop.now.advanced(by: .milliseconds(50))))
        }
    }

    /// Again and again, for one who does not wait when he is called may wait for something else the next moment. What they used is handed over
    /// each time: who does not break off at all is left behind.
    func breakOff() async {
        let waiter = Waiter(on: loop)
        while true {
            for client in connections.values { client.waiter.interrupt() }
            handOverUses()
            traced.value.handOver(to: services.spans)
            if connections.isEmpty { return }
            _ = await waiter.sleep(until: loop.now.advanced(by: .milliseconds(50)))
        }
    }
}
