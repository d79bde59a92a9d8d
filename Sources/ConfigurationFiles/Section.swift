// A mapping of the configuration under its declared keys: nothing else is in it, and what is read from it has the declared form.

internal import Gateway
internal import Kernel

/// One value as text, with its place; a reference is already resolved.
struct Scalar {
    let text: String
    let position: Position
    /// Written in the file, so that a message may repeat it; false for what a reference brought.
    let isLiteral: Bool
    /// Without quotes.
    let isPlain: Bool

    /// `, not …` with the value, where it may be repeated.
    var shown: String { isLiteral ? ", not \(text.quoted)" : "; what the reference brings is not" }
}

struct Section {
    /// In the declarations.
    let path: String
    /// For messages: the path with the operator's own names in it.
    let name: String
    let position: Position
    let reading: Reading
    private let entries: [String: Tree.Entry]

    /// Takes the mapping at `path` of the declarations. Unknown keys and such as this version does not act on are reported and left out.
    /// Nil, and reported, when `tree` is no mapping; nothing at all is an empty one.
    init?(_ tree: Tree, at path: String, named name: String? = nil, _ reading: Reading) {
        let name = name ?? path
        let words = path.isEmpty ? "a mapping of sections such as `gateway`, `servers` and `projects`" : Setting.declaredWords(path)
        guard let written = Section.mapping(tree, path.isEmpty ? "the file" : "`\(name)`", words, reading) else { return nil }
        let known = Setting.children(of: path)
        var entries: [String: Tree.Entry] = [:]
        for entry in written {
            switch known[entry.key] {
            case .some(let setting) where setting.isSupported:
                entries[entry.key] = entry
            case .some:
                reading.error(entry.position, "`\(name.isEmpty ? "" : "\(name).")\(entry.key)` is not supported by this version; take it out")
            case .none:
                reading.error(entry.position, Section.unknown(entry.key, under: name, at: path, known))
            }
        }
        self.entries = entries
        self.path = path
        self.name = name
        self.reading = reading
        position = tree.position
    }

    private static func unknown(_ key: String, under name: String, at path: String, _ known: [String: Setting]) -> String {
        let place = name.isEmpty ? "" : " under `\(name)`"
        let supported = known.values.filter(\.isSupported).map(\.key)
        if nearestName(to: key, among: known.keys) == nil, let home = Setting.home(of: key), home != path {
            return "unknown key \(key.quoted)\(place); it belongs under `\(home.replacing("*", with: "NAME"))`"
        }
        let offered = nearestName(to: key, among: known.keys) == nil ? supported : Array(known.keys)
        return "unknown key \(key.quoted)\(place)\(remedy(for: key, among: offered))"
    }

    private static func mapping(_ tree: Tree, _ name: String, _ words: String, _ reading: Reading) -> [Tree.Entry]? {
        switch tree.content {
        case .mapping(let entries): return entries
        case .scalar where tree.isNull: return []
        case .refused: return nil
        case .scalar, .list:
            reading.error(tree.position, "\(name) must be \(words), not \(tree.kind)")
            return nil
        }
    }

    func has(_ key: String) -> Bool { entries[key] != nil }

    /// Where the key stands; the section's own place when it is absent.
    func position(of key: String) -> Position { entries[key]?.position ?? position }

    /// What stands under the key, whatever it is.
    func tree(_ key: String) -> Tree? { entries[key]?.value }

    func section(_ key: String) -> Section? {
        entries[key].flatMap { Section($0.value, at: declared(key).path, named: name.isEmpty ? key : "\(name).\(key)", reading) }
    }

    /// The names under a key, in the order of the file.
    func names(_ key: String) -> [Tree.Entry]? {
        entries[key].flatMap { Section.mapping($0.value, "`\($0.key)`", declared(key).form.words, reading) }
    }

    func list(_ key: String) -> [Tree]? {
        guard let tree = entries[key]?.value else { return nil }
        guard case .list(let elements) = tree.content else {
            if case .refused = tree.content { return nil }
            reading.error(tree.position, "`\(key)` must be \(declared(key).form.words), not \(tree.kind); write it in brackets: [a, b]")
            return nil
        }
        return elements
    }

    /// A list's elements as text; those that are none are reported and left out.
    func texts(_ key: String) -> [Scalar]? {
        list(key)?.compactMap { reading.scalar($0, key, "\(declared(key).form.words), each a single value") }
    }

    func scalar(_ key: String) -> Scalar? {
        let words = declared(key).form.words
        return entries[key].flatMap { reading.scalar($0.value, key, words) }
    }

    /// Like `scalar`, and of one line: no control characters, not empty.
    func line(_ key: String) -> Scalar? {
        guard let scalar = scalar(key) else { return nil }
        guard !scalar.text.isEmpty, scalar.text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f }) else {
            return wrong(key, scalar, "must be one line of text")
        }
        return scalar
    }

    func declared(_ key: String) -> Setting {
        Setting.declared(path.isEmpty ? key : "\(path).\(key)")
    }

    /// Reports that the value is not what the key takes.
    func wrong<Value>(_ key: String, _ scalar: Scalar, _ sentence: String? = nil) -> Value? {
        reading.error(scalar.position, "`\(key)` \(sentence ?? "must be \(declared(key).form.words)")\(scalar.shown)")
        return nil
    }
}

extension Reading {
    /// A single value, references resolved. Nil and reported when it is a list, a mapping, nothing, or a reference that leads nowhere.
    func scalar(_ tree: Tree, _ key: String, _ words: String) -> Scalar? {
        guard case .scalar(let text, let plain) = tree.content, !tree.isNull else {
            if case .refused = tree.content { return nil }
            error(tree.position, "`\(key)` must be \(words), not \(tree.kind)")
            return nil
        }
        guard let bytes = resolved(text, key, tree.position) else { return nil }
        guard let bytes = bytes.bytes else {
            return Scalar(text: text, position: tree.position, isLiteral: true, isPlain: plain)
        }
        guard let found = String(validating: bytes, as: UTF8.self) else {
            error(tree.position, "`\(key)`: what the reference brings is not UTF-8 text")
            return nil
        }
        return Scalar(text: found, position: tree.position, isLiteral: false, isPlain: true)
    }

    /// Nil when a reference leads nowhere, which is reported; without bytes when the text is no reference.
    func resolved(_ text: String, _ key: String, _ position: Position) -> (source: ValueSource?, bytes: [UInt8]?)? {
        do {
            guard let source = try ValueSource.parse(text) else { return (nil, nil) }
            switch source.resolve(environment) {
            case .found(let bytes):
                note(bytes, broughtBy: text)
                return (source, bytes)
            case .failed(let words):
                error(position, "`\(key)`: \(source.text) cannot be resolved: \(words)")
            case .unknowable(let words):
                let message = "`\(key)`: \(source.text) cannot be resolved: \(words)"
                purpose == .check ? warning(position, message) : error(position, message)
            }
        } catch {
            self.error(position, "`\(key)`: \(error.words)")
        }
        return nil
    }
}
