// A key of the configuration, declared once: where it stands, what it takes, what it is without it, what it is for.

/// One row of the reference. The decoder knows no key that has no row.
package struct Setting: Sendable {
    /// From the top, with `.*` for a name of the operator's and `[]` for an element: `servers.*.timeouts.connect`.
    package let path: String
    package let form: Form
    /// As it would be written; nil where it must be given or stands for nothing when absent.
    package let standard: String?
    /// One or two sentences for the reference page.
    package let sentence: String
    /// Known, and acted on. Otherwise its presence is an error that says so.
    package let isSupported: Bool
    /// Whether another value counts only after a restart; for what stands below it, too.
    package private(set) var needsRestart = false

    init(_ path: String, _ form: Form, default standard: String? = nil, _ sentence: String) {
        self.path = path
        self.form = form
        self.standard = standard
        self.sentence = sentence
        isSupported = true
    }

    private init(later path: String, _ form: Form, _ sentence: String) {
        self.path = path
        self.form = form
        standard = nil
        self.sentence = sentence
        isSupported = false
    }

    /// A key of the configuration that this version does not act on.
    static func later(_ path: String, _ form: Form, _ sentence: String) -> Setting {
        Setting(later: path, form, sentence)
    }

    /// The same, and another value counts only after a restart. Without this, a reload is enough.
    func fromStartOn() -> Setting {
        var setting = self
        setting.needsRestart = true
        return setting
    }

    /// The path's last step.
    var key: String { path.split(separator: ".").last.map(String.init) ?? path }

    /// The path without its last step.
    var parent: String {
        path.split(separator: ".").dropLast().joined(separator: ".")
    }
}

/// What a key takes.
package enum Form: Sendable {
    /// A mapping of the keys declared below it.
    case section
    /// A mapping whose keys are the operator's own; the words say of what.
    case names(String)
    /// A list; the words say of what.
    case list(String)
    /// Text; the words say of what kind.
    case text(String)
    case flag
    case choice([String], later: [String] = [])
    case count(ClosedRange<Int>, or: String? = nil)
    case size(ClosedRange<Int>)
    case duration(ClosedRange<Duration>)
    case rate(or: String? = nil)
    /// A whole number of what is there at once, or a rate of what comes.
    case countOrRate(ClosedRange<Int>, or: String)
    case time
    /// Text that must not be seen: never repeated in a message, best given as a reference.
    case secret(String)

    /// What belongs there, to follow "must be".
    package var words: String {
        switch self {
        case .section: return "a mapping"
        case .names(let words): return "a mapping of \(words)"
        case .list(let words): return "a list of \(words)"
        case .text(let words), .secret(let words): return words
        case .flag: return "`true` or `false`"
        case .choice(let values, _): return Form.alternatives(values)
        case .count(let range, let word):
            let number = "a whole number from \(range.lowerBound) to \(range.upperBound)"
            return word.map { "`\($0)` or \(number)" } ?? number
        case .size(let range):
            return "a size such as `16KiB`, from \(Quantity.text(size: range.lowerBound)) to \(Quantity.text(size: range.upperBound))"
        case .duration(let range):
            return "a duration such as `30s` or `5m`, from \(Quantity.text(range.lowerBound)) to \(Quantity.text(range.upperBound))"
        case .rate(let word):
            let rate = "a rate such as `100/s`, `60/m` or `1000/h`"
            return word.map { "`\($0)` or \(rate)" } ?? rate
        case .countOrRate(let range, let word):
            return "`\(word)`, a whole number from \(range.lowerBound) to \(range.upperBound), or a rate such as `100/s`, `60/m` or `1000/h`"
        case .time: return "a time such as `2027-01-01T00:00:00Z` (RFC 3339)"
        }
    }

    private static func alternatives(_ values: [String]) -> String {
        let quoted = values.map { "`\($0)`" }
        guard quoted.count > 1, let last = quoted.last else { return quoted.joined() }
        return quoted.dropLast().joined(separator: ", ") + " or " + last
    }
}

extension Setting {
    /// Every key there is, in the order of the reference page.
    package static let all: [Setting] = gateway + services + servers + oauth + projects

    /// The rows directly below `path`, by key.
    static func children(of path: String) -> [String: Setting] {
        childrenByParent[path] ?? [:]
    }

    /// The row of a path. A reader asks only for keys of the table: whatever it asks for is declared.
    static func declared(_ path: String) -> Setting {
        guard let setting = byPath[path] else { preconditionFailure("every key that is read is declared: \(path)") }
        return setting
    }

    /// What belongs at a path; a file as a whole has no row.
    static func declaredWords(_ path: String) -> String {
        byPath[path]?.form.words ?? "a mapping"
    }

    /// Whether another value at `path` counts only after a restart: the setting says so, or one above it.
    package static func needsRestart(_ path: String) -> Bool {
        all.contains { $0.needsRestart && ($0.path == path || path.hasPrefix("\($0.path).")) }
    }

    /// Where else a key of this name stands, if in one place only.
    static func home(of key: String) -> String? {
        let homes = all.filter { $0.key == key && !$0.parent.isEmpty && $0.isSupported }
        return homes.count == 1 ? homes.first?.parent : nil
    }

    private static let byPath = Dictionary(all.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })

    private static let childrenByParent = Dictionary(grouping: all.filter { !$0.key.hasSuffix("*") }, by: \.parent)
        .mapValues { Dictionary($0.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first }) }

    /// The reference: every key with its form, default and sentence, as a page of Markdown.
    package static var reference: String {
        var text = """
            # Settings

            Every key of `conf.d`, with what it takes and what it is without it. `*` stands for a name of yours, `[]` for an element of a list.
            Another value counts after a reload (`claviger reload`), or only after a restart: the fourth column says which.
            This page is made from the declarations by `make reference`.

            | key | takes | default | counts after a | |
            |---|---|---|---|---|

            """
        for setting in all {
            let sentence = setting.isSupported ? setting.sentence : "\(setting.sentence) Not supported by this version."
            let moment = needsRestart(setting.path) ? "restart" : "reload"
            text += "| `\(setting.path)` | \(setting.form.words) | \(setting.standard.map { "`\($0)`" } ?? "") | \(moment) | \(sentence) |\n"
        }
        return text
    }
}
