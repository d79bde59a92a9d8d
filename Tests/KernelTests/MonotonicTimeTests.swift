// The clock's arithmetic: no overflow can trap, no negative duration turns time back.

import Kernel
import Testing

@Suite struct MonotonicTimeTests {
    @Test func `a duration moves it on by its nanoseconds`() {
        #expect(MonotonicTime(nanoseconds: 5).advanced(by: .seconds(2)).nanoseconds == 2_000_000_005)
        #expect(MonotonicTime(nanoseconds: 5).advanced(by: .nanoseconds(7)).nanoseconds == 12)
    }

    @Test func `what cannot be expressed is never`() {
        #expect(MonotonicTime(nanoseconds: .max - 1).advanced(by: .seconds(1)) == .never)
        #expect(MonotonicTime(nanoseconds: 0).advanced(by: .seconds(Int64.max)) == .never)
        #expect(MonotonicTime.never.advanced(by: .zero) == .never)
    }

    @Test func `a negative duration counts as none`() {
        #expect(MonotonicTime(nanoseconds: 5).advanced(by: .seconds(-1)).nanoseconds == 5)
        #expect(MonotonicTime(nanoseconds: 5).duration(since: MonotonicTime(nanoseconds: 9)) == .zero)
    }
}
