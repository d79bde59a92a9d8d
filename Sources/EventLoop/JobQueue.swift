// The jobs that wait for their turn, first in, first out; its storage is reused.

struct JobQueue {
    private var incoming: [UnownedJob] = []
    private var outgoing: [UnownedJob] = []
    private var position = 0

    var isEmpty: Bool { position == outgoing.count && incoming.isEmpty }

    mutating func append(_ job: UnownedJob) {
        incoming.append(job)
    }

    mutating func popFirst() -> UnownedJob? {
        if position == outgoing.count {
            guard !incoming.isEmpty else { return nil }
            outgoing.removeAll(keepingCapacity: true)
            swap(&incoming, &outgoing)
            position = 0
        }
        defer { position += 1 }
        return outgoing[position]
    }
}
