// A command line, taken apart as a POSIX shell does it and nothing more: quotes and backslashes count, nothing is expanded.

enum AWSCommandLine {
    /// The words; nil where a quote is not closed, or the last byte escapes nothing.
    ///
    /// Between single quotes everything stands for itself. Between double quotes a backslash escapes `"` and `\`, elsewhere any byte.
    /// Variables, globs, pipes and substitutions are words like any other.
    static func split(_ line: String) -> [String]? {
        var words: [String] = []
        var word: [UInt8]?
        var bytes = line.utf8.makeIterator()
        while let byte = bytes.next() {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"):
                if let word { words.append(String(decoding: word, as: UTF8.self)) }
                word = nil
            case UInt8(ascii: "'"):
                guard quote(&bytes, until: byte, escapes: false, into: &word) else { return nil }
            case UInt8(ascii: "\""):
                guard quote(&bytes, until: byte, escapes: true, into: &word) else { return nil }
            case UInt8(ascii: "\\"):
                guard let escaped = bytes.next() else { return nil }
                word = (word ?? []) + [escaped]
            default:
                word = (word ?? []) + [byte]
            }
        }
        if let word { words.append(String(decoding: word, as: UTF8.self)) }
        return words
    }

    /// What stands between quotes, which makes a word even where it is nothing. False where they are not closed.
    private static func quote(_ bytes: inout String.UTF8View.Iterator, until end: UInt8, escapes: Bool, into word: inout [UInt8]?) -> Bool {
        var inside = word ?? []
        while let byte = bytes.next() {
            if byte == end {
                word = inside
                return true
            }
            if escapes, byte == UInt8(ascii: "\\") {
                guard let escaped = bytes.next() else { return false }
                if escaped != UInt8(ascii: "\""), escaped != UInt8(ascii: "\\") { inside.append(byte) }
                inside.append(escaped)
            } else {
                inside.append(byte)
            }
        }
        return false
    }
}
