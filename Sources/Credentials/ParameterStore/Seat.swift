// One who waits for what a call brings.

internal import Synchronization

/// Resumed exactly once: with the outcome, or because his task is cancelled.
final class Seat<Value: Sendable>: Sendable {
    typealias Outcome = Result<Value, StoreFault>

    private enum State {
        case boarding
        case waiting(CheckedContinuation<Outcome?, Never>)
        case resumed(Outcome?)
    }

    private let state = Mutex(State.boarding)

    /// Nil where the task was cancelled first.
    func outcome() async -> Outcome? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let early: Outcome?? = state.withLock { state in
                    if case .resumed(let outcome) = state { return .some(outcome) }
                    state = .waiting(continuation)
                    return nil
                }
                if let early { continuation.resume(returning: early) }
            }
        } onCancel: {
            end(nil)
        }
    }

    func resume(_ outcome: Outcome) {
        end(outcome)
    }

    private func end(_ outcome: Outcome?) {
        let waiting: CheckedContinuation<Outcome?, Never>? = state.withLock { state in
            switch state {
            case .resumed: return nil
            case .boarding:
                state = .resumed(outcome)
                return nil
            case .waiting(let continuation):
                state = .resumed(outcome)
                return continuation
            }
        }
        waiting?.resume(returning: outcome)
    }
}
