// A task's place to wait: for up to two descriptors, a deadline, and whoever interrupts it.

package import Kernel

/// Why a wait ended.
package enum Wake: Sendable {
    /// One of the descriptors is ready for what was asked.
    case ready
    case deadline
    /// Somebody on the loop wants the task's attention (`Waiter.interrupt`).
    case interrupted
}

/// What one task waits with; made once, used for its whole life. On the loop.
///
/// It has at most one live entry in the loop's heap: a deadline that moves later costs a store, and only one that moves
/// earlier than the entry costs an insertion.
@safe package final class Waiter {
    let loop: EventLoop
    // On the loop's thread alone, each access one load or one store.
    @exclusivity(unchecked) private var continuation: UnsafeContinuation<Void, Never>?
    private(set) var wake = Wake.ready
    private var isYielding = false
    private(set) var deadline = MonotonicTime.never
    /// When the heap's live entry for this waiter is due; `never` = there is none.
    var scheduled = MonotonicTime.never

    package init(on loop: EventLoop) {
        self.loop = loop
    }

    /// Waits until `first` is ready for `interest`, or `second` for its own, or the deadline has passed.
    /// Ready at once if one of them is. A deadline that has passed is still found only after a turn of the loop.
    package func wait(
        for first: Slot, _ interest: Readiness, or second: Slot? = nil, _ secondInterest: Readiness = [],
        until deadline: MonotonicTime
    ) async -> Wake {
        guard begin(first, interest, second, secondInterest, until: deadline) else { return .ready }
        unsafe await withUnsafeContinuation { unsafe park($0) }
        return end(first, second)
    }

    /// Waits for the deadline, or an interruption.
    package func sleep(until deadline: MonotonicTime) async -> Wake {
        prepare(until: deadline)
        unsafe await withUnsafeContinuation { unsafe park($0) }
        return wake
    }

    /// Lets the loop turn once: the jobs of others run, and the sockets are looked at.
    package func yield() async -> Wake {
        isYielding = true
        loop.resumeAfterPoll(self)
        unsafe await withUnsafeContinuation { unsafe park($0) }
        return wake
    }

    /// The loop has looked at the sockets since `yield`. One that was interrupted meanwhile may wait for something else by now.
    func turnIsOver() {
        if isYielding { resume(.ready) }
    }

    /// Ends the present wait; does nothing where the task is not waiting.
    package func interrupt() {
        resume(.interrupted)
    }

    // MARK: The parts of a wait, for who has to inline them

    /// False where there is nothing to wait for; else the continuation has to be parked next.
    package func begin(_ first: Slot, _ interest: Readiness, _ second: Slot?, _ secondInterest: Readiness, until deadline: MonotonicTime) -> Bool {
        if first.isReady(for: interest) { return false }
        if let second, second.isReady(for: secondInterest) { return false }
        first.watch(interest, for: self)
        second?.watch(secondInterest, for: self)
        prepare(until: deadline)
        return true
    }

    /// What the wait's end resumes, once.
    @unsafe package func park(_ continuation: UnsafeContinuation<Void, Never>) {
        unsafe self.continuation = continuation
    }

    package func end(_ first: Slot, _ second: Slot?) -> Wake {
        first.unwatch()
        second?.unwatch()
        return wake
    }

    private func prepare(until deadline: MonotonicTime) {
        precondition(loop.isCurrent, "a waiter waits on its own loop")
        self.deadline = deadline
        if deadline < scheduled { loop.schedule(self) }
    }

    func resume(_ wake: Wake) {
        guard let waiting = unsafe continuation else { return }
        unsafe continuation = nil
        isYielding = false
        deadline = .never
        self.wake = wake
        unsafe waiting.resume()
    }
}
