// What one exchange is called in `x-request-id`, in logs and in refusals.

package import HTTP1
internal import Kernel

/// 128 random bits, written as 32 lower-case hexadecimal digits.
package struct RequestID: Hashable, Sendable, CustomStringConvertible {
    // As it is written, since it is written twice a request: eight digits a word, the first one in the lowest byte.
    private let first: UInt64
    private let second: UInt64
    private let third: UInt64
    private let fourth: UInt64

    /// - Parameter random: from a generator that strangers cannot predict; the id itself is no secret.
    package init(random: (UInt64, UInt64)) {
        first = RequestID.digits(of: random.0 >> 32)
        second = RequestID.digits(of: random.0)
        third = RequestID.digits(of: random.1 >> 32)
        fourth = RequestID.digits(of: random.1)
    }

    /// Writes the 32 digits, without a detour over a String.
    package func append(to buffer: ByteBuffer) {
        buffer.append(word: first)
        buffer.append(word: second)
        buffer.append(word: third)
        buffer.append(word: fourth)
    }

    package var description: String {
        let buffer = ByteBuffer(capacity: 32)
        append(to: buffer)
        return String(decoding: (0..<32).map { buffer.bytes[$0] }, as: UTF8.self)
    }

    /// The eight digits of the low 32 bits, the first one in the lowest byte.
    static func digits(of word: UInt64) -> UInt64 {
        // Nibbles apart, one a byte, the highest in the highest byte.
        var spread = word & 0xffff_ffff
        spread = (spread | spread << 16) & 0x0000_ffff_0000_ffff
        spread = (spread | spread << 8) & 0x00ff_00ff_00ff_00ff
        spread = (spread | spread << 4) & 0x0f0f_0f0f_0f0f_0f0f
        // 6 more carries 10...15 into bit 4: those become letters, 39 further on.
        let letters = (spread &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return (spread &+ 0x3030_3030_3030_3030 &+ letters &* 39).byteSwapped
    }
}
