// A rate is kept to the nanosecond, in a test's own time.

import Gateway
import Kernel
import Testing

@Suite struct TokenBucketTests {
    static func at(_ seconds: Double) -> MonotonicTime { MonotonicTime(nanoseconds: 1_000_000_000_000 + UInt64(seconds * 1e9)) }

    @Test func `a full bucket grants its rate at once, then says when the next token is there`() {
        var bucket = TokenBucket(Rate(count: 4, per: .seconds(1)), now: Self.at(0))
        for _ in 0..<4 { #expect(bucket.take(at: Self.at(0)) == .granted) }
        #expect(bucket.take(at: Self.at(0)) == .refused(retryAfter: .milliseconds(250)))
        #expect(bucket.take(at: Self.at(0.2)) == .refused(retryAfter: .milliseconds(50)))
        #expect(bucket.take(at: Self.at(0.25)) == .granted)
        #expect(bucket.take(at: Self.at(0.25)) == .refused(retryAfter: .milliseconds(250)))
    }

    @Test func `an idle bucket holds no more than its rate`() {
        var bucket = TokenBucket(Rate(count: 2, per: .seconds(60)), now: Self.at(0))
        #expect(bucket.isFull(at: Self.at(0)))
        #expect(bucket.take(at: Self.at(0)) == .granted)
        #expect(!bucket.isFull(at: Self.at(29)) && bucket.isFull(at: Self.at(30)))
        for _ in 0..<2 { #expect(bucket.take(at: Self.at(100_000)) == .granted) }
        #expect(bucket.take(at: Self.at(100_000)) == .refused(retryAfter: .seconds(30)))
    }

    @Test func `over a long time as many are granted as the rate says`() {
        var bucket = TokenBucket(Rate(count: 100, per: .seconds(1)), now: Self.at(0))
        var granted = 0
        for tick in 0..<100_000 where bucket.take(at: MonotonicTime(nanoseconds: Self.at(0).nanoseconds + UInt64(tick) * 100_000)) == .granted { granted += 1 }
        #expect(granted == 1099)
    }

    @Test func `time that steps back grants nothing more, and no rate or time traps`() {
        var bucket = TokenBucket(Rate(count: 1, per: .seconds(1)), now: Self.at(5))
        #expect(bucket.take(at: Self.at(5)) == .granted)
        #expect(bucket.take(at: Self.at(0)) == .refused(retryAfter: .seconds(6)))
        for count in [Int.min, -1, 0, 1, .max] {
            for per in [Duration.seconds(-1), .zero, .nanoseconds(1), .seconds(Int64.max)] {
                for start in [0, 1, UInt64.max] {
                    var odd = TokenBucket(Rate(count: count, per: per), now: MonotonicTime(nanoseconds: start))
                    for time in [0, UInt64.max, 1, UInt64.max] { _ = odd.take(at: MonotonicTime(nanoseconds: time)) }
                }
            }
        }
    }
}
