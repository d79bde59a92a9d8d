// Whether every loop of the process still turns: what a watchdog's sign of life stands for.

internal import Synchronization

/// Looks at the loops that have a thread of their own, from any thread, and says which have not turned since it looked last.
///
/// Loops that may block are left out: to start the process anew would end those who are served meanwhile, and mend no disk.
/// A look wakes every other loop. So an idle one turns too before the next, and one that does not is held by what it runs.
package struct LoopWatch: ~Copyable {
    private var seen: [ObjectIdentifier: UInt64] = [:]

    package init() {}

    /// - Returns: the names of the loops that have not turned since the last look; one that is seen for the first time is none of them.
    package mutating func look() -> [String] {
        var stuck: [String] = []
        var now: [ObjectIdentifier: UInt64] = [:]
        for loop in RunningLoops.all() {
            let turns = loop.turnCount
            if seen[ObjectIdentifier(loop)] == turns { stuck.append(loop.name) }
            now[ObjectIdentifier(loop)] = turns
            loop.nudge()
        }
        seen = now
        return stuck
    }
}

/// The loops that turn on a thread of their own. There is one list, because there is one watchdog for the process.
enum RunningLoops {
    private static let loops = Mutex<[EventLoop]>([])

    static func all() -> [EventLoop] { loops.withLock { $0 } }

    static func add(_ loop: EventLoop) { loops.withLock { $0.append(loop) } }

    static func remove(_ loop: EventLoop) { loops.withLock { loops in loops.removeAll { $0 === loop } } }
}
