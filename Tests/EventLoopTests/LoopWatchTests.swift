import EventLoop
import Synchronization
import Testing

/// Holds a loop's thread for as long as a test wants.
private final class Hold: Sendable {
    let isHeld = Atomic(false), mayGo = Atomic(false)

    func block() {
        isHeld.store(true, ordering: .sequentiallyConsistent)
        while !mayGo.load(ordering: .sequentiallyConsistent) {}
    }
}

@Suite struct LoopWatchTests {
    /// Looks until `name` is, or is no more, among those that did not turn.
    private func looks(_ watch: inout LoopWatch, for name: String, stuck: Bool) async -> Bool {
        for _ in 0..<100_000 {
            if watch.look().contains(name) == stuck { return true }
            await Task.yield()
        }
        return false
    }

    @Test func `an idle loop turns between two looks, one that is held does not`() async throws {
        let loop = try EventLoop.started(name: "watched")
        defer { loop.stop() }
        var watch = LoopWatch()
        #expect(!watch.look().contains("watched"))
        #expect(await looks(&watch, for: "watched", stuck: false))

        let hold = Hold()
        let held = Task(executorPreference: loop) { hold.block() }
        while !hold.isHeld.load(ordering: .sequentiallyConsistent) { await Task.yield() }
        _ = watch.look()
        #expect(watch.look().contains("watched"))
        #expect(watch.look().contains("watched"))
        hold.mayGo.store(true, ordering: .sequentiallyConsistent)
        #expect(await looks(&watch, for: "watched", stuck: false))
        await held.value
    }

    @Test func `a loop that may block is not looked at`() async throws {
        let loop = try EventLoop.started(name: "waits for a disk", mayBlock: true)
        defer { loop.stop() }
        let hold = Hold()
        let held = Task(executorPreference: loop) { hold.block() }
        while !hold.isHeld.load(ordering: .sequentiallyConsistent) { await Task.yield() }
        var watch = LoopWatch()
        for _ in 0..<3 { #expect(!watch.look().contains("waits for a disk")) }
        hold.mayGo.store(true, ordering: .sequentiallyConsistent)
        await held.value
    }
}
