// Where an exchange waits.

internal import EventLoop
internal import Kernel

extension Worker {
    /// As `Waiter.wait`, in the function that calls it: a call of its own would hop to the worker's executor, where it is, twice more.
    @inline(always)
    func wait(
        _ waiter: Waiter, for first: Slot, _ interest: Readiness, or second: Slot? = nil, _ secondInterest: Readiness = [],
        until deadline: MonotonicTime
    ) async -> Wake {
        guard waiter.begin(first, interest, second, secondInterest, until: deadline) else { return .ready }
        // Parked once, and resumed once by what ends the wait. The name without the prefix takes the actor as a parameter, and hops to it.
        unsafe await _unsafeInheritExecutor_withUnsafeContinuation { unsafe waiter.park($0) }
        return waiter.end(first, second)
    }
}
