// The daemon under systemd: what it says of itself, and the sign of life that it gives only while every loop turns that never waits for a disk.

internal import EventLoop
internal import Kernel
internal import Logging
internal import Synchronization
internal import Systemd

/// Where no service manager listens, nothing is said and nobody waits.
final class Supervision: Sendable {
    enum Stage: UInt8, AtomicRepresentable {
        case serving, draining
    }

    /// What `systemctl status` is to show, in one line.
    private let words: @Sendable (Stage) -> String
    private let logger: Logger
    private let stage = Atomic(Stage.serving)
    /// How long the service manager waits for a sign of life.
    private let patience: Duration?

    init(logger: Logger, words: @escaping @Sendable (Stage) -> String) {
        self.words = words
        self.logger = logger
        do throws(SystemFault) {
            patience = try ServiceManager.watchdog()
        } catch {
            logger.warning("the watchdog's time cannot be read (\(error.reason)): no sign of life will be given")
            patience = nil
        }
    }

    /// Started, or done with a reload.
    func ready() { tell(.ready, .status(line)) }

    /// Whether the end has begun.
    var isStopping: Bool { stage.load(ordering: .relaxed) == .draining }

    /// A reload's two ends; the second with what came of it in the line. Nothing of one whose end falls into the drain: systemd was told `STOPPING=1`,
    /// and `READY=1` would take that back.
    func note(_ reload: ReloadStage) {
        guard !isStopping else { return }
        switch reload {
        case .began: tell(.reloading(.now()))
        case .ended: ready()
        }
    }

    /// - Parameter limit: how long the drain may take; systemd waits longer before it kills, as long as `Daemon.finish` may take.
    func stopping(within limit: Duration) {
        stage.store(.draining, ordering: .relaxed)
        tell(.stopping, .status(line), .extendTimeout(limit + .seconds(15)))
    }

    /// Until it is cancelled: the line every ten seconds where it changed, and signs of life as often as they are waited for.
    ///
    /// On no loop: where the threads that all loops' tasks share are used up, there is no sign of life either.
    func keepWatch() async {
        let interval = min(.seconds(10), (patience ?? .seconds(40)) / 4)
        var watch = LoopWatch()
        var said = ""
        var due = MonotonicTime.now()
        while !Task.isCancelled {
            let stuck = watch.look()
            if stuck.isEmpty {
                if patience != nil { tell(.alive) }
            } else {
                logger.error("\(stuck.joined(separator: " and ")) did not turn for \(interval): systemd gets no sign of life")
            }
            if MonotonicTime.now() >= due {
                let line = line
                if line != said { tell(.status(line)) }
                said = line
                due = .now().advanced(by: .seconds(10))
            }
            try? await Task.sleep(for: interval)
        }
    }

    private var line: String { words(stage.load(ordering: .relaxed)) }

    private func tell(_ notifications: Notification...) {
        do throws(SystemFault) {
            try ServiceManager.notify(notifications)
        } catch {
            logger.warning("systemd cannot be told: \(error.reason)")
        }
    }
}
