// How many records strangers can cause: a worker's bucket for what anybody may ask for.

internal import Gateway

/// 500 at once and 50 a second; of the rest it is counted which refusals they were.
struct StrangerLimit {
    static let most = 500
    static let perSecond = 50
    /// At least so much lies between two lines that tell of it, in milliseconds.
    static let pause: Int64 = 10_000

    /// What it counts, in words.
    private let things: String
    private var left = most
    private var second: Int64 = 0
    private var heldBack: [RefusalCode?: Int] = [:]
    private var lastTold: Int64 = 0

    init(of things: String) {
        self.things = things
    }

    /// Whether this one is written.
    ///
    /// - Parameter time: in milliseconds since 1970; it need not grow.
    mutating func admits(_ refusal: RefusalCode?, at time: Int64) -> Bool {
        let now = time / 1000
        if now > second {
            left = min(StrangerLimit.most, left + Int(clamping: min(now - second, 3600)) * StrangerLimit.perSecond)
            second = now
        }
        guard left == 0 else {
            left -= 1
            return true
        }
        heldBack[refusal, default: 0] += 1
        return false
    }

    /// What was held back since this last said so; nil where it was nothing, or was said just now.
    mutating func told(at time: Int64) -> (count: Int, words: String)? {
        guard !heldBack.isEmpty, time - lastTold >= StrangerLimit.pause else { return nil }
        defer {
            heldBack = [:]
            lastTold = time
        }
        let count = heldBack.values.reduce(0, +)
        let kinds = heldBack.map { (kind: $0?.rawValue ?? "no refusal", count: $1) }.sorted { ($1.count, $0.kind) < ($0.count, $1.kind) }
        let list = kinds.map { "\($0.kind) \($0.count)" }.joined(separator: ", ")
        return (count, "\(count) records of \(things) were held back: \(list)")
    }
}
