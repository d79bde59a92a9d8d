// Names to addresses, off the workers: each name asked for once at a time, answers kept for a short while.

package import Kernel
internal import Synchronization

/// Shared by all workers. A known name costs a lock held for one look into a dictionary; only what opens a new connection comes here.
///
/// The system's resolver blocks, so it runs on threads of its own: at most `mostThreads`, started when there is something to look up and
/// gone when there is not.
package final class Resolver: Sendable {
    package static let positiveLifetime: Duration = .seconds(30)
    package static let negativeLifetime: Duration = .seconds(3)
    /// Names known, and names being looked up.
    package static let capacity = 1_000
    package static let mostThreads = 4

    fileprivate typealias Answer = Result<[SocketAddress], ResolveFault>

    fileprivate struct Waiting {
        let continuation: CheckedContinuation<Answer, Never>
        let deadline: MonotonicTime
    }

    fileprivate struct State {
        var known: [String: (answer: Answer, until: MonotonicTime)] = [:]
        /// Names being looked up, or waiting for it, with those who ask.
        var asked: [String: [Waiting]] = [:]
        /// Names that no thread has taken yet.
        var queue: [String] = []
        var threads = 0
        var isClockRunning = false
    }

    private let state = Mutex(State())
    private let lookup: @Sendable (String) throws(ResolveFault) -> [SocketAddress]
    private let now: @Sendable () -> MonotonicTime

    /// - Parameters:
    ///   - lookup: blocks until it knows; called on threads of this resolver's only.
    ///   - now: the clock that lives and deadlines are measured by.
    package init(
        lookup: @escaping @Sendable (String) throws(ResolveFault) -> [SocketAddress] = AddressLookup.addresses(of:),
        now: @escaping @Sendable () -> MonotonicTime = MonotonicTime.now
    ) {
        self.lookup = lookup
        self.now = now
    }

    /// The addresses of `host`, at least one, in the order to try them, with `port`. A numeric address is its own answer.
    ///
    /// - Parameter deadline: when the caller stops waiting; the look-up goes on for others, and is kept.
    /// - Throws: why there is none; `.late` at the deadline (a twentieth of a second later at most).
    package func addresses(
        of host: String, port: UInt16, until deadline: MonotonicTime = .never
    ) async throws(ResolveFault) -> [SocketAddress] {
        if let known = try knownAddresses(of: host, port: port) { return known }
        let answer = await withCheckedContinuation { ask(host, Waiting(continuation: $0, deadline: deadline)) }
        return try answer.get().map { $0.with(port: port) }
    }

    /// What `addresses` would say without a wait; nil where the name has to be looked up.
    func knownAddresses(of host: String, port: UInt16) throws(ResolveFault) -> [SocketAddress]? {
        if let address = SocketAddress(numeric: host, port: port) { return [address] }
        return try known(host)?.get().map { $0.with(port: port) }
    }

    private func known(_ host: String) -> Answer? {
        let now = now()
        return state.withLock { state in
            guard let entry = state.known[host], now < entry.until else { return nil }
            return entry.answer
        }
    }

    /// Joins those who ask for `host`; the first of them has it looked up.
    private func ask(_ host: String, _ waiting: Waiting) {
        enum Next { case wait, startThread, refuse }
        let (next, startsClock) = state.withLock { state -> (Next, Bool) in
            if state.asked[host] == nil {
                guard state.asked.count < Resolver.capacity else { return (.refuse, false) }
                state.queue.append(host)
            }
            state.asked[host, default: []].append(waiting)
            let startsClock = waiting.deadline < .never && !state.isClockRunning
            if startsClock { state.isClockRunning = true }
            guard state.threads < Resolver.mostThreads, !state.queue.isEmpty else {
                return (.wait, startsClock)
            }
            state.threads += 1
            return (.startThread, startsClock)
        }
        switch next {
        case .wait: break
        case .startThread: start("resolve", or: { state in state.threads -= 1 }) { $0.work() }
        case .refuse: waiting.continuation.resume(returning: .failure(.busy))
        }
        if startsClock { start("resolve-clock", or: { state in state.isClockRunning = false }) { $0.watchClock() } }
    }

    /// A thread's whole life: name after name, until none is left.
    private func work() {
        while let host = next() {
            let answer: Answer
            do throws(ResolveFault) {
                answer = .success(try lookup(host))
            } catch {
                answer = .failure(error)
            }
            finish(host, answer)
        }
    }

    private func next() -> String? {
        state.withLock { state in
            guard !state.queue.isEmpty else {
                state.threads -= 1
                return nil
            }
            return state.queue.removeFirst()
        }
    }

    private func finish(_ host: String, _ answer: Answer) {
        let now = now()
        let waiting = state.withLock { state in
            state.keep(answer, for: host, now: now)
            return state.asked.removeValue(forKey: host) ?? []
        }
        for one in waiting { one.continuation.resume(returning: answer) }
    }

    /// Lets those go whose deadline has passed, as long as somebody waits with one.
    private func watchClock() {
        while true {
            Thread.pause(for: .milliseconds(50))
            let now = now()
            let (late, goesOn) = state.withLock { $0.takeLate(now: now) }
            for one in late { one.continuation.resume(returning: .failure(.late)) }
            guard goesOn else { return }
        }
    }

    /// Without a thread there are no answers: then all who wait are told so.
    private func start(_ name: String, or undo: (inout State) -> Void, _ body: @escaping @Sendable (Resolver) -> Void) {
        do throws(SystemFault) {
            try Thread.start(name: name) { body(self) }
        } catch {
            let reason = error.reason
            let stranded = state.withLock { state -> [Waiting] in
                undo(&state)
                guard state.threads == 0 else { return [] }
                defer { state.asked = [:]; state.queue = [] }
                return state.asked.values.flatMap { $0 }
            }
            for one in stranded { one.continuation.resume(returning: .failure(.failed("no thread to look names up: \(reason)"))) }
        }
    }
}

extension Resolver.State {
    /// Where there is no room, what has ended goes, and failing that anything: it can be asked again.
    fileprivate mutating func keep(_ answer: Resolver.Answer, for host: String, now: MonotonicTime) {
        if known[host] == nil, known.count >= Resolver.capacity {
            known = known.filter { now < $0.value.until }
            if known.count >= Resolver.capacity, let any = known.keys.first { known[any] = nil }
        }
        let lifetime: Duration
        switch answer {
        case .success: lifetime = Resolver.positiveLifetime
        case .failure: lifetime = Resolver.negativeLifetime
        }
        known[host] = (answer, now.advanced(by: lifetime))
    }

    /// Takes out those whose deadline has passed; false where nobody is left who has one, and the clock stops.
    fileprivate mutating func takeLate(now: MonotonicTime) -> (late: [Resolver.Waiting], goesOn: Bool) {
        var late: [Resolver.Waiting] = []
        var goesOn = false
        for (host, waiting) in asked {
            late += waiting.filter { $0.deadline <= now }
            let left = waiting.filter { $0.deadline > now }
            // The name stays, with nobody: its look-up is under way.
            asked[host] = left
            if left.contains(where: { $0.deadline < .never }) { goesOn = true }
        }
        isClockRunning = goesOn
        return (late, goesOn)
    }
}
