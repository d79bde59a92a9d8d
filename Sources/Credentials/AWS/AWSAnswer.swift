// What sources of credentials answer, JSON or XML, read without any of it becoming a String unasked.

internal import Gateway
internal import Kernel

/// The single values of a document, by name, however deep they lie: AWS's answers hold each that matters once. The first of a name counts.
struct AWSAnswer: Sendable {
    private let values: [String: Secret]

    /// Nil where the bytes are neither JSON (RFC 8259) nor XML.
    init?(_ bytes: RawSpan) {
        var at = 0
        while at < bytes.byteCount, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[at]) { at += 1 }
        guard at < bytes.byteCount else { return nil }
        if bytes[at] == UInt8(ascii: "<") {
            var reader = XMLLeaves(bytes: bytes)
            guard reader.read() else { return nil }
            values = reader.values
        } else {
            var reader = JSONLeaves(bytes: bytes)
            guard reader.read() else { return nil }
            values = reader.values
        }
    }

    /// Nil also where it is empty.
    subscript(name: String) -> Secret? {
        values[name].flatMap { $0.count > 0 ? $0 : nil }
    }

    /// A value that is no secret.
    func text(_ name: String) -> String? {
        self[name].map { String(decoding: $0.bytes.copied(), as: UTF8.self) }
    }
}

/// Reads one JSON document and requires that nothing follows it.
private struct JSONLeaves: ~Escapable {
    private(set) var values: [String: Secret] = [:]
    private let bytes: RawSpan
    private var at = 0

    private static let depthLimit = 16

    @_lifetime(copy bytes)
    init(bytes: RawSpan) {
        self.bytes = bytes
    }

    mutating func read() -> Bool {
        guard value(named: nil, depth: 0) else { return false }
        skipSpace()
        return at == bytes.byteCount
    }

    private mutating func value(named name: String?, depth: Int) -> Bool {
        guard depth < JSONLeaves.depthLimit else { return false }
        skipSpace()
        guard at < bytes.byteCount else { return false }
        switch bytes[at] {
        case UInt8(ascii: "{"): return members(depth)
        case UInt8(ascii: "["): return elements(depth)
        case UInt8(ascii: "\""):
            guard let text = string() else { return false }
            keep(Secret(text), as: name)
            return true
        default: return bare(as: name)
        }
    }

    private mutating func members(_ depth: Int) -> Bool {
        at += 1
        if take(UInt8(ascii: "}")) { return true }
        while true {
            skipSpace()
            guard let name = string(), take(UInt8(ascii: ":")) else { return false }
            guard value(named: String(decoding: name.bytes.copied(), as: UTF8.self), depth: depth + 1) else { return false }
            if take(UInt8(ascii: "}")) { return true }
            guard take(UInt8(ascii: ",")) else { return false }
        }
    }

    private mutating func elements(_ depth: Int) -> Bool {
        at += 1
        if take(UInt8(ascii: "]")) { return true }
        while true {
            guard value(named: nil, depth: depth + 1) else { return false }
            if take(UInt8(ascii: "]")) { return true }
            guard take(UInt8(ascii: ",")) else { return false }
        }
    }

    /// A number, true, false or null; the last is no value.
    private mutating func bare(as name: String?) -> Bool {
        let start = at
        while at < bytes.byteCount, JSONLeaves.isBare(bytes[at]) { at += 1 }
        let text = bytes.extracting(start..<at)
        guard !text.isEmpty else { return false }
        if text.isEqual(to: "null") { return true }
        guard text.isEqual(to: "true") || text.isEqual(to: "false") || Double(String(decoding: text.copied(), as: UTF8.self)) != nil else { return false }
        keep(Secret(copying: text), as: name)
        return true
    }

    private static func isBare(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "E"): true
        case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."): true
        default: false
        }
    }

    private mutating func keep(_ value: Secret, as name: String?) {
        if let name, values[name] == nil { values[name] = value }
    }

    private mutating func string() -> LockedBuffer? {
        guard at < bytes.byteCount, bytes[at] == UInt8(ascii: "\"") else { return nil }
        at += 1
        var text = LockedBuffer(capacity: 64)
        while at < bytes.byteCount {
            let byte = bytes[at]
            at += 1
            switch byte {
            case UInt8(ascii: "\""): return text
            case UInt8(ascii: "\\"):
                guard escaped(into: &text) else { return nil }
            case 0..<0x20: return nil
            default: text.append(byte: byte)
            }
        }
        return nil
    }

    private mutating func escaped(into text: inout LockedBuffer) -> Bool {
        guard at < bytes.byteCount else { return false }
        let byte = bytes[at]
        at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte: byte)
        case UInt8(ascii: "b"): text.append(byte: 0x08)
        case UInt8(ascii: "f"): text.append(byte: 0x0C)
        case UInt8(ascii: "n"): text.append(byte: 0x0A)
        case UInt8(ascii: "r"): text.append(byte: 0x0D)
        case UInt8(ascii: "t"): text.append(byte: 0x09)
        case UInt8(ascii: "u"): return scalar(into: &text)
        default: return false
        }
        return true
    }

    /// What `\u` names: one unit, or two that are a surrogate pair.
    private mutating func scalar(into text: inout LockedBuffer) -> Bool {
        guard var code = unit() else { return false }
        if code >> 10 == 0xD800 >> 10 {
            guard at + 1 < bytes.byteCount, bytes[at] == UInt8(ascii: "\\"), bytes[at + 1] == UInt8(ascii: "u") else { return false }
            at += 2
            guard let low = unit(), low >> 10 == 0xDC00 >> 10 else { return false }
            code = 0x10000 + (code & 0x3FF) << 10 + low & 0x3FF
        }
        return Unicode.Scalar(code).map { text.append($0) } != nil
    }

    private mutating func unit() -> UInt32? {
        guard at + 4 <= bytes.byteCount else { return nil }
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(bytes[at])).hexDigitValue else { return nil }
            value = value << 4 | UInt32(digit)
            at += 1
        }
        return value
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard at < bytes.byteCount, bytes[at] == byte else { return false }
        at += 1
        return true
    }

    private mutating func skipSpace() {
        while at < bytes.byteCount, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[at]) { at += 1 }
    }
}

/// Reads the elements that hold text alone. Of XML that is what the Query protocol uses: no CDATA, no definitions.
private struct XMLLeaves: ~Escapable {
    private(set) var values: [String: Secret] = [:]
    private let bytes: RawSpan
    private var at = 0

    @_lifetime(copy bytes)
    init(bytes: RawSpan) {
        self.bytes = bytes
    }

    mutating func read() -> Bool {
        // The element that was opened last, if nothing but text has come since.
        var open: (name: String, text: Int)?
        var depth = 0
        while at < bytes.byteCount {
            guard bytes[at] == UInt8(ascii: "<") else {
                at += 1
                continue
            }
            let mark = at
            while at < bytes.byteCount, bytes[at] != UInt8(ascii: ">") { at += 1 }
            guard at < bytes.byteCount, at > mark + 1 else { return false }
            let tag = bytes.extracting(mark + 1..<at)
            at += 1
            switch tag[0] {
            case UInt8(ascii: "?"), UInt8(ascii: "!"): open = nil
            case UInt8(ascii: "/"):
                depth -= 1
                if let leaf = open, values[leaf.name] == nil, tag.extracting(droppingFirst: 1).isEqual(to: leaf.name),
                    let text = XMLLeaves.text(bytes.extracting(leaf.text..<mark))
                {
                    values[leaf.name] = Secret(text)
                }
                open = nil
            default:
                guard tag[tag.byteCount - 1] != UInt8(ascii: "/") else {
                    open = nil
                    continue
                }
                depth += 1
                open = (XMLLeaves.name(tag), at)
            }
        }
        return depth == 0
    }

    /// Up to the attributes.
    private static func name(_ tag: RawSpan) -> String {
        var end = 0
        while end < tag.byteCount, tag[end] > 0x20 { end += 1 }
        return String(decoding: tag.extracting(first: end).copied(), as: UTF8.self)
    }

    /// With its references resolved; nil where one is none.
    private static func text(_ raw: RawSpan) -> LockedBuffer? {
        var text = LockedBuffer(capacity: max(raw.byteCount, 1))
        var at = 0
        while at < raw.byteCount {
            guard raw[at] == UInt8(ascii: "&") else {
                text.append(byte: raw[at])
                at += 1
                continue
            }
            var end = at
            while end < raw.byteCount, raw[end] != UInt8(ascii: ";") { end += 1 }
            guard end < raw.byteCount, let scalar = scalar(raw.extracting(at + 1..<end)) else { return nil }
            text.append(scalar)
            at = end + 1
        }
        return text
    }

    private static func scalar(_ reference: RawSpan) -> Unicode.Scalar? {
        let name = String(decoding: reference.copied(), as: UTF8.self)
        switch name {
        case "lt": return "<"
        case "gt": return ">"
        case "amp": return "&"
        case "quot": return "\""
        case "apos": return "'"
        default:
            let isHexadecimal = name.utf8.starts(with: "#x".utf8)
            guard isHexadecimal || name.utf8.first == UInt8(ascii: "#") else { return nil }
            return UInt32(name.dropFirst(isHexadecimal ? 2 : 1), radix: isHexadecimal ? 16 : 10).flatMap { Unicode.Scalar($0) }
        }
    }
}

extension RawSpan {
    fileprivate func isEqual(to name: String) -> Bool { copied().elementsEqual(name.utf8) }
}

extension LockedBuffer {
    fileprivate mutating func append(_ scalar: Unicode.Scalar) {
        for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { append(byte: byte) }
    }
}
