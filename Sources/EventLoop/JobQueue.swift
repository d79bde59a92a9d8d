// The jobs that wait for their turn, first in, first out.

/// A ring in memory of its own: an array in a class property would ask for exclusive access at every push and pop, eight times a request.
@safe final class JobQueue {
    // Slots `head ..< head + count`, wrapped, are initialized; a job is a plain pointer, so the others need no destruction.
    private var ring: UnsafeMutablePointer<UnownedJob>
    private var capacity = 256
    private var head = 0
    private(set) var count = 0

    init() {
        unsafe ring = .allocate(capacity: capacity)
    }

    deinit {
        unsafe ring.deallocate()
    }

    var isEmpty: Bool { count == 0 }

    func append(_ job: UnownedJob) {
        if count == capacity { grow() }
        unsafe (ring + (head + count) & (capacity - 1)).initialize(to: job)
        count += 1
    }

    func popFirst() -> UnownedJob? {
        guard count > 0 else { return nil }
        let job = unsafe (ring + head).move()
        head = (head + 1) & (capacity - 1)
        count -= 1
        return job
    }

    private func grow() {
        let larger = UnsafeMutablePointer<UnownedJob>.allocate(capacity: capacity * 2)
        for at in 0..<count {
            unsafe (larger + at).moveInitialize(from: ring + (head + at) & (capacity - 1), count: 1)
        }
        unsafe ring.deallocate()
        unsafe ring = larger
        capacity *= 2
        head = 0
    }
}
