// One thread, one epoll, and the executor of everything that runs on them.

package import Kernel
internal import Synchronization

/// A serial and a task executor whose thread waits in epoll.
///
/// An actor makes it its `unownedExecutor`; a task that lives on it starts with `Task(executorPreference: loop)`. Then a
/// suspension and its resumption are a push to and a pop from an array of this thread: no system call, no other thread.
/// (Both are needed: a continuation resumes on the task's preferred executor first, else on the global pool, and goes home from there.)
///
/// With a preference every hop, at the entry of an isolated async function and after each `await`, takes 250 instructions and a lock of the
/// runtime's. So the functions of a hot path are inlined into one another, and hop only where they wait.
///
/// A turn of the loop: run the jobs that wait, take over what other threads posted, wait in epoll (not at all if jobs
/// remain), hand each event to who waits for it, fire the deadlines that passed.
///
/// What is marked "on the loop" may be called on its thread only. Everything else may be called from anywhere.
@safe package final class EventLoop: SerialExecutor, TaskExecutor, @unchecked Sendable {
    package let name: String

    // Of the loop's thread alone.
    private let poll: Poll
    private let jobs = JobQueue()
    private let slots = SlotTable()
    // Nothing that is called while they are in use comes back to them, so the runtime is not asked for exclusive access.
    @exclusivity(unchecked) private var timers = TimerHeap()
    @exclusivity(unchecked) var time = MonotonicTime.now()

    /// Those who let the sockets be looked at before they go on.
    private let yielding = Stack<Waiter>()

    // Shared with other threads. The mailbox's lock is held for an append or a swap, never longer.
    private let mailbox = Mutex<[UnownedJob]>([])
    private let hasMail = Atomic<Bool>(false)
    private let isSleeping = Atomic<Bool>(false)
    private let isStopping = Atomic<Bool>(false)
    private let thread = Atomic<UInt>(0)
    private let turns = Atomic<UInt64>(0)

    /// How many jobs run before the sockets are looked at again.
    private static let jobsPerTurn = 512

    package init(name: String) throws(SystemFault) {
        self.name = name
        poll = try Poll()
    }

    /// A loop that turns on a thread of its own until `stop`.
    ///
    /// - Parameter mayBlock: whether what runs on it may wait for a disk, for as long as that takes; then `LoopWatch` does not look at it.
    package static func started(name: String, mayBlock: Bool = false) throws(SystemFault) -> EventLoop {
        let loop = try EventLoop(name: name)
        if !mayBlock { RunningLoops.add(loop) }
        do throws(SystemFault) {
            try Thread.start(name: name) {
                loop.run()
                RunningLoops.remove(loop)
            }
        } catch {
            RunningLoops.remove(loop)
            throw error
        }
        return loop
    }

    /// Ends the loop after its present turn. Tasks that still wait on it never resume: for the end of the process, and for tests.
    package func stop() {
        isStopping.store(true, ordering: .sequentiallyConsistent)
        poll.wake()
    }

    /// Has a loop that sleeps turn once.
    func nudge() {
        poll.wake()
    }

    @inline(always)
    package var isCurrent: Bool {
        thread.load(ordering: .relaxed) == Thread.current
    }

    /// The clock as of this turn. On the loop.
    @inline(always)
    package var now: MonotonicTime { unsafe time }

    /// How often the loop has turned: a watchdog's sign of life.
    package var turnCount: UInt64 { turns.load(ordering: .relaxed) }

    // MARK: Executor

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isCurrent {
            jobs.append(job)
            return
        }
        mailbox.withLock { $0.append(job) }
        hasMail.store(true, ordering: .sequentiallyConsistent)
        if isSleeping.exchange(false, ordering: .sequentiallyConsistent) {
            poll.wake()
        }
    }

    package func checkIsolated() {
        precondition(isCurrent, "what belongs to a loop runs on its thread")
    }

    // MARK: Descriptors

    /// Begins to watch a descriptor for both directions; what it is ready for, the next turn tells. On the loop.
    ///
    /// - Parameter sharing: a listening socket that other loops watch too: a connection wakes one of them that sleeps, not all.
    /// - Throws: `SystemFault` where epoll takes no more.
    package func register(_ number: Int32, sharing: Bool = false) throws(SystemFault) -> Slot {
        let slot = slots.insert()
        do throws(SystemFault) {
            try sharing ? poll.addShared(number, token: slot.token) : poll.add(number, token: slot.token)
        } catch {
            slots.remove(slot)
            throw error
        }
        return slot
    }

    /// Forgets a descriptor that is about to close: what epoll still says of it reaches nobody. On the loop.
    package func release(_ slot: Slot) {
        slots.remove(slot)
    }

    /// Forgets a descriptor that stays open, in other loops' hands. On the loop.
    package func release(_ slot: Slot, leaving number: Int32) {
        poll.remove(number)
        slots.remove(slot)
    }

    // MARK: Deadlines

    func schedule(_ waiter: Waiter) {
        unsafe timers.insert(waiter)
    }

    func resumeAfterPoll(_ waiter: Waiter) {
        yielding.push(waiter)
    }

    // MARK: The thread

    private func run() {
        thread.store(Thread.current, ordering: .relaxed)
        while !isStopping.load(ordering: .relaxed) {
            turn()
        }
    }

    private func turn() {
        turns.wrappingAdd(1, ordering: .relaxed)
        runJobs()
        takeMail()
        poll.wait(milliseconds: patience()) { token, readiness in
            slots.tell(token, readiness)
        }
        isSleeping.store(false, ordering: .relaxed)
        unsafe time = .now()
        unsafe timers.fire(now: now)
        while let waiter = yielding.pop() { waiter.turnIsOver() }
        takeMail()
    }

    private func runJobs() {
        let serial = unsafe asUnownedSerialExecutor()
        let task = unsafe asUnownedTaskExecutor()
        for _ in 0..<EventLoop.jobsPerTurn {
            guard let job = jobs.popFirst() else { return }
            unsafe job.runSynchronously(isolatedTo: serial, taskExecutor: task)
        }
    }

    private func takeMail() {
        guard hasMail.load(ordering: .sequentiallyConsistent) else { return }
        hasMail.store(false, ordering: .sequentiallyConsistent)
        let posted = mailbox.withLock { mail in
            let posted = mail
            mail = []
            return posted
        }
        for job in posted { jobs.append(job) }
    }

    /// How long epoll may wait, in milliseconds; says before a real sleep that it sleeps, and looks once more for mail.
    private func patience() -> Int32 {
        guard jobs.isEmpty, yielding.isEmpty else { return 0 }
        isSleeping.store(true, ordering: .sequentiallyConsistent)
        guard !hasMail.load(ordering: .sequentiallyConsistent), !isStopping.load(ordering: .sequentiallyConsistent) else { return 0 }
        guard let next = unsafe timers.next else { return -1 }
        let current = MonotonicTime.now()
        guard next > current else { return 0 }
        // Rounded up: a deadline never fires early.
        return Int32(clamping: (next.nanoseconds - current.nanoseconds + 999_999) / 1_000_000)
    }
}
