// A stored value's form: one flat JSON object of strings (RFC 8259), read and written without any of it becoming a String.

package import Gateway
internal import Kernel

package enum CredentialJSON {
    /// Not one flat JSON object of strings with distinct field names. Where, never what.
    package struct Malformed: Error, Equatable {
        package let offset: Int
    }

    /// The fields of a stored value.
    package static func read(_ bytes: RawSpan) throws(Malformed) -> [FieldName: Secret] {
        var reader = Reader(bytes: bytes)
        return try reader.object()
    }

    /// The fields as a value to store, in order of name.
    package static func write(_ fields: [FieldName: Secret]) -> Secret {
        var out = LockedBuffer(capacity: 16 + fields.reduce(0) { $0 + $1.key.text.utf8.count + $1.value.count + 6 })
        out.append("{")
        for (place, name) in fields.keys.sorted().enumerated() {
            out.append(place == 0 ? "\"" : ",\"")
            out.append(name.text.utf8Span.span.raw)
            out.append("\":\"")
            if let value = fields[name] { escape(value.bytes, into: &out) }
            out.append("\"")
        }
        out.append("}")
        return Secret(out)
    }

    /// The bytes of a JSON string that says `value`, without its quotes.
    static func escape(_ value: RawSpan, into out: inout LockedBuffer) {
        for at in 0..<value.byteCount {
            let byte = value[at]
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                out.append(byte: UInt8(ascii: "\\"))
                out.append(byte: byte)
            case 0..<0x20:
                out.append("\\u00")
                out.append(byte: 48 + byte >> 4)
                out.append(byte: byte & 15 < 10 ? 48 + byte & 15 : 87 + byte & 15)
            default:
                out.append(byte: byte)
            }
        }
    }
}

/// Reads one object and requires that nothing follows it.
private struct Reader: ~Escapable {
    private let bytes: RawSpan
    private var at = 0

    @_lifetime(copy bytes)
    init(bytes: RawSpan) {
        self.bytes = bytes
    }

    mutating func object() throws(CredentialJSON.Malformed) -> [FieldName: Secret] {
        var fields: [FieldName: Secret] = [:]
        try expect(UInt8(ascii: "{"))
        var first = true
        while try !ends(first: first) {
            first = false
            let start = at
            let name = try string()
            guard name.count <= 32, let field = FieldName(String(decoding: name.bytes.copied(), as: UTF8.self)), fields[field] == nil else {
                throw CredentialJSON.Malformed(offset: start)
            }
            try expect(UInt8(ascii: ":"))
            fields[field] = Secret(try string())
        }
        skipSpace()
        guard at == bytes.byteCount else { throw CredentialJSON.Malformed(offset: at) }
        return fields
    }

    /// Whether the object ends here; if not, steps over the comma that a further member needs.
    private mutating func ends(first: Bool) throws(CredentialJSON.Malformed) -> Bool {
        skipSpace()
        if at < bytes.byteCount, bytes[at] == UInt8(ascii: "}") {
            at += 1
            return true
        }
        if !first { try expect(UInt8(ascii: ",")) }
        return false
    }

    private mutating func string() throws(CredentialJSON.Malformed) -> LockedBuffer {
        try expect(UInt8(ascii: "\""))
        var text = LockedBuffer(capacity: 64)
        while true {
            let byte = try next()
            switch byte {
            case UInt8(ascii: "\""): return text
            case UInt8(ascii: "\\"): try escaped(into: &text)
            case 0..<0x20: throw CredentialJSON.Malformed(offset: at - 1)
            default: text.append(byte: byte)
            }
        }
    }

    private mutating func escaped(into text: inout LockedBuffer) throws(CredentialJSON.Malformed) {
        let byte = try next()
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte: byte)
        case UInt8(ascii: "b"): text.append(byte: 0x08)
        case UInt8(ascii: "f"): text.append(byte: 0x0C)
        case UInt8(ascii: "n"): text.append(byte: 0x0A)
        case UInt8(ascii: "r"): text.append(byte: 0x0D)
        case UInt8(ascii: "t"): text.append(byte: 0x09)
        case UInt8(ascii: "u"): append(try scalar(), to: &text)
        default: throw CredentialJSON.Malformed(offset: at - 1)
        }
    }

    /// What `\u` names: one unit, or two that are a surrogate pair (RFC 8259, section 7).
    private mutating func scalar() throws(CredentialJSON.Malformed) -> Unicode.Scalar {
        let start = at
        var code = try unit()
        if code >> 10 == 0xD800 >> 10 {
            guard try next() == UInt8(ascii: "\\"), try next() == UInt8(ascii: "u") else { throw CredentialJSON.Malformed(offset: start) }
            let low = try unit()
            guard low >> 10 == 0xDC00 >> 10 else { throw CredentialJSON.Malformed(offset: start) }
            code = 0x10000 + (code & 0x3FF) << 10 + low & 0x3FF
        }
        guard let scalar = Unicode.Scalar(code) else { throw CredentialJSON.Malformed(offset: start) }
        return scalar
    }

    private mutating func unit() throws(CredentialJSON.Malformed) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            let digit = try next()
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt32(digit - 48)
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt32(digit - 87)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt32(digit - 55)
            default: throw CredentialJSON.Malformed(offset: at - 1)
            }
        }
        return value
    }

    private func append(_ scalar: Unicode.Scalar, to text: inout LockedBuffer) {
        for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { text.append(byte: byte) }
    }

    private mutating func next() throws(CredentialJSON.Malformed) -> UInt8 {
        guard at < bytes.byteCount else { throw CredentialJSON.Malformed(offset: at) }
        at += 1
        return bytes[at - 1]
    }

    private mutating func expect(_ byte: UInt8) throws(CredentialJSON.Malformed) {
        skipSpace()
        guard at < bytes.byteCount, bytes[at] == byte else { throw CredentialJSON.Malformed(offset: at) }
        at += 1
    }

    private mutating func skipSpace() {
        while at < bytes.byteCount {
            switch bytes[at] {
            case 0x20, 0x09, 0x0A, 0x0D: at += 1
            default: return
            }
        }
    }
}
