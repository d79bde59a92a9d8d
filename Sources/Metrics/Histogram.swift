// A histogram in a row of cells: where its counts lie, and what a reader makes of them.

/// A cell for each bucket, then one for the sum of nanoseconds.
struct HistogramPlace: Sendable {
    let first: Int

    static var width: Int { Buckets.count + 1 }

    var sum: Int { first + Buckets.count }

    /// Behind the last of its cells.
    var end: Int { first + HistogramPlace.width }

    /// The cell that counts what took so long.
    func bucket(of nanoseconds: UInt64) -> Int { first + Buckets.index(of: nanoseconds) }
}

/// What was timed: how many fell into each bucket, and how long they took together.
struct Distribution {
    let buckets: [UInt64]
    /// In nanoseconds.
    let sum: UInt64

    init(_ place: HistogramPlace, cell: (Int) -> UInt64) {
        buckets = (place.first..<place.sum).map(cell)
        sum = cell(place.sum)
    }
}
