// What a request id looks like.

import Gateway
import HTTP1
import Testing

@Suite struct RequestIDTests {
    @Test func `an id is its 128 bits in lower-case hexadecimal`() {
        #expect(Sample.requestID.description == "0123456789abcdeffedcba9876543210")
        #expect(RequestID(random: (0, .max)).description == "0000000000000000ffffffffffffffff")
    }

    @Test func `any words come out as the digits they are`() {
        var random = SeededRandom(seed: 3)
        for _ in 0..<1000 {
            let (high, low) = (random.next(), random.next())
            let text = [high, low].map { word in
                let digits = String(word, radix: 16)
                return String(repeating: "0", count: 16 - digits.count) + digits
            }.joined()
            #expect(RequestID(random: (high, low)).description == text)
        }
    }
}
