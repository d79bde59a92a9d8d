// One at a time: whoever asks while a turn is under way shares the next one with all who do.

internal import EventLoop

/// Runs its turns on a loop of its own, so that they may block. However many ask during a turn, they make exactly one more.
actor SharedTurns<Asker: Sendable, Outcome: Sendable> {
    private nonisolated let loop: EventLoop
    private let turn: @Sendable ([Asker]) async -> Outcome
    private var waiting: [(asker: Asker, answer: CheckedContinuation<Outcome, Never>)] = []
    /// Ends by itself, when nobody waits any more.
    private var work: Task<Void, Never>?

    /// - Parameter turn: is given all who share it, in the order they asked.
    init(on loop: EventLoop, turn: @escaping @Sendable ([Asker]) async -> Outcome) {
        self.loop = loop
        self.turn = turn
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.serial }

    /// Waits for the end of a turn that began after this was called.
    func take(_ asker: Asker) async -> Outcome {
        await withCheckedContinuation { answer in
            waiting.append((asker, answer))
            if work == nil { work = Task { await self.takeTurns() } }
        }
    }

    /// How many wait for a turn that has not begun.
    var count: Int { waiting.count }

    private func takeTurns() async {
        while !waiting.isEmpty {
            let party = waiting
            waiting = []
            let outcome = await turn(party.map(\.asker))
            for member in party { member.answer.resume(returning: outcome) }
        }
        work = nil
    }
}
