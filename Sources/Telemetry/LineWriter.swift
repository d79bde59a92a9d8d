// Builds one line in its format. Whatever comes from outside is escaped: a value can neither end its line nor pass for another field.

internal import HTTP1
internal import Kernel

/// Not Sendable: everyone who writes lines has his own. Once its buffer has grown to the longest line, a line allocates nothing.
struct LineWriter {
    let format: LogFormat
    let line = ByteBuffer(capacity: 1024)
    private var second: Int64 = .min
    private let date = ByteBuffer(capacity: 32)

    init(format: LogFormat) {
        self.format = format
    }

    /// - Parameters:
    ///   - time: milliseconds since 1970.
    ///   - message: for a reader; control characters in it are escaped.
    mutating func begin(_ level: LogLevel, time: Int64, _ message: String) {
        line.clear()
        switch format {
        case .plain:
            write(time)
            line.append(byte: UInt8(ascii: " "))
            line.append(level.name)
            line.append(byte: UInt8(ascii: " "))
            escape(message)
        case .prefixed:
            line.append("<")
            line.append(level.priority)
            line.append(">")
            escape(message)
        case .journal:
            line.append("PRIORITY=")
            line.append(level.priority)
            line.append("\nSYSLOG_IDENTIFIER=claviger\nMESSAGE=")
            escape(message)
        case .json:
            line.append("{\"time\":\"")
            write(time)
            line.append("\",\"level\":\"")
            line.append(level.name)
            line.append("\",\"message\":\"")
            escape(message)
            line.append(byte: UInt8(ascii: "\""))
        }
    }

    /// Ends the line; it then stands in `line` with its line feed, and in the journal's form with the empty line that ends an entry.
    func end() {
        switch format {
        case .plain, .prefixed: line.append("\n")
        case .json: line.append("}\n")
        case .journal: line.append("\n\n")
        }
    }

    func field(_ field: LogField, _ value: String) {
        begin(field)
        if format == .journal || (format != .json && LineWriter.isPlain(value)) {
            escape(value)
        } else {
            quote(value)
        }
    }

    /// A field whose name is not ours to know beforehand (a library's metadata).
    func field(named name: String, _ value: String) {
        switch format {
        case .plain, .prefixed:
            line.append(" ")
            append(name: name)
            line.append("=")
            quote(value)
        case .json:
            line.append(",\"")
            append(name: name)
            line.append("\":")
            quote(value)
        case .journal:
            line.append("\nCLAVIGER_")
            // A name has 64 bytes at most, of capitals, digits and underscores (systemd.journal-fields(7)).
            for byte in name.utf8.prefix(50) {
                let isSmall = byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z")
                let isKept = (byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")) || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"))
                line.append(byte: isSmall ? byte - 32 : isKept ? byte : UInt8(ascii: "_"))
            }
            line.append("=")
            escape(value)
        }
    }

    private func append(name: String) {
        for byte in name.utf8 { line.append(byte: LineWriter.isNameByte(byte) ? byte : UInt8(ascii: "_")) }
    }

    private func quote(_ value: String) {
        line.append("\"")
        escape(value)
        line.append("\"")
    }

    /// A value of ours that needs no escaping, and in JSON is text.
    func field(_ field: LogField, word value: StaticString) {
        self.field(field) { $0.append(value) }
    }

    func field(_ field: LogField, _ value: Int) {
        begin(field)
        line.append(decimal: value)
    }

    /// In milliseconds, to the microsecond.
    func field(_ field: LogField, nanoseconds: UInt64) {
        begin(field)
        append(milliseconds: nanoseconds)
    }

    func append(milliseconds nanoseconds: UInt64) {
        let microseconds = Int(nanoseconds / 1000)
        line.append(decimal: microseconds / 1000)
        line.append(byte: UInt8(ascii: "."))
        digits(microseconds % 1000, 3, into: line)
    }

    /// Sixteen hexadecimal digits.
    func field(_ field: LogField, hexadecimal value: UInt64) {
        self.field(field) { _ in append(hexadecimal: value) }
    }

    /// Thirty-two.
    func field(_ field: LogField, hexadecimal value: (UInt64, UInt64)) {
        self.field(field) { _ in
            append(hexadecimal: value.0)
            append(hexadecimal: value.1)
        }
    }

    func append(hexadecimal value: UInt64) {
        for shift in stride(from: UInt64(60), through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: value >> shift & 15)
            line.append(byte: digit < 10 ? digit + 48 : digit + 87)
        }
    }

    /// Text that `write` puts there, and that needs no escaping.
    func field(_ field: LogField, _ write: (ByteBuffer) -> Void) {
        begin(field)
        if format == .json { line.append(byte: UInt8(ascii: "\"")) }
        write(line)
        if format == .json { line.append(byte: UInt8(ascii: "\"")) }
    }

    private func begin(_ field: LogField) {
        switch format {
        case .plain, .prefixed:
            line.append(byte: UInt8(ascii: " "))
            line.append(field.name)
            line.append(byte: UInt8(ascii: "="))
        case .json:
            line.append(",\"")
            line.append(field.name)
            line.append("\":")
        case .journal:
            line.append(byte: UInt8(ascii: "\n"))
            line.append(field.journal)
            line.append(byte: UInt8(ascii: "="))
        }
    }

    /// No message and no value is longer, in characters.
    private static let longest = 4096

    /// Controls, quotes and what steers a terminal's direction of writing, escaped; in plain lines as in JSON, so that one reader suffices. In the
    /// journal, where nothing stands in quotes, quotes and backslashes stay as they are.
    func escape(_ text: String) {
        if LineWriter.isUnescaped(text), text.utf8.count <= LineWriter.longest { line.append(text); return }
        for scalar in text.unicodeScalars.prefix(LineWriter.longest) {
            switch scalar.value {
            case 0x22 where format != .journal: line.append("\\\"")
            case 0x5C where format != .journal: line.append("\\\\")
            case 0x0A: line.append("\\n")
            case 0x0D: line.append("\\r")
            case 0x09: line.append("\\t")
            case 0..<0x20, 0x7F...0x9F, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF:
                line.append("\\u")
                for shift: UInt32 in [12, 8, 4, 0] {
                    let digit = UInt8(truncatingIfNeeded: scalar.value >> shift & 15)
                    line.append(byte: digit < 10 ? digit + 48 : digit + 87)
                }
            default: line.append(String(Character(scalar)))
            }
        }
        if text.unicodeScalars.count > LineWriter.longest { line.append("…".utf8Span.span.raw) }
    }

    private mutating func write(_ time: Int64) {
        let (whole, rest) = time.quotientAndRemainder(dividingBy: 1000)
        if whole != second {
            second = whole
            date.clear()
            CivilTime(secondsSince1970: whole).write(into: date)
        }
        line.append(date.bytes)
        line.append(byte: UInt8(ascii: "."))
        digits(Int(abs(rest)), 3, into: line)
        line.append(byte: UInt8(ascii: "Z"))
    }

    /// Visible ASCII without what has a meaning in a plain line: needs no quotes.
    private static func isPlain(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C && $0 != 0x3D }
    }

    private static func isUnescaped(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"): true
        default: false
        }
    }
}

/// `value` with at least `places` decimal digits.
func digits(_ value: Int, _ places: Int, into buffer: ByteBuffer) {
    var limit = 1
    for _ in 1..<places { limit *= 10 }
    while limit > 1, value < limit { buffer.append(byte: UInt8(ascii: "0")); limit /= 10 }
    buffer.append(decimal: value)
}
