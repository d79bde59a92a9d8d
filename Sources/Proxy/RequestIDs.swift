// Fresh request ids, from kernel randomness taken a page at a time.

internal import Gateway
internal import Kernel

/// One system call for 256 ids.
struct RequestIDs {
    private var words: [UInt64] = []

    mutating func next() -> RequestID {
        if words.count < 2 { refill() }
        let high = words.removeLast()
        return RequestID(random: (high, words.removeLast()))
    }

    /// 64 random bits.
    mutating func word() -> UInt64 {
        if words.isEmpty { refill() }
        return words.removeLast()
    }

    private mutating func refill() {
        let page = SecureRandom.bytes(4096)
        words.reserveCapacity(512)
        for at in stride(from: 0, to: page.count, by: 8) { words.append(page.span.raw.word(at: at)) }
    }
}
