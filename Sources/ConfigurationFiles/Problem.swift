// What is wrong with the configuration, where, and what would be right: one line each.

/// A place in a file of the configuration; lines and columns count from 1, columns in Unicode scalars.
package struct Position: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The path, the directory as it was given.
    package let file: String
    package let line: Int
    package let column: Int

    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    package var description: String { "\(file):\(line):\(column)" }

    /// How another place's message names this one: the file without its directory, and the line.
    var short: String {
        let name = file.split(separator: "/").last.map(String.init) ?? file
        return "\(name):\(line)"
    }

    package static func < (left: Position, right: Position) -> Bool {
        (left.file, left.line, left.column) < (right.file, right.line, right.column)
    }
}

package struct Problem: Hashable, Comparable, Sendable, CustomStringConvertible {
    package enum Severity: Int, Sendable { case error, warning }

    package let severity: Severity
    package let position: Position
    /// One line; holds no value that came from a reference or stands under a secret's key.
    package let message: String

    package init(severity: Severity, position: Position, message: String) {
        self.severity = severity
        self.position = position
        self.message = message
    }

    /// `FILE:LINE:COLUMN: message`, with `warning: ` before the message of one.
    package var description: String {
        severity == .error ? "\(position): \(message)" : "\(position): warning: \(message)"
    }

    package static func < (left: Problem, right: Problem) -> Bool {
        (left.position, left.severity.rawValue, left.message) < (right.position, right.severity.rawValue, right.message)
    }
}

/// Text that is not what it should be; the words say what is wrong and what would be right.
struct Malformed: Error {
    let words: String

    init(_ words: String) { self.words = words }
}

extension String {
    /// For a message: between backticks, 64 characters at most, control characters shown as `\u{…}`.
    var quoted: String { quoted(upTo: 64) }

    /// Of a path, whole: its end says which file is meant.
    var quotedPath: String { quoted(upTo: 4096) }

    private func quoted(upTo limit: Int) -> String {
        var text = ""
        for scalar in unicodeScalars.prefix(limit) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
                text += "\\u{\(String(scalar.value, radix: 16))}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return unicodeScalars.count > limit ? "`\(text)…`" : "`\(text)`"
    }
}
