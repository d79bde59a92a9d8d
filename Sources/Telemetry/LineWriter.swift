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
        case .journal:
            line.append(level.priority)
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

    /// Ends the line; it then stands in `line` with its line feed.
    func end() {
        if format == .json { line.append(byte: UInt8(ascii: "}")) }
        line.append(byte: UInt8(ascii: "\n"))
    }

    func field(_ name: StaticString, _ value: String) {
        begin(name)
        if format == .json || !LineWriter.isPlain(value) {
            line.append(byte: UInt8(ascii: "\""))
            escape(value)
            line.append(byte: UInt8(ascii: "\""))
        } else {
            line.append(value)
        }
    }

    /// A field whose name is not ours to know beforehand (a library's metadata).
    func field(named name: String, _ value: String) {
        line.append(format == .json ? ",\"" : " ")
        for byte in name.utf8 { line.append(byte: LineWriter.isNameByte(byte) ? byte : UInt8(ascii: "_")) }
        line.append(format == .json ? "\":" : "=")
        line.append(byte: UInt8(ascii: "\""))
        escape(value)
        line.append(byte: UInt8(ascii: "\""))
    }

    /// A value of ours that needs no escaping.
    func field(_ name: StaticString, word value: StaticString) {
        begin(name)
        if format == .json { line.append(byte: UInt8(ascii: "\"")) }
        line.append(value)
        if format == .json { line.append(byte: UInt8(ascii: "\"")) }
    }

    func field(_ name: StaticString, _ value: Int) {
        begin(name)
        line.append(decimal: value)
    }

    /// In milliseconds, to the microsecond.
    func field(_ name: StaticString, nanoseconds: UInt64) {
        begin(name)
        let microseconds = Int(nanoseconds / 1000)
        line.append(decimal: microseconds / 1000)
        line.append(byte: UInt8(ascii: "."))
        digits(microseconds % 1000, 3, into: line)
    }

    /// Sixteen hexadecimal digits.
    func field(_ name: StaticString, hexadecimal value: UInt64) {
        begin(name)
        if format == .json { line.append(byte: UInt8(ascii: "\"")) }
        for shift in stride(from: UInt64(60), through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: value >> shift & 15)
            line.append(byte: digit < 10 ? digit + 48 : digit + 87)
        }
        if format == .json { line.append(byte: UInt8(ascii: "\"")) }
    }

    /// Begins a field; what is written into `line` next is its value, and the caller's to quote.
    func begin(_ name: StaticString) {
        if format == .json {
            line.append(",\"")
            line.append(name)
            line.append("\":")
        } else {
            line.append(byte: UInt8(ascii: " "))
            line.append(name)
            line.append(byte: UInt8(ascii: "="))
        }
    }

    /// Controls, quotes and what steers a terminal's direction of writing, escaped; in plain lines as in JSON, so that one reader suffices.
    private func escape(_ text: String) {
        if LineWriter.isUnescaped(text) { line.append(text); return }
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22: line.append("\\\"")
            case 0x5C: line.append("\\\\")
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
