// A page of the manual as it is written: mdoc(7), from plain words with `code` in backquotes.

/// Lines of mdoc. Only what stands in the macros is ours to get right; every text is escaped here.
struct Mdoc {
    private var lines: [String]

    /// - Parameters:
    ///   - names: what the page is about; the first is its title.
    ///   - purpose: what stands behind the names in the list of all pages: no capital, no full stop.
    init(_ names: String..., section: Int, date: String, purpose: String) {
        lines = [".Dd \(date)", ".Dt \(names[0].uppercased()) \(section)", ".Os Claviger \(Version.text)", ".Sh NAME"]
        for name in names.dropLast() { lines.append(".Nm \(name) ,") }
        lines += [".Nm \(names[names.count - 1])", ".Nd \(Mdoc.escaped(purpose))"]
    }

    /// As a file: a line feed at its end.
    var text: String { lines.joined(separator: "\n") + "\n" }

    mutating func section(_ title: String) { lines.append(".Sh \(title)") }
    mutating func subsection(_ title: String) { lines.append(".Ss \(title)") }

    /// A line of macros, as it is.
    mutating func macro(_ line: String) { lines.append(".\(line)") }

    /// Paragraphs with an empty line between; one whose lines are indented by four spaces is shown as it is.
    mutating func prose(_ text: String) {
        for paragraph in Mdoc.paragraphs(text) {
            if paragraph.allSatisfy({ $0.hasPrefix("    ") }) {
                example(paragraph.map { String($0.dropFirst(4)) })
            } else {
                if let last = lines.last, ![".Sh", ".Ss", ".It"].contains(where: last.hasPrefix) { lines.append(".Pp") }
                for sentence in Mdoc.sentences(paragraph.joined(separator: " ")) { lines += Mdoc.wrapped(Mdoc.inline(sentence)) }
            }
        }
    }

    /// Lines to be typed or written into a file.
    mutating func example(_ shown: [String]) {
        lines.append(".Bd -literal -offset indent")
        lines += shown.map(Mdoc.literal)
        lines.append(".Ed")
    }

    /// Terms and what each is.
    /// - Parameter entries: the macros of the term, and prose.
    mutating func list(_ entries: [(term: String, text: String)], isCompact: Bool = false) {
        lines.append(".Bl -tag -width Ds" + (isCompact ? " -compact" : ""))
        for entry in entries {
            lines.append(".It \(entry.term)")
            prose(entry.text)
        }
        lines.append(".El")
    }

    /// The pages to read next, in mdoc's order: by section, then by name.
    mutating func seeAlso(_ pages: [(String, Int)]) {
        section("SEE ALSO")
        for (place, page) in pages.enumerated() { lines.append(".Xr \(page.0) \(page.1)" + (place + 1 < pages.count ? " ," : "")) }
    }
}

extension Mdoc {
    private static func paragraphs(_ text: String) -> [[String]] {
        text.split(separator: "\n", omittingEmptySubsequences: false).split(whereSeparator: { $0.allSatisfy { $0 == " " } })
            .map { $0.map(String.init) }
    }

    /// A sentence a line, as mdoc(7) wants it.
    static func sentences(_ text: String) -> [String] {
        var found: [String] = []
        var sentence = ""
        var isOver = false
        for character in text {
            if isOver, character == " " {
                found.append(sentence)
                sentence = ""
            } else {
                sentence.append(character)
            }
            isOver = character == "." || character == "?" || character == "!"
        }
        return sentence.isEmpty ? found : found + [sentence]
    }

    /// Words with `code` in bold.
    static func inline(_ text: String) -> String {
        var line = ""
        for (place, part) in text.split(separator: "`", omittingEmptySubsequences: false).enumerated() {
            line += place % 2 == 0 ? escaped(String(part)) : "\\fB\(escaped(String(part), isLiteral: true))\\fP"
        }
        return line
    }

    /// In lines of 78 bytes at most where there are blanks to break at, none of which is a macro.
    static func wrapped(_ text: String) -> [String] {
        var wrapped: [String] = []
        for word in text.split(separator: " ").map(unhyphenated) {
            if let last = wrapped.last, last.utf8.count + word.utf8.count < 78 {
                wrapped[wrapped.count - 1] = "\(last) \(word)"
            } else {
                wrapped.append(guarded(word))
            }
        }
        return wrapped
    }

    /// Paths and names are not broken at the end of a line; one that a narrow line has no room for, behind a slash.
    private static func unhyphenated(_ word: Substring) -> String {
        guard word.contains(where: { "/_=".contains($0) }) || word.contains("\\fB") else { return String(word) }
        return "\\%\(word.count > 40 ? word.replacing("/", with: "/\\:") : word)"
    }

    private static func literal(_ line: String) -> String { guarded(escaped(line, isLiteral: true)) }

    /// A line must not begin as a request of roff does.
    private static func guarded(_ line: String) -> String {
        line.hasPrefix(".") || line.hasPrefix("'") ? "\\&\(line)" : line
    }

    /// - Parameter isLiteral: what is to be typed: characters that typesetting would replace stay as they are.
    static func escaped(_ text: String, isLiteral: Bool = false) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\e"
            case "…": result += "..."
            case "-" where isLiteral: result += "\\-"
            case "'" where isLiteral: result += "\\(aq"
            case "`" where isLiteral: result += "\\(ga"
            case "^" where isLiteral: result += "\\(ha"
            case "~" where isLiteral: result += "\\(ti"
            case _ where scalar.isASCII: result.unicodeScalars.append(scalar)
            default: result += "\\[u\(String(repeating: "0", count: max(0, 4 - String(scalar.value, radix: 16).count)))\(String(scalar.value, radix: 16).uppercased())]"
            }
        }
        return result
    }
}
