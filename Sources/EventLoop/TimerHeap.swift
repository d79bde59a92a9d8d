// The deadlines of all waiters, earliest first: a binary heap whose entries may be out of date.

internal import Kernel

/// An entry is live if it is due when its waiter's `scheduled` says; a live one that comes up before its waiter's
/// deadline goes back in for later.
struct TimerHeap {
    private struct Entry {
        let due: MonotonicTime
        let waiter: Waiter
    }

    private var entries: [Entry] = []

    var next: MonotonicTime? { entries.first?.due }

    mutating func insert(_ waiter: Waiter) {
        waiter.scheduled = waiter.deadline
        push(Entry(due: waiter.deadline, waiter: waiter))
    }

    /// Resumes every waiter whose deadline has passed.
    mutating func fire(now: MonotonicTime) {
        while let first = entries.first, first.due <= now {
            pop()
            let waiter = first.waiter
            guard waiter.scheduled == first.due else { continue }
            waiter.scheduled = .never
            if waiter.deadline <= now {
                waiter.resume(.deadline)
            } else if waiter.deadline < .never {
                insert(waiter)
            }
        }
    }

    private mutating func push(_ entry: Entry) {
        entries.append(entry)
        var at = entries.count - 1
        while at > 0 {
            let parent = (at - 1) / 2
            guard entries[at].due < entries[parent].due else { return }
            entries.swapAt(at, parent)
            at = parent
        }
    }

    private mutating func pop() {
        entries.swapAt(0, entries.count - 1)
        entries.removeLast()
        var at = 0
        while true {
            var smallest = at
            for child in [2 * at + 1, 2 * at + 2] where child < entries.count && entries[child].due < entries[smallest].due {
                smallest = child
            }
            guard smallest != at else { return }
            entries.swapAt(at, smallest)
            at = smallest
        }
    }
}
