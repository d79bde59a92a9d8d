// Finding a credential's values in what comes back, however they are written, and putting `***` in their place.

internal import HTTP1
internal import Kernel

/// The forms of one credential's values that are looked for: the value itself, each of its bytes possibly percent-encoded, and its base64,
/// plain or URL-safe, alone or inside a longer text at any of the three alignments.
///
/// Values shorter than `shortest` are not looked for: they would be found by chance in session ids and dates.
struct Redaction: Sendable {
    static let shortest = 5

    private struct Form: Sendable {
        let bytes: Secret
        let isBase64: Bool
    }

    private let forms: [Form]
    /// What the first and the second byte of a match can be: enough to pass over nearly every byte of a head.
    private let starts: ByteSet
    private let seconds: ByteSet
    /// Two neighbouring bytes of each form: a text without percent sign and without any of these pairs holds no value. Two bytes, not more,
    /// so that what stands outside locked memory is no more than `starts` and `seconds` say. Nil where some form has no pair that is always
    /// spelt the same.
    private let pairs: [FourPairs]?

    init(of values: [Secret]) {
        var forms: [Form] = []
        for value in values where value.count >= Redaction.shortest {
            forms.append(Form(bytes: value, isBase64: false))
            for alignment in 0..<3 { forms.append(Form(bytes: Redaction.base64(value.bytes, alignment: alignment), isBase64: true)) }
        }
        var starts = ByteSet()
        var seconds = ByteSet()
        for form in forms {
            starts.insert(Redaction.spellings(of: form.bytes.bytes[0], isBase64: form.isBase64))
            seconds.insert(Redaction.spellings(of: form.bytes.bytes[1], isBase64: form.isBase64))
        }
        self.forms = forms
        self.starts = starts
        self.seconds = seconds
        pairs = Redaction.pairs(of: forms)
    }

    /// Whether any value stands in `text`.
    func occurs(in text: RawSpan) -> Bool {
        guard mayOccur(in: text) else { return false }
        return firstMatch(in: text, from: 0) != nil
    }

    /// Whether a closer look at `text` is needed: false only where no value can be in it.
    private func mayOccur(in text: RawSpan) -> Bool {
        guard let pairs else { return true }
        for four in pairs where four.mayOccur(in: text) { return true }
        return false
    }

    /// Appends `text` with `***` for every value in it.
    func append(_ text: RawSpan, to buffer: ByteBuffer) {
        var at = 0
        while let match = firstMatch(in: text, from: at) {
            buffer.append(text.extracting(at..<match.lowerBound))
            buffer.append("***")
            at = match.upperBound
        }
        buffer.append(text.extracting(at..<text.byteCount))
    }

    private func firstMatch(in text: RawSpan, from start: Int) -> Range<Int>? {
        guard !forms.isEmpty else { return nil }
        var at = starts.first(in: text, from: start, before: seconds)
        while let candidate = at {
            if let end = end(ofMatchAt: candidate, in: text) { return candidate..<end }
            at = starts.first(in: text, from: candidate + 1, before: seconds)
        }
        return nil
    }

    private static func pairs(of forms: [Form]) -> [FourPairs]? {
        var chosen: [(UInt8, UInt8)] = []
        for form in forms {
            guard let pair = rarestPair(form) else { return nil }
            chosen.append(pair)
        }
        return stride(from: 0, to: chosen.count, by: 4).map { start in
            FourPairs(chosen[start], chosen[min(start + 1, chosen.count - 1)], chosen[min(start + 2, chosen.count - 1)], chosen[min(start + 3, chosen.count - 1)])
        }
    }

    /// Two neighbours in a form that are written one way only, percent-encoding aside, and that a head seldom has.
    private static func rarestPair(_ form: Form) -> (UInt8, UInt8)? {
        let bytes = form.bytes.bytes
        var rarest: (UInt8, UInt8)?
        var least = Int.max
        for at in 0..<max(bytes.byteCount - 1, 0) {
            let pair = (bytes[at], bytes[at + 1])
            guard spellings(of: pair.0, isBase64: form.isBase64).count == 2, spellings(of: pair.1, isBase64: form.isBase64).count == 2 else { continue }
            let often = frequency(pair.0) + frequency(pair.1)
            if often < least { (rarest, least) = (pair, often) }
        }
        return rarest
    }

    /// How often a byte stands in heads, roughly.
    private static func frequency(_ byte: UInt8) -> Int {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): 4
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), 0x20: 3
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): 1
        default: 2
        }
    }

    /// The first byte of everything that stands for `byte` of a form.
    private static func spellings(of byte: UInt8, isBase64: Bool) -> [UInt8] {
        switch byte {
        case UInt8(ascii: "+") where isBase64: [byte, UInt8(ascii: "%"), UInt8(ascii: "-")]
        case UInt8(ascii: "/") where isBase64: [byte, UInt8(ascii: "%"), UInt8(ascii: "_")]
        case 0x20 where !isBase64: [byte, UInt8(ascii: "%"), UInt8(ascii: "+")]
        default: [byte, UInt8(ascii: "%")]
        }
    }

    /// Where the longest match that begins at `start` ends; nil where none does.
    private func end(ofMatchAt start: Int, in text: RawSpan) -> Int? {
        var longest: Int?
        for form in forms {
            let end = form.isBase64 ? Redaction.base64End(form.bytes.bytes, at: start, in: text) : Redaction.textEnd(form.bytes.bytes, at: start, in: text)
            if let end, end > longest ?? 0 { longest = end }
        }
        return longest
    }

    private static func textEnd(_ value: RawSpan, at start: Int, in text: RawSpan) -> Int? {
        if text.byteCount - start >= value.byteCount, text.extracting(start..<start + value.byteCount).equals(value) {
            return start + value.byteCount
        }
        var at = start
        for place in 0..<value.byteCount {
            guard at < text.byteCount else { return nil }
            if let byte = decoded(text, at), byte == value[place] {
                at += 3
            } else if text[at] == value[place] || (text[at] == UInt8(ascii: "+") && value[place] == 0x20) {
                at += 1
            } else {
                return nil
            }
        }
        return at
    }

    private static func base64End(_ value: RawSpan, at start: Int, in text: RawSpan) -> Int? {
        var at = start
        for place in 0..<value.byteCount {
            guard at < text.byteCount else { return nil }
            let encoded = decoded(text, at)
            guard standard(encoded ?? text[at]) == value[place] else { return nil }
            at += encoded == nil ? 1 : 3
        }
        // The last bits of the value may be in one more character; then padding.
        if at < text.byteCount, isBase64(text[at]) { at += 1 }
        while at < text.byteCount {
            let encoded = decoded(text, at)
            guard (encoded ?? text[at]) == UInt8(ascii: "=") else { break }
            at += encoded == nil ? 1 : 3
        }
        return at
    }

    /// The byte that a percent sign and two digits at `at` stand for.
    private static func decoded(_ text: RawSpan, _ at: Int) -> UInt8? {
        guard text[at] == UInt8(ascii: "%"), at + 2 < text.byteCount, let high = text[at + 1].hexadecimalValue,
            let low = text[at + 2].hexadecimalValue
        else { return nil }
        return high << 4 | low
    }

    /// The plain alphabet's character for the URL-safe one's.
    private static func standard(_ byte: UInt8) -> UInt8 {
        byte == UInt8(ascii: "-") ? UInt8(ascii: "+") : byte == UInt8(ascii: "_") ? UInt8(ascii: "/") : byte
    }

    private static func isBase64(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// The base64 characters (RFC 4648, section 4) that `value` alone decides when `alignment` unknown bytes stand before it.
    private static func base64(_ value: RawSpan, alignment: Int) -> Secret {
        var buffer = LockedBuffer(capacity: value.byteCount * 4 / 3 + 4)
        var bit = (alignment * 8 + 5) / 6 * 6 - alignment * 8
        while bit + 6 <= value.byteCount * 8 {
            let byte = UInt16(value[bit / 8]) << 8 | (bit / 8 + 1 < value.byteCount ? UInt16(value[bit / 8 + 1]) : 0)
            let sextet = UInt8(truncatingIfNeeded: byte >> UInt16(10 - bit % 8)) & 63
            switch sextet {
            case 0..<26: buffer.append(byte: UInt8(ascii: "A") + sextet)
            case 26..<52: buffer.append(byte: UInt8(ascii: "a") + (sextet - 26))
            case 52..<62: buffer.append(byte: UInt8(ascii: "0") + (sextet - 52))
            case 62: buffer.append(byte: UInt8(ascii: "+"))
            default: buffer.append(byte: UInt8(ascii: "/"))
            }
            bit += 6
        }
        return Secret(buffer)
    }
}

/// Four pairs of bytes, looked for at once, sixteen places at a time.
private struct FourPairs: Sendable {
    private let firsts: (ByteBlock, ByteBlock, ByteBlock, ByteBlock)
    private let seconds: (ByteBlock, ByteBlock, ByteBlock, ByteBlock)

    init(_ one: (UInt8, UInt8), _ two: (UInt8, UInt8), _ three: (UInt8, UInt8), _ four: (UInt8, UInt8)) {
        firsts = (ByteBlock(repeating: one.0), ByteBlock(repeating: two.0), ByteBlock(repeating: three.0), ByteBlock(repeating: four.0))
        seconds = (ByteBlock(repeating: one.1), ByteBlock(repeating: two.1), ByteBlock(repeating: three.1), ByteBlock(repeating: four.1))
    }

    /// Whether `text` has one of the pairs or a percent sign; true where it is too short to tell this way.
    func mayOccur(in text: RawSpan) -> Bool {
        let last = text.byteCount - 17
        guard last >= 0 else { return true }
        var at = 0
        while true {
            if has(text.block(at: at), text.block(at: at + 1)) { return true }
            guard at < last else { return false }
            // The last step overlaps the one before.
            at = min(at + 16, last)
        }
    }

    @inline(always)
    private func has(_ block: ByteBlock, _ next: ByteBlock) -> Bool {
        let pairs =
            ((block .== firsts.0) .& (next .== seconds.0)) .| ((block .== firsts.1) .& (next .== seconds.1))
            .| ((block .== firsts.2) .& (next .== seconds.2)) .| ((block .== firsts.3) .& (next .== seconds.3))
        // Every byte is the first of a step but the last one: a text that ends with a percent sign encodes nothing by it.
        return !ByteMatches(pairs .| (block .== ByteBlock(repeating: UInt8(ascii: "%")))).isEmpty
    }
}

/// Some of the 256 bytes.
private struct ByteSet: Sendable {
    // Bit n of word m is byte 64 m + n.
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    mutating func insert(_ bytes: [UInt8]) {
        for byte in bytes {
            let bit: UInt64 = 1 << UInt64(byte & 63)
            switch byte >> 6 {
            case 0: words.0 |= bit
            case 1: words.1 |= bit
            case 2: words.2 |= bit
            default: words.3 |= bit
            }
        }
    }

    @inline(always)
    func contains(_ byte: UInt8) -> Bool {
        let low = byte & 64 == 0 ? words.0 : words.1
        let high = byte & 64 == 0 ? words.2 : words.3
        return (byte < 128 ? low : high) &>> UInt64(byte & 63) & 1 == 1
    }

    /// Where a byte of this set stands with one of `next` behind it, or a percent sign, whose next byte says nothing. Never the last byte.
    func first(in text: RawSpan, from start: Int, before next: ByteSet) -> Int? {
        var at = start
        while at &+ 1 < text.byteCount {
            let byte = text[at]
            if contains(byte), byte == UInt8(ascii: "%") || next.contains(text[at &+ 1]) { return at }
            at &+= 1
        }
        return nil
    }
}
