// Blocks of bytes say the same as bytes one by one.

import Kernel
import Testing

@Suite struct ByteBlockTests {
    @Test func `a padded block is the span's bytes, then zeros, wherever it begins`() {
        for count in 0...40 {
            let bytes = (0..<count).map { UInt8($0 + 1) }
            for offset in 0...(count + 20) {
                let block = bytes.span.raw.paddedBlock(at: offset)
                for place in 0..<16 {
                    #expect(block[place] == (offset + place < count ? bytes[offset + place] : 0))
                }
                if offset + 16 <= count { #expect(bytes.span.raw.block(at: offset) == block) }
            }
        }
    }

    @Test func `matches name the first byte that is equal`() {
        for place in 0..<16 {
            var bytes = [UInt8](repeating: 7, count: 16)
            for later in place..<16 { bytes[later] = 9 }
            let matches = ByteMatches(bytes.span.raw.block(at: 0) .== ByteBlock(repeating: 9))
            #expect(!matches.isEmpty && matches.first == place)
        }
        #expect(ByteMatches(ByteBlock(repeating: 1) .== ByteBlock(repeating: 2)).isEmpty)
        #expect(ByteMatches(ByteBlock(repeating: 1) .== ByteBlock(repeating: 2)).first == 16)
    }

    @Test func `a block's words begin with its first bytes`() {
        let bytes = (0..<16).map { UInt8($0) }
        let words = bytes.span.raw.block(at: 0).words
        #expect(words.low == bytes.span.raw.word(at: 0) && words.high == bytes.span.raw.word(at: 8))
        #expect(bytes.span.raw.half(at: 3) == 0x0403)
    }
}
