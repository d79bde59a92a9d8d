// The public half of an API key: `[a-z0-9]{4,16}`, small enough to be two words.

package import HTTP1
internal import Kernel

package struct APIKeyID: Hashable, Sendable, CustomStringConvertible {
    /// The characters, first one highest, zeroes behind the last.
    private let high: UInt64
    private let low: UInt64

    package init?(_ bytes: RawSpan) {
        guard bytes.byteCount >= 4, bytes.byteCount <= 16 else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        for at in 0..<16 {
            var byte: UInt8 = 0
            if at < bytes.byteCount {
                byte = bytes[at]
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): break
                default: return nil
                }
            }
            if at < 8 { words.0 = words.0 << 8 | UInt64(byte) } else { words.1 = words.1 << 8 | UInt64(byte) }
        }
        (high, low) = words
    }

    package init?(_ text: String) {
        self.init(ByteBuffer(Array(text.utf8)).bytes)
    }

    /// Writes it, without a detour over a String.
    package func append(to buffer: ByteBuffer) {
        append(high, to: buffer)
        append(low, to: buffer)
    }

    private func append(_ word: UInt64, to buffer: ByteBuffer) {
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
            let byte = UInt8(truncatingIfNeeded: word >> shift)
            if byte != 0 { buffer.append(byte: byte) }
        }
    }

    package var description: String {
        var text = ""
        for word in [high, low] {
            for shift in stride(from: UInt64(56), through: 0, by: -8) {
                let byte = UInt8(truncatingIfNeeded: word >> shift)
                if byte != 0 { text.unicodeScalars.append(Unicode.Scalar(byte)) }
            }
        }
        return text
    }
}
