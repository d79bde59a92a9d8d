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
    /// 1 for every byte that a match can begin with.
    private let starts: InlineArray<256, UInt8>

    init(of values: [Secret]) {
        var forms: [Form] = []
        for value in values where value.count >= Redaction.shortest {
            forms.append(Form(bytes: value, isBase64: false))
            for alignment in 0..<3 { forms.append(Form(bytes: Redaction.base64(value.bytes, alignment: alignment), isBase64: true)) }
        }
        var starts = InlineArray<256, UInt8>(repeating: 0)
        for form in forms {
            let first = form.bytes.bytes[0]
            starts[Int(first)] = 1
            starts[Int(UInt8(ascii: "%"))] = 1
            if form.isBase64 {
                if first == UInt8(ascii: "+") { starts[Int(UInt8(ascii: "-"))] = 1 }
                if first == UInt8(ascii: "/") { starts[Int(UInt8(ascii: "_"))] = 1 }
            } else if first == 0x20 {
                starts[Int(UInt8(ascii: "+"))] = 1
            }
        }
        self.forms = forms
        self.starts = starts
    }

    /// Whether any value stands in `text`.
    func occurs(in text: RawSpan) -> Bool {
        guard !forms.isEmpty else { return false }
        for at in 0..<text.byteCount where starts[Int(text[at])] != 0 {
            if end(ofMatchAt: at, in: text) != nil { return true }
        }
        return false
    }

    /// Appends `text` with `***` for every value in it.
    func append(_ text: RawSpan, to buffer: ByteBuffer) {
        var runStart = 0
        var at = 0
        while at < text.byteCount {
            if starts[Int(text[at])] != 0, let end = end(ofMatchAt: at, in: text) {
                buffer.append(text.extracting(runStart..<at))
                buffer.append("***")
                runStart = end
                at = end
            } else {
                at += 1
            }
        }
        buffer.append(text.extracting(runStart..<text.byteCount))
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
