// Whether a service that failed again and again is asked.

internal import Kernel

/// Opens after several failures in a row: nothing is asked then. When its time is over, one call tries; what comes of it closes or opens it again,
/// each time for longer. What was under way across a change does not count any more.
struct Circuit {
    enum State: Equatable, Sendable {
        case closed
        case open(until: MonotonicTime)
        /// One call is under way that decides.
        case trying
    }

    enum Admission: Equatable {
        /// Its outcome is told under this number.
        case admitted(UInt64)
        case refused(for: Duration)
    }

    private(set) var state = State.closed
    private var failures = 0
    private var openings = 0
    private var number: UInt64 = 0

    static let threshold = 5
    private static let shortest = Duration.seconds(1)
    private static let longest = Duration.seconds(30)
    /// Of a wish to be left alone.
    private static let longestWish = Duration.seconds(60)

    /// How long nothing can be asked; nil where something can.
    func refusal(now: MonotonicTime) -> Duration? {
        switch state {
        case .closed: nil
        case .open(let until): until > now ? until.duration(since: now) : nil
        case .trying: Circuit.shortest
        }
    }

    /// A call wants to go. Whoever is admitted tells the outcome.
    mutating func admit(now: MonotonicTime) -> Admission {
        if let wait = refusal(now: now) { return .refused(for: wait) }
        if case .open = state { move(to: .trying) }
        return .admitted(number)
    }

    /// The service did what it was asked, or gave a reason why not.
    mutating func succeeded(_ call: UInt64) {
        guard call == number else { return }
        failures = 0
        guard state == .trying else { return }
        openings = 0
        move(to: .closed)
    }

    /// - Parameters:
    ///   - wish: how long the service asked to be left alone.
    ///   - random: an evenly spread word, so that not all gateways come back at once.
    mutating func failed(_ call: UInt64, now: MonotonicTime, wish: Duration?, random: UInt64) {
        guard call == number else { return }
        failures += 1
        guard state == .trying || failures >= Circuit.threshold else { return }
        let whole = min(Circuit.shortest * (1 << min(openings, 5)), Circuit.longest)
        let time = max(whole / 2 + whole / 2 * Double(evenlyFrom: random), min(wish ?? .zero, Circuit.longestWish))
        openings += 1
        move(to: .open(until: now.advanced(by: time)))
    }

    /// Nobody waits for the outcome any more: it was none.
    mutating func abandoned(_ call: UInt64, now: MonotonicTime) {
        guard call == number, state == .trying else { return }
        move(to: .open(until: now))
    }

    private mutating func move(to state: State) {
        self.state = state
        failures = 0
        number += 1
    }
}
