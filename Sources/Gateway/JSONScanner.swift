// Reads JSON (RFC 8259) piece by piece where it lies: strict, without recursion, without copying.

package import Kernel

/// What the bytes are not: JSON as RFC 8259 has it, in valid UTF-8, nested no deeper than `JSONScanner.depth`.
package struct NotJSON: Error, Hashable, Sendable {
    package init() {}
}

/// A place in a JSON text. Every method reads one thing from there and stops behind it; whatever the bytes are, none traps and
/// none looks at a byte more often than a fixed number of times.
package struct JSONScanner: ~Escapable {
    /// How many arrays and objects may lie in each other within one skipped value.
    package static let depth = 64

    package let bytes: RawSpan
    package private(set) var at = 0

    @_lifetime(copy bytes)
    package init(_ bytes: RawSpan) {
        self.bytes = bytes
    }

    /// The byte of the next token; nil at the end.
    package var next: UInt8? {
        mutating get {
            while at < bytes.byteCount {
                switch bytes[at] {
                case 0x20, 0x09, 0x0a, 0x0d: at += 1
                default: return bytes[at]
                }
            }
            return nil
        }
    }

    /// Takes `byte` where it is the next token.
    package mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        at += 1
        return true
    }

    package mutating func expect(_ byte: UInt8) throws(NotJSON) {
        guard take(byte) else { throw NotJSON() }
    }

    /// Nothing but blanks is left.
    package mutating func expectEnd() throws(NotJSON) {
        guard next == nil else { throw NotJSON() }
    }

    /// In an object behind its `{` or a member's value: the next member's name, its colon taken, as it stands between the quotes; nil behind the `}`.
    package mutating func nextName(isFirst: inout Bool) throws(NotJSON) -> Range<Int>? {
        guard try nextElement(isFirst: &isFirst, closing: UInt8(ascii: "}")) else { return nil }
        let name = try string()
        try expect(UInt8(ascii: ":"))
        return name
    }

    /// Every member of a text that is one object and nothing else, in order.
    ///
    /// - Parameter member: reads the value whose name it is given, which stands between the quotes as it was written.
    package static func members(
        of text: RawSpan, _ member: (_ name: Range<Int>, _ scanner: inout JSONScanner) throws(NotJSON) -> Void
    ) throws(NotJSON) {
        var scanner = JSONScanner(text)
        try scanner.expect(UInt8(ascii: "{"))
        var isFirst = true
        while let name = try scanner.nextName(isFirst: &isFirst) { try member(name, &scanner) }
        try scanner.expectEnd()
    }

    /// In an array or object behind its opening or an element: whether another element follows; false behind `closing`.
    package mutating func nextElement(isFirst: inout Bool, closing: UInt8) throws(NotJSON) -> Bool {
        if take(closing) { return false }
        if !isFirst {
            try expect(UInt8(ascii: ","))
            guard next != closing else { throw NotJSON() }
        }
        isFirst = false
        return true
    }

    /// A string; the range is what stands between its quotes, escapes included.
    package mutating func string() throws(NotJSON) -> Range<Int> {
        try expect(UInt8(ascii: "\""))
        let start = at
        while at < bytes.byteCount {
            switch bytes[at] {
            case UInt8(ascii: "\""):
                at += 1
                return start..<at - 1
            case UInt8(ascii: "\\"):
                _ = try escape()
            case 0x20...0x7f:
                at += 1
            case 0..<0x20:
                throw NotJSON()
            default:
                at += try sequence()
            }
        }
        throw NotJSON()
    }

    /// A number (section 6).
    package mutating func number() throws(NotJSON) -> Range<Int> {
        _ = next
        let start = at
        skip(UInt8(ascii: "-"))
        if !skip(UInt8(ascii: "0")) { try digits() }
        if skip(UInt8(ascii: ".")) { try digits() }
        if skip(UInt8(ascii: "e")) || skip(UInt8(ascii: "E")) {
            if !skip(UInt8(ascii: "+")) { skip(UInt8(ascii: "-")) }
            try digits()
        }
        return start..<at
    }

    /// Any value, whatever is in it.
    package mutating func skipValue() throws(NotJSON) {
        /// What is open, innermost lowest: 1 for an object, 0 for an array.
        var objects: UInt64 = 0
        var open = 0
        while true {
            switch next {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard open < JSONScanner.depth else { throw NotJSON() }
                let isObject = bytes[at] == UInt8(ascii: "{")
                objects = objects << 1 | (isObject ? 1 : 0)
                open += 1
                at += 1
                if try step(into: isObject, isFirst: true) { continue }
                objects >>= 1
                open -= 1
            case UInt8(ascii: "\""): _ = try string()
            case UInt8(ascii: "t"): try word("true")
            case UInt8(ascii: "f"): try word("false")
            case UInt8(ascii: "n"): try word("null")
            default: _ = try number()
            }
            // A value is complete: close all that ends here, or go on to the next element.
            while open > 0 {
                if try step(into: objects & 1 == 1, isFirst: false) { break }
                objects >>= 1
                open -= 1
            }
            if open == 0 { return }
        }
    }

    /// Whether the string in `range` says `text`, however it is escaped.
    package func says(_ text: StaticString, in range: Range<Int>) -> Bool {
        var scanner = JSONScanner(bytes)
        scanner.at = range.lowerBound
        var matched = 0
        let wanted = text.description.utf8
        var rest = wanted.makeIterator()
        while scanner.at < range.upperBound {
            var byte = UInt32(bytes[scanner.at])
            if byte == UInt32(UInt8(ascii: "\\")) {
                guard let value = try? scanner.escape() else { return false }
                byte = value
            } else {
                scanner.at += 1
            }
            guard let expected = rest.next(), UInt32(expected) == byte, byte < 0x80 else { return false }
            matched += 1
        }
        return matched == wanted.count
    }

    /// What the string in `range`, as `string()` gave it, says, its escapes undone; in locked memory, since it may be a secret.
    package func text(in range: Range<Int>) throws(NotJSON) -> LockedBuffer {
        var scanner = JSONScanner(bytes)
        scanner.at = range.lowerBound
        var text = LockedBuffer(capacity: range.count)
        while scanner.at < range.upperBound {
            let plain = scanner.at
            while scanner.at < range.upperBound, bytes[scanner.at] != UInt8(ascii: "\\") { scanner.at += 1 }
            text.append(bytes.extracting(plain..<scanner.at))
            guard scanner.at < range.upperBound else { break }
            guard let scalar = Unicode.Scalar(try scanner.escape()) else { throw NotJSON() }
            for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { text.append(byte: byte) }
        }
        return text
    }

    // MARK: pieces

    private mutating func step(into isObject: Bool, isFirst: Bool) throws(NotJSON) -> Bool {
        var first = isFirst
        if isObject { return try nextName(isFirst: &first) != nil }
        return try nextElement(isFirst: &first, closing: UInt8(ascii: "]"))
    }

    @discardableResult
    private mutating func skip(_ byte: UInt8) -> Bool {
        guard at < bytes.byteCount, bytes[at] == byte else { return false }
        at += 1
        return true
    }

    private mutating func digits() throws(NotJSON) {
        let start = at
        while at < bytes.byteCount, bytes[at] >= 0x30, bytes[at] <= 0x39 { at += 1 }
        guard at > start else { throw NotJSON() }
    }

    private mutating func word(_ text: StaticString) throws(NotJSON) {
        for byte in text.description.utf8 {
            guard skip(byte) else { throw NotJSON() }
        }
    }

    /// An escape from its backslash on (section 7): the code point it stands for. Half a surrogate pair stands for none.
    private mutating func escape() throws(NotJSON) -> UInt32 {
        at += 1
        guard at < bytes.byteCount else { throw NotJSON() }
        at += 1
        switch bytes[at - 1] {
        case UInt8(ascii: "\""): return 0x22
        case UInt8(ascii: "\\"): return 0x5c
        case UInt8(ascii: "/"): return 0x2f
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "f"): return 0x0c
        case UInt8(ascii: "n"): return 0x0a
        case UInt8(ascii: "r"): return 0x0d
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "u"):
            let unit = try hexadecimal()
            guard (0xd800..<0xe000).contains(unit) else { return unit }
            guard unit < 0xdc00, skip(UInt8(ascii: "\\")), skip(UInt8(ascii: "u")) else { throw NotJSON() }
            let low = try hexadecimal()
            guard (0xdc00..<0xe000).contains(low) else { throw NotJSON() }
            return 0x10000 + (unit - 0xd800) << 10 + (low - 0xdc00)
        default: throw NotJSON()
        }
    }

    private mutating func hexadecimal() throws(NotJSON) -> UInt32 {
        guard bytes.byteCount - at >= 4 else { throw NotJSON() }
        var value: UInt32 = 0
        for _ in 0..<4 {
            let digit = bytes[at]
            at += 1
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt32(digit - 48)
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt32(digit - 87)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt32(digit - 55)
            default: throw NotJSON()
            }
        }
        return value
    }

    /// The length of the UTF-8 sequence here, whose first byte is not ASCII (RFC 3629, section 4).
    private func sequence() throws(NotJSON) -> Int {
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xbf
        switch bytes[at] {
        case 0xc2...0xdf: length = 2
        case 0xe0: length = 3; second = 0xa0...0xbf
        case 0xed: length = 3; second = 0x80...0x9f
        case 0xe1...0xef: length = 3
        case 0xf0: length = 4; second = 0x90...0xbf
        case 0xf4: length = 4; second = 0x80...0x8f
        case 0xf1...0xf3: length = 4
        default: throw NotJSON()
        }
        guard bytes.byteCount - at >= length, second.contains(bytes[at + 1]) else { throw NotJSON() }
        for offset in 2..<max(length, 2) where !(0x80...0xbf).contains(bytes[at + offset]) { throw NotJSON() }
        return length
    }
}
