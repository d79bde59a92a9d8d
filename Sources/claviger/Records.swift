// What the daemon writes down by itself: how much users call, every ten seconds, and what is past its time, every hour.

internal import Gateway
internal import Kernel
internal import Logging
internal import State
internal import Telemetry

struct Records: Sendable {
    let state: StateDatabase
    let uses: UseCounts
    /// `audit.keep`.
    let keep: @Sendable () -> Duration
    let logger: Logger

    /// Until its task is cancelled.
    func write() async {
        var rounds = 0
        var isFailing = false
        while !Task.isCancelled {
            if rounds % 360 == 0 { await tidy() }
            rounds += 1
            guard (try? await Task.sleep(for: .seconds(10))) != nil else { return }
            let fault = await writeUses()
            if let fault, !isFailing { logger.error("who was active when cannot be written down, and is kept meanwhile: \(fault)") }
            isFailing = fault != nil
        }
    }

    /// - Returns: why it could not be written; it is kept for the next time.
    @discardableResult
    func writeUses() async -> StateFault? {
        let (counts, keys) = (uses.take(), uses.takeKeys())
        var isKept = false
        do throws(StateFault) {
            if !counts.isEmpty { try await state.add(counts) }
            isKept = true
            if !keys.isEmpty { try await state.add(keys) }
            return nil
        } catch {
            if !isKept { uses.add(counts) }
            uses.add(keys)
            return error
        }
    }

    private func tidy() async {
        do throws(StateFault) {
            try await state.tidy(now: WallClock.milliseconds() / 1000, keep: keep().components.seconds)
        } catch {
            logger.error("what is past its time could not be let go: \(error)")
        }
    }
}
