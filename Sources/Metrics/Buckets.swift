// The histograms' buckets: from a tenth of a millisecond to a minute, for whatever is timed.

/// Upper bounds in nanoseconds, the last bucket without one.
enum Buckets {
    /// As Prometheus wants them, in seconds.
    static let bounds: [(nanoseconds: UInt64, text: String)] = [
        (100_000, "0.0001"), (250_000, "0.00025"), (500_000, "0.0005"), (1_000_000, "0.001"), (2_500_000, "0.0025"), (5_000_000, "0.005"),
        (10_000_000, "0.01"), (25_000_000, "0.025"), (50_000_000, "0.05"), (100_000_000, "0.1"), (250_000_000, "0.25"), (500_000_000, "0.5"),
        (1_000_000_000, "1"), (2_500_000_000, "2.5"), (5_000_000_000, "5"), (10_000_000_000, "10"), (30_000_000_000, "30"),
        (60_000_000_000, "60"),
    ]

    static var count: Int { 19 }

    /// The bucket `nanoseconds` falls into. A switch, so that nothing is loaded; a test holds it to `bounds`.
    static func index(of nanoseconds: UInt64) -> Int {
        switch nanoseconds {
        case ...100_000: 0
        case ...250_000: 1
        case ...500_000: 2
        case ...1_000_000: 3
        case ...2_500_000: 4
        case ...5_000_000: 5
        case ...10_000_000: 6
        case ...25_000_000: 7
        case ...50_000_000: 8
        case ...100_000_000: 9
        case ...250_000_000: 10
        case ...500_000_000: 11
        case ...1_000_000_000: 12
        case ...2_500_000_000: 13
        case ...5_000_000_000: 14
        case ...10_000_000_000: 15
        case ...30_000_000_000: 16
        case ...60_000_000_000: 17
        default: 18
        }
    }
}
