// How often the log says the same: a bucket for each kind of line, and a line in place of those it held back.

internal import Synchronization

/// A kind is where a line comes from, its level, and the words it begins with, digits apart. Of each kind 30 lines are written at once and then
/// one a second; what is beyond is counted, and said every ten seconds. Of kinds only so many are told apart; all others share one bucket.
final class LineLimit: Sendable {
    static let most = 30
    static let perSecond = 1
    /// In milliseconds.
    static let pause: Int64 = 10_000
    static let kinds = 256

    private struct Bucket {
        var left = LineLimit.most
        var second: Int64
        var heldBack = 0
        /// The last line of those.
        var sample = ""
        var level = LogLevel.info
    }

    private struct State {
        var buckets: [UInt64: Bucket] = [:]
        var lastTold: Int64 = 0
        var isHoldingBack = false
    }

    private let state = Mutex(State())

    /// Whether a line is written now.
    ///
    /// - Parameters:
    ///   - origin: where in the code it comes from.
    ///   - time: in milliseconds since 1970.
    func admits(_ level: LogLevel, _ message: String, from origin: UInt64, at time: Int64) -> Bool {
        let kind = LineLimit.kind(level, message, origin)
        let now = time / 1000
        return state.withLock { state in
            if state.buckets[kind] == nil, state.buckets.count >= LineLimit.kinds { LineLimit.forget(&state, now) }
            let place = state.buckets[kind] == nil && state.buckets.count >= LineLimit.kinds ? 0 : kind
            var bucket = state.buckets[place] ?? Bucket(second: now)
            defer { state.buckets[place] = bucket }
            if now > bucket.second {
                bucket.left = min(LineLimit.most, bucket.left + Int(clamping: min(now - bucket.second, 3600)) * LineLimit.perSecond)
                bucket.second = now
            }
            guard bucket.left == 0 else {
                bucket.left -= 1
                return true
            }
            bucket.heldBack += 1
            bucket.sample = message
            bucket.level = level
            state.isHoldingBack = true
            return false
        }
    }

    /// Whether something was held back and has not been told of.
    var isHoldingBack: Bool { state.withLock { $0.isHoldingBack } }

    /// What to say of lines held back; nothing where there are none, or where it was said just now.
    /// - Parameter isLast: whether it is said now in any case.
    func told(at time: Int64, isLast: Bool = false) -> [(level: LogLevel, count: Int, words: String)] {
        state.withLock { state in
            guard state.isHoldingBack, isLast || time - state.lastTold >= LineLimit.pause else { return [] }
            state.lastTold = time
            state.isHoldingBack = false
            var told: [(level: LogLevel, count: Int, words: String)] = []
            for (kind, bucket) in state.buckets where bucket.heldBack > 0 {
                told.append((bucket.level, bucket.heldBack, "\(bucket.heldBack) more like this were held back: \(bucket.sample)"))
                state.buckets[kind]?.heldBack = 0
                state.buckets[kind]?.sample = ""
            }
            return told.sorted { $0.count > $1.count }
        }
    }

    /// Lets go of kinds that have nothing to remember.
    private static func forget(_ state: inout State, _ now: Int64) {
        state.buckets = state.buckets.filter { $1.heldBack > 0 || $1.left + Int(clamping: now - $1.second) * perSecond < most }
    }

    /// FNV-1a over the first 48 bytes, digits left out; never 0, which is the place of all others.
    private static func kind(_ level: LogLevel, _ message: String, _ origin: UInt64) -> UInt64 {
        var hash: UInt64 = (0xcbf2_9ce4_8422_2325 ^ origin ^ UInt64(level.rawValue)) &* 0x100_0000_01b3
        for byte in message.utf8.prefix(48) where byte < 0x30 || byte > 0x39 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return max(hash, 1)
    }
}
