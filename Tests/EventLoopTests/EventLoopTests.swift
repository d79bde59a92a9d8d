// The loop as executor: where jobs run, in which order, and that no descriptor gets another's event.

import EventLoop
import Kernel
import Synchronization
import Testing

/// An actor whose executor is a loop, as a worker is.
actor Resident {
    let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }
    private var log: [Int] = []

    init(_ loop: EventLoop) { self.loop = loop }

    func isHome() -> Bool { loop.isCurrent }

    func note(_ n: Int) { log.append(n) }

    func notes() -> [Int] { log }

    /// Whether every one of `count` suspensions comes back to the loop's thread.
    func staysHome(suspensions count: Int) async -> Bool {
        let waiter = Waiter(on: loop)
        for _ in 0..<count {
            _ = await waiter.sleep(until: loop.now)
            guard loop.isCurrent else { return false }
        }
        return true
    }

    func deadlines(_ milliseconds: [Int]) async -> [Int] {
        let start = MonotonicTime.now()
        return await withTaskGroup(of: Int.self) { group in
            for wait in milliseconds {
                group.addTask(executorPreference: loop) { await self.sleep(wait, from: start) }
            }
            var order: [Int] = []
            for await wait in group { order.append(wait) }
            return order
        }
    }

    private func sleep(_ milliseconds: Int, from start: MonotonicTime) async -> Int {
        let due = start.advanced(by: .milliseconds(milliseconds))
        let wake = await Waiter(on: loop).sleep(until: due)
        return wake == .deadline && MonotonicTime.now() >= due ? milliseconds : -1
    }

    /// A pair of connected sockets: what the first receives after `message` was sent, and whether closing is seen.
    func exchange(_ message: [UInt8]) async throws -> (received: Int, sawClose: Bool) {
        let pair = try pair()
        let slot = try loop.register(pair.near.number)
        let waiter = Waiter(on: loop)
        let later = MonotonicTime.now().advanced(by: .seconds(5))
        _ = Socket.send(pair.far, message.span.raw)
        guard await waiter.wait(for: slot, .readable, until: later) == .ready else { return (0, false) }
        var storage = [UInt8](repeating: 0, count: 64)
        var span = storage.mutableSpan
        let n = receive(pair.near, &span)
        slot.drained()
        Socket.endSending(pair.far.number)
        let closed = await waiter.wait(for: slot, .closed, until: later) == .ready
        loop.release(slot)
        return (n, closed)
    }

    /// Makes a pair, lets bytes arrive for the near end, forgets it before the loop has turned, and registers another pair's near end,
    /// which gets the same place: whether that one is told of bytes it does not have.
    func hearsItsPredecessor() async throws -> Bool {
        let first = try pair(), second = try pair()
        let old = try loop.register(first.near.number)
        _ = Socket.send(first.far, [1].span.raw)
        loop.release(old)
        let slot = try loop.register(second.near.number)
        _ = await Waiter(on: loop).sleep(until: loop.now.advanced(by: .milliseconds(5)))
        let heard = slot.readiness.contains(.readable)
        loop.release(slot)
        return heard
    }

    /// Whether a wait for the second of two descriptors ends by its bytes, and one that nobody answers by its deadline.
    func waitsForEither() async throws -> [Wake] {
        let first = try pair(), second = try pair()
        let (one, two) = (try loop.register(first.near.number), try loop.register(second.near.number))
        defer { loop.release(one); loop.release(two) }
        let waiter = Waiter(on: loop)
        _ = Socket.send(second.far, [1].span.raw)
        let answered = await waiter.wait(for: one, .readable, or: two, .readable, until: .now().advanced(by: .seconds(5)))
        two.drained()
        let unanswered = await waiter.wait(for: one, .readable, or: two, .readable, until: .now().advanced(by: .milliseconds(5)))
        return [answered, unanswered]
    }

    /// Waits again and again with deadlines that move: later ones cost nothing, an earlier one must still fire in time.
    func earlierDeadlineFires() async -> Bool {
        let waiter = Waiter(on: loop)
        let start = MonotonicTime.now()
        Task { await self.interrupt(waiter) }
        guard await waiter.sleep(until: start.advanced(by: .seconds(60))) == .interrupted else { return false }
        guard await waiter.sleep(until: .now().advanced(by: .milliseconds(5))) == .deadline else { return false }
        return MonotonicTime.now().duration(since: start) < .seconds(30)
    }

    /// Lets the loop turn `times` times and waits in between with a far deadline, which nothing of the yields may end.
    func yieldsBetweenWaits(_ times: Int) async throws -> [Wake] {
        let pair = try pair()
        let slot = try loop.register(pair.near.number)
        defer { loop.release(slot) }
        let waiter = Waiter(on: loop)
        var wakes: [Wake] = []
        for _ in 0..<times {
            let turn = loop.turnCount
            let woken = await waiter.yield()
            guard loop.turnCount > turn else { return [] }
            wakes.append(woken)
            _ = Socket.send(pair.far, [1].span.raw)
            wakes.append(await waiter.wait(for: slot, .readable, until: .now().advanced(by: .seconds(60))))
            var storage = [UInt8](repeating: 0, count: 8)
            var span = storage.mutableSpan
            _ = receive(pair.near, &span)
            slot.drained()
        }
        return wakes
    }

    private func interrupt(_ waiter: Waiter) async {
        _ = await Waiter(on: loop).sleep(until: loop.now.advanced(by: .milliseconds(2)))
        waiter.interrupt()
    }

    private struct Pair: ~Copyable {
        let near: Descriptor
        let far: Descriptor
    }

    private func pair() throws -> Pair {
        let path = "/tmp/claviger-pair-\(Thread.current)-\(MonotonicTime.now().nanoseconds).sock"
        let listener = try Socket.listen(on: .unix(path), shared: false)
        let near = try Socket.connect(to: .unix(path))
        guard let accepted = try Socket.accept(listener) else { throw SystemFault("accept4", 11) }
        Files.remove(path)
        return Pair(near: near, far: accepted.take())
    }

    private func receive(_ descriptor: borrowing Descriptor, _ span: inout MutableSpan<UInt8>) -> Int {
        var raw = unsafe span.mutableBytes
        guard case .bytes(let n) = Socket.receive(descriptor, into: &raw) else { return 0 }
        return n
    }
}

@Suite struct EventLoopTests {
    @Test func `what an actor on a loop does happens on its thread`() async throws {
        let loop = try EventLoop.started(name: "test")
        defer { loop.stop() }
        let resident = Resident(loop)
        #expect(await resident.isHome())
        #expect(!loop.isCurrent)
    }

    @Test func `a task of the loop comes back to it after every suspension`() async throws {
        let loop = try EventLoop.started(name: "test")
        defer { loop.stop() }
        let resident = Resident(loop)
        let stayed = await Task(executorPreference: loop) { await resident.staysHome(suspensions: 1_000) }.value
        #expect(stayed)
    }

    @Test func `jobs run in the order they came`() async throws {
        let loop = try EventLoop.started(name: "test")
        defer { loop.stop() }
        let resident = Resident(loop)
        for n in 0..<1_000 { await resident.note(n) }
        #expect(await resident.notes() == Array(0..<1_000))
    }

    @Test func `who yields goes on when the sockets were looked at, and leaves nothing behind`() async throws {
        let loop = try EventLoop.started(name: "test")
        defer { loop.stop() }
        let resident = Resident(loop)
        #expect(try await resident.yieldsBetweenWaits(20) == Array(repeating: .ready, count: 40))
    }

    @Test func `deadlines fire earliest first and never early`() async throws {
        let loop = try EventLoop.started(name: "test")
        defer { loop.stop() }
        let resident = Resident(loop)
        #expect(await resident.deadlines([30, 1, 20, 10]) == [1, 10, 20, 30])
    }

    @Test func `a descriptor's readiness and its peer's leaving reach the one who waits`() async throws {
        let loop = try EventLoop.started(name: "test")
        defer { loop.stop() }
        let resident = Resident(loop)
        let (received, sawClose) = try await resident.exchange(Array("hello".utf8))
        #expect(received == 5)
        #expect(sawClose)
    }

    @Test func `a closed descriptor's event reaches nobody`() async throws {
        let loop = try EventLoop.started(name: "test")
        defer { loop.stop() }
        #expect(try await Resident(loop).hearsItsPredecessor() == false)
    }

    @Test func `a wait names two descriptors and a deadline, and ends by whichever comes first`() async throws {
        let loop = try EventLoop.started(name: "test")
        defer { loop.stop() }
        #expect(try await Resident(loop).waitsForEither() == [.ready, .deadline])
    }

    @Test func `a deadline earlier than the one before fires in time`() async throws {
        let loop = try EventLoop.started(name: "test")
        defer { loop.stop() }
        #expect(await Resident(loop).earlierDeadlineFires())
    }

    @Test func `posts from many threads all arrive`() async throws {
        let loop = try EventLoop.started(name: "test")
        defer { loop.stop() }
        let resident = Resident(loop)
        await withTaskGroup(of: Void.self) { group in
            for n in 0..<8 {
                group.addTask { for k in 0..<500 { await resident.note(n * 500 + k) } }
            }
        }
        #expect(await resident.notes().sorted() == Array(0..<4_000))
    }
}
