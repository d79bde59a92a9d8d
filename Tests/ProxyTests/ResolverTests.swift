// Look-ups are few, bounded and remembered, and nobody waits past his deadline.

internal import Dispatch
internal import Kernel
internal import Proxy
internal import Synchronization
import Testing

@Suite struct ResolverTests {
    @Test func `a numeric address is answered without a look-up`() async throws {
        let names = Names()
        let resolver = names.resolver()
        #expect(try await resolver.addresses(of: "192.0.2.7", port: 443) == [.v4([192, 0, 2, 7], port: 443)])
        #expect(try await resolver.addresses(of: "::1", port: 80).map(\.description) == ["[::1]:80"])
        #expect(names.asked == [])
    }

    @Test func `a hundred who ask at once cost one look-up, each with its own port`() async throws {
        let names = Names(holding: true)
        let resolver = names.resolver()
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for port in 1...100 {
                group.addTask {
                    try await resolver.addresses(of: "a.example", port: UInt16(port)) == [.v4([10, 0, 0, 1], port: UInt16(port))]
                }
            }
            await names.entered(1)
            names.release(1)
            for try await isRight in group { #expect(isRight) }
        }
        #expect(names.asked == ["a.example"])
    }

    @Test func `an answer is good for thirty seconds`() async throws {
        let names = Names()
        let resolver = names.resolver()
        _ = try await resolver.addresses(of: "a.example", port: 1)
        names.time.store(29_999_999_999, ordering: .relaxed)
        _ = try await resolver.addresses(of: "a.example", port: 1)
        #expect(names.asked.count == 1)
        names.time.store(30_000_000_000, ordering: .relaxed)
        _ = try await resolver.addresses(of: "a.example", port: 1)
        #expect(names.asked.count == 2)
    }

    @Test func `a failure is believed for three seconds`() async throws {
        let names = Names()
        let resolver = names.resolver()
        await #expect(throws: ResolveFault.unknownName) { try await resolver.addresses(of: "none.example", port: 1) }
        names.time.store(2_999_999_999, ordering: .relaxed)
        await #expect(throws: ResolveFault.unknownName) { try await resolver.addresses(of: "none.example", port: 1) }
        #expect(names.asked.count == 1)
        names.time.store(3_000_000_000, ordering: .relaxed)
        await #expect(throws: ResolveFault.unknownName) { try await resolver.addresses(of: "none.example", port: 1) }
        #expect(names.asked.count == 2)
    }

    @Test func `four names at most are looked up at once, and all get their turn`() async throws {
        let names = Names(holding: true)
        let resolver = names.resolver()
        try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<20 {
                group.addTask { try await resolver.addresses(of: "n\(number).example", port: 1).count }
            }
            await names.entered(4)
            names.release(20)
            for try await count in group { #expect(count == 1) }
        }
        #expect(Set(names.asked).count == 20)
        #expect(names.most == 4)
    }

    @Test func `who waits past his deadline is let go, and the answer is kept for the next`() async throws {
        let names = Names(holding: true)
        let resolver = names.resolver()
        let late = Task { try await resolver.addresses(of: "slow.example", port: 1, until: MonotonicTime(nanoseconds: 1000)) }
        await names.entered(1)
        names.time.store(1000, ordering: .relaxed)
        await #expect(throws: ResolveFault.late) { try await late.value }
        async let patient = resolver.addresses(of: "slow.example", port: 2)
        names.release(1)
        #expect(try await patient == [.v4([10, 0, 0, 1], port: 2)])
        #expect(names.asked == ["slow.example"])
    }

    @Test func `more names than are remembered are still answered`() async throws {
        let names = Names()
        let resolver = names.resolver()
        for number in 0..<Resolver.capacity + 50 {
            #expect(try await resolver.addresses(of: "n\(number).example", port: 1).count == 1)
        }
        #expect(names.asked.count == Resolver.capacity + 50)
    }
}

/// A resolver's world: names that answer, or wait until they are told to, and a clock.
private final class Names: Sendable {
    let time = Atomic<UInt64>(0)
    private let record = Mutex<(asked: [String], running: Int, most: Int)>(([], 0, 0))
    private let gate: DispatchSemaphore?
    private let entries: AsyncStream<Void>
    private let entry: AsyncStream<Void>.Continuation

    init(holding: Bool = false) {
        gate = holding ? DispatchSemaphore(value: 0) : nil
        (entries, entry) = AsyncStream.makeStream()
    }

    var asked: [String] { record.withLock { $0.asked } }
    /// The most look-ups that ran at one time.
    var most: Int { record.withLock { $0.most } }

    /// Returns when so many look-ups have begun.
    func entered(_ count: Int) async {
        var left = count
        for await _ in entries {
            left -= 1
            if left == 0 { return }
        }
    }

    func release(_ count: Int) {
        for _ in 0..<count { gate?.signal() }
    }

    func resolver() -> Resolver {
        Resolver { host throws(ResolveFault) in
            try self.lookUp(host)
        } now: {
            MonotonicTime(nanoseconds: self.time.load(ordering: .relaxed))
        }
    }

    private func lookUp(_ host: String) throws(ResolveFault) -> [SocketAddress] {
        record.withLock { record in
            record.asked.append(host)
            record.running += 1
            record.most = max(record.most, record.running)
        }
        entry.yield()
        gate?.wait()
        record.withLock { $0.running -= 1 }
        guard host != "none.example" else { throw .unknownName }
        return [.v4([10, 0, 0, 1], port: 0)]
    }
}
