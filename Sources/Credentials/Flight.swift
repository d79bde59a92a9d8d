// One fetch under way, and those who wait for it.

internal import Kernel
internal import Synchronization

/// Belongs to the broker.
final class Flight {
    /// Its read's. It gets another where the read is begun again with more urgency; what the first still brings is nobody's then.
    var number: UInt64
    var urgency: ReadUrgency
    var task: Task<Void, Never>?
    /// Which token it must not bring; nil where it may bring any.
    var dropped: Int?
    var passengers: [Passenger] = []
    /// From when on nobody who has something usable waits for it; nil while none of them has come.
    var slowFrom: MonotonicTime?
    /// Of the invalidation log when it began: what it brings was true then.
    let sequence: UInt64

    init(number: UInt64, _ urgency: ReadUrgency, sequence: UInt64) {
        self.number = number
        self.urgency = urgency
        self.sequence = sequence
    }

    func land(_ outcome: Outcome) {
        for passenger in passengers { passenger.resume(outcome) }
        passengers = []
    }

    /// Lets those go whose patience is over.
    func leaveBehind(now: MonotonicTime) {
        guard passengers.contains(where: { $0.deadline <= now }) else { return }
        for passenger in passengers where passenger.deadline <= now { passenger.resume(.late) }
        passengers.removeAll { $0.deadline <= now }
    }
}

/// What a waiter gets.
enum Outcome: Sendable {
    /// And the invalidation log's number at which it was true.
    case held(Held, sequence: UInt64)
    case failed(StoreFault)
    /// The waiter's time was over.
    case late
    /// The waiter's task was cancelled, or the broker closed.
    case cancelled
}

/// One who waits. He is resumed exactly once: by the landing, his deadline or his cancellation, whichever is first; the flight goes on.
final class Passenger: Sendable {
    let deadline: MonotonicTime
    private let state = Mutex(State.boarding)

    private enum State {
        case boarding
        case waiting(CheckedContinuation<Outcome, Never>)
        case resumed(Outcome)
    }

    init(deadline: MonotonicTime) {
        self.deadline = deadline
    }

    var isResumed: Bool {
        state.withLock { state in
            if case .resumed = state { true } else { false }
        }
    }

    func outcome() async -> Outcome {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let early: Outcome? = state.withLock { state in
                    if case .resumed(let outcome) = state { return outcome }
                    state = .waiting(continuation)
                    return nil
                }
                if let early { continuation.resume(returning: early) }
            }
        } onCancel: {
            resume(.cancelled)
        }
    }

    func resume(_ outcome: Outcome) {
        let waiting: CheckedContinuation<Outcome, Never>? = state.withLock { state in
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
