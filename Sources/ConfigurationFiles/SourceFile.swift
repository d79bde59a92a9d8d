// One file's text, from bytes to a tree with places; what YAML offers beyond plain data is refused here.

internal import Yams

struct SourceFile {
    /// Nesting deeper than this is no configuration.
    static let depth = 32
    /// Duplicate keys that are looked past in one file, so that what stands behind them is read too.
    private static let duplicateLimit = 64

    let path: String
    let tree: Tree?

    /// Reads `bytes` of `path`. What is wrong is reported to `reading`; a file without content has no tree.
    init(path: String, bytes: [UInt8], _ reading: Reading) {
        self.path = path
        guard let text = String(validating: bytes, as: UTF8.self) else {
            reading.error(SourceFile.firstInvalid(bytes, path), "is not UTF-8; save the file in that encoding")
            tree = nil
            return
        }
        var composer = Composer(path: path, reading: reading)
        tree = composer.compose(text)
    }

    /// The place of the first byte that does not belong to a UTF-8 sequence.
    private static func firstInvalid(_ bytes: [UInt8], _ path: String) -> Position {
        var end = bytes.count
        var start = 0
        while start < end {
            let middle = start + (end - start + 1) / 2
            // A cut inside a sequence is no fault of the bytes: up to three may be missing.
            if (0...3).contains(where: { String(validating: bytes[0..<max(0, middle - $0)], as: UTF8.self) != nil }) {
                start = middle
            } else {
                end = middle - 1
            }
        }
        let sound = (0...3).lazy.compactMap { String(validating: bytes[0..<max(0, start - $0)], as: UTF8.self) }.first ?? ""
        return place(of: sound.unicodeScalars.endIndex, in: sound, path)
    }

    static func place(of index: String.Index, in text: String, _ path: String) -> Position {
        var line = 1
        var column = 1
        for scalar in text.unicodeScalars[..<index] {
            if scalar == "\n" { line += 1; column = 1 } else { column += 1 }
        }
        return Position(file: path, line: line, column: column)
    }

    private struct Composer {
        let path: String
        let reading: Reading
        /// Where a key's first letter was replaced, by place: the letter, so that a doubled key does not hide the rest of the file.
        private var masked: [Position: Unicode.Scalar] = [:]

        init(path: String, reading: Reading) {
            self.path = path
            self.reading = reading
        }

        mutating func compose(_ original: String) -> Tree? {
            var text = original
            while true {
                do {
                    let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
                    guard let root = try parser.nextRoot() else {
                        reading.warning(Position(file: path, line: 1, column: 1), "holds no settings")
                        return nil
                    }
                    // The parser outlives the walk: it alone keeps the nodes' anchors.
                    let tree = withExtendedLifetime(parser) { self.tree(root, depth: 0) }
                    if let second = try parser.nextRoot() {
                        reading.error(place(second.mark), "a second document begins here; one file holds one document: remove the `---` before it")
                    }
                    return tree
                } catch YamlError.duplicatedKeysInMapping(_, let context) {
                    let position = place(context.mark)
                    guard masked.count < SourceFile.duplicateLimit, let next = mask(text, position) else {
                        reading.error(position, "this key stands twice in its mapping; keep one")
                        return nil
                    }
                    text = next
                } catch {
                    report(error, text)
                    return nil
                }
            }
        }

        /// The text with the key at `position` made unlike any other: one letter for another, so that no place shifts.
        private mutating func mask(_ text: String, _ position: Position) -> String? {
            guard masked[position] == nil else { return nil }
            var scalars = Array(text.unicodeScalars)
            var line = 1
            var start = 0
            for (at, scalar) in scalars.enumerated() where line < position.line && scalar == "\n" {
                line += 1
                start = at + 1
            }
            var at = start + position.column - 1
            guard scalars.indices.contains(at) else { return nil }
            if scalars[at] == "\"" || scalars[at] == "'" { at += 1 }
            guard scalars.indices.contains(at), scalars[at].properties.isAlphabetic || scalars[at].properties.numericType != nil, let mark = Unicode.Scalar(0xE000 + UInt32(masked.count)) else { return nil }
            masked[position] = scalars[at]
            scalars[at] = mark
            var view = String.UnicodeScalarView()
            view.append(contentsOf: scalars)
            return String(view)
        }

        private func tree(_ node: Node, depth: Int) -> Tree {
            let position = place(node.mark)
            let refused = Tree(content: .refused, position: position)
            if node.anchor != nil {
                // Not looked into: shared nodes can multiply without bound.
                reading.error(position, "anchors, aliases and merge keys are not part of the configuration; write the value out where it is needed")
                return refused
            }
            guard depth < SourceFile.depth else {
                reading.error(position, "is nested deeper than \(SourceFile.depth) levels; nothing in the configuration is")
                return refused
            }
            switch node {
            case .scalar(let scalar):
                checkTag(scalar.tag.description, "str", position)
                return Tree(content: .scalar(text: scalar.string, plain: scalar.style == .plain), position: position)
            case .sequence(let sequence):
                checkTag(sequence.tag.description, "seq", position)
                return Tree(content: .list(sequence.map { tree($0, depth: depth + 1) }), position: position)
            case .mapping(let mapping):
                checkTag(mapping.tag.description, "map", position)
                return Tree(content: .mapping(entries(mapping, depth: depth)), position: position)
            case .alias:
                reading.error(position, "aliases are not part of the configuration; write the value out")
                return refused
            }
        }

        private func entries(_ mapping: Node.Mapping, depth: Int) -> [Tree.Entry] {
            var entries: [Tree.Entry] = []
            for (key, value) in mapping {
                let position = place(key.mark)
                guard case .scalar(let scalar) = key, key.anchor == nil else {
                    reading.error(position, "a key must be a plain name")
                    continue
                }
                checkTag(scalar.tag.description, "str", position)
                var name = scalar.string
                if let letter = masked[position] { name = String(letter) + name.unicodeScalars.dropFirst().map(String.init).joined() }
                if name == "<<" {
                    reading.error(position, "merge keys are not part of the configuration; write the keys out")
                    continue
                }
                entries.append(Tree.Entry(key: name, position: position, value: tree(value, depth: depth + 1)))
            }
            return distinct(entries)
        }

        /// The first entry of each name; the others are errors.
        private func distinct(_ entries: [Tree.Entry]) -> [Tree.Entry] {
            var first: [String: Position] = [:]
            return entries.sorted { $0.position < $1.position }.filter { entry in
                guard let earlier = first[entry.key] else {
                    first[entry.key] = entry.position
                    return true
                }
                reading.error(entry.position, "\(entry.key.quoted) stands twice in this mapping, first at line \(earlier.line); keep one")
                return false
            }
        }

        private func checkTag(_ tag: String, _ natural: String, _ position: Position) {
            guard !["", "tag:yaml.org,2002:\(natural)"].contains(tag) else { return }
            reading.error(position, "tags such as \(tag.quoted) are not part of the configuration; remove it")
        }

        private func place(_ mark: Mark?) -> Position {
            Position(file: path, line: mark?.line ?? 1, column: mark?.column ?? 1)
        }

        private func report(_ error: any Error, _ text: String) {
            switch error {
            case YamlError.scanner(let context, let problem, let mark, _), YamlError.parser(let context, let problem, let mark, _):
                guard !problem.hasPrefix("Maximum nesting level") else {
                    reading.error(place(mark), "is nested deeper than \(SourceFile.depth) levels; nothing in the configuration is")
                    return
                }
                let about = context.map { " (\($0.text), line \($0.mark.line))" } ?? ""
                reading.error(place(mark), "is not YAML: \(problem)\(about)\(hint(problem, mark, text))")
            case YamlError.composer(_, let problem, let mark, _):
                reading.error(place(mark), "is not YAML: \(problem); write the value out")
            case YamlError.reader(let problem, _, _, _):
                let index = text.unicodeScalars.firstIndex(where: Composer.isForbidden)
                reading.error(
                    SourceFile.place(of: index ?? text.startIndex, in: text, path), "is not YAML: \(problem); remove the character")
            default:
                reading.error(Position(file: path, line: 1, column: 1), "cannot be read as YAML")
            }
        }

        /// What libyaml's reader refuses (YAML 1.1, section 5.1).
        private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
            switch scalar.value {
            case 0x09, 0x0a, 0x0d, 0x85: false
            case 0..<0x20, 0x7f...0x9f, 0xfffe, 0xffff: true
            default: false
            }
        }

        private func hint(_ problem: String, _ mark: Mark, _ text: String) -> String {
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            guard lines.indices.contains(mark.line - 1) else { return "" }
            let line = lines[mark.line - 1]
            if line.unicodeScalars.prefix(mark.column).last == "\t" { return "; indent with spaces, not with tabs" }
            if line.contains("{") { return "; put a value that holds braces or commas in double quotes" }
            if problem.contains("mapping values are not allowed") { return "; put a value that holds a colon and a blank in double quotes, or check the indentation" }
            return "; check the indentation and the brackets of this line and the one before"
        }
    }
}
