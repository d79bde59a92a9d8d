// What sources of credentials answer, JSON or XML, read without any of it becoming a String unasked.

internal import Gateway
internal import Kernel

/// The texts and numbers of a document, by name, however deep they lie: AWS's answers hold each that matters once. The first of a name counts.
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
            guard let leaves = try? JSONLeaves(bytes) else { return nil }
            values = leaves.values
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

/// The strings and numbers of one JSON document.
private struct JSONLeaves {
    private(set) var values: [String: Secret] = [:]

    private static let depth = 16

    init(_ bytes: RawSpan) throws(NotJSON) {
        var scanner = JSONScanner(bytes)
        try take(nil, from: &scanner, depth: 0)
        try scanner.expectEnd()
    }

    private mutating func take(_ name: String?, from scanner: inout JSONScanner, depth: Int) throws(NotJSON) {
        guard depth < JSONLeaves.depth else { throw NotJSON() }
        var isFirst = true
        switch scanner.next {
        case UInt8(ascii: "{"):
            try scanner.expect(UInt8(ascii: "{"))
            while let member = try scanner.nextName(isFirst: &isFirst) {
                let name = try scanner.text(in: member)
                try take(String(decoding: name.bytes.copied(), as: UTF8.self), from: &scanner, depth: depth + 1)
            }
        case UInt8(ascii: "["):
            try scanner.expect(UInt8(ascii: "["))
            while try scanner.nextElement(isFirst: &isFirst, closing: UInt8(ascii: "]")) { try take(nil, from: &scanner, depth: depth + 1) }
        case UInt8(ascii: "\""):
            let range = try scanner.string()
            keep(Secret(try scanner.text(in: range)), as: name)
        case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"):
            try scanner.skipValue()
        default:
            let range = try scanner.number()
            keep(Secret(copying: scanner.bytes.extracting(range)), as: name)
        }
    }

    private mutating func keep(_ value: Secret, as name: String?) {
        if let name, values[name] == nil { values[name] = value }
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
