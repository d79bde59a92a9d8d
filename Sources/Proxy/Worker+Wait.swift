// Where an exchange waits: for its sockets, and for whoever is asked off this loop.

internal import EventLoop
internal import Kernel
internal import Synchronization
internal import Telemetry

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

    /// What somebody says who is not on this loop, waited for while there is time to drain; what he says after that is nobody's.
    ///
    /// - Parameter ask: ends by itself, since nobody cancels it.
    /// - Throws: `.cut` when that time is over.
    @inline(never)
    func reply<Answer: Sendable, Fault: Error>(
        for client: Downstream, _ ask: @escaping @Sendable () async throws(Fault) -> Answer
    ) async throws(ExchangeEnd) -> Result<Answer, Fault> {
        let reply = Reply<Result<Answer, Fault>>()
        let id = ObjectIdentifier(client)
        Task(executorPreference: loop) {
            do throws(Fault) {
                reply.give(.success(try await ask()))
            } catch {
                reply.give(.failure(error))
            }
            await self.rouse(id)
        }
        while true {
            if let given = reply.given { return given }
            if isCutting { throw .cut(.cut, Worker.drained) }
            _ = await client.waiter.sleep(until: .never)
        }
    }

    /// Has the one who waits there look again.
    private func rouse(_ id: ObjectIdentifier) {
        connections[id]?.waiter.interrupt()
    }
}

/// One answer, from another loop to this one.
private final class Reply<Answer: Sendable>: Sendable {
    private let answer = Mutex<Answer?>(nil)

    var given: Answer? { answer.withLock { $0 } }

    func give(_ answer: Answer) {
        self.answer.withLock { $0 = answer }
    }
}
