// The files' outline: what they say, part by part, as digests. A reference counts as what it brought, a file's path with what was in the file.

internal import Gateway
internal import Kernel
internal import TLS

struct OutlineReader {
    let reading: Reading

    /// To be called after everything was read, when it is known what the references brought.
    func outline(_ files: [SourceFile]) -> Outline {
        var outline = Outline()
        for file in files {
            for entry in file.tree.map(OutlineReader.entries) ?? [] {
                switch entry.key {
                case "servers": for server in OutlineReader.entries(entry.value) { note(.server, server.key, server.value, in: &outline) }
                case "projects": for project in OutlineReader.entries(entry.value) { note(project, in: &outline) }
                default: note(entry.value, at: entry.key, in: &outline)
                }
            }
        }
        return outline
    }

    private func note(_ kind: Outline.Kind, _ name: String, _ tree: Tree, in outline: inout Outline) {
        let part = Outline.Part(kind, name)
        outline.note(part)
        for entry in OutlineReader.entries(tree) { outline.note(part, says: entry.key, digest(of: entry.value)) }
    }

    private func note(_ project: Tree.Entry, in outline: inout Outline) {
        let part = Outline.Part(.project, project.key)
        outline.note(part)
        for entry in OutlineReader.entries(project.value) {
            switch entry.key {
            case "servers":
                for server in OutlineReader.entries(entry.value) { outline.note(part, says: "servers.\(server.key)", digest(of: server.value)) }
            case "navigators":
                for navigator in OutlineReader.entries(entry.value) { note(navigator, of: project.key, in: &outline) }
            default: outline.note(part, says: entry.key, digest(of: entry.value))
            }
        }
    }

    private func note(_ navigator: Tree.Entry, of project: String, in outline: inout Outline) {
        let owner = Outline.Part(.navigator, "\(project)/\(navigator.key)")
        outline.note(owner)
        for entry in OutlineReader.entries(navigator.value) {
            guard entry.key == "keys", case .list(let keys) = entry.value.content else {
                outline.note(owner, says: entry.key, digest(of: entry.value))
                continue
            }
            for key in keys {
                guard let id = OutlineReader.text(of: "id", in: key) else { continue }
                note(.key, id, key, in: &outline)
                outline.note(Outline.Part(.key, id), says: "navigator", Digest256(hashing: owner.name.utf8Span.span.raw))
            }
        }
    }

    /// Settings one by one, listeners by their addresses.
    private func note(_ tree: Tree, at path: String, in outline: inout Outline) {
        if path == "gateway.listen", case .list(let listeners) = tree.content {
            for listener in listeners {
                guard let address = OutlineReader.text(of: "address", in: listener) else { continue }
                outline.note(Outline.Part(.listener, address), says: "", digest(of: listener))
            }
        } else if case .mapping(let entries) = tree.content, !entries.isEmpty {
            for entry in entries { note(entry.value, at: "\(path).\(entry.key)", in: &outline) }
        } else {
            outline.note(Outline.Part(.setting, path), says: "", digest(of: tree))
        }
    }

    /// The same for trees that say the same, in the same order.
    func digest(of tree: Tree) -> Digest256 {
        var bytes: [UInt8] = []
        defer { for at in bytes.indices { bytes[at] = 0 } }
        write(tree, into: &bytes)
        return Digest256(hashing: bytes.span.raw)
    }

    /// Every step says what it is and how long, so that no two trees are written alike.
    private func write(_ tree: Tree, into bytes: inout [UInt8]) {
        func put(_ mark: String, _ text: String) { bytes += Array("\(mark)\(text.utf8.count) \(text)".utf8) }
        switch tree.content {
        case .scalar(let text, let plain):
            put(plain ? "p" : "q", text)
            if let brought = reading.brought(by: text) { bytes += brought.bytes }
        case .list(let elements):
            put("l", String(elements.count))
            for element in elements { write(element, into: &bytes) }
        case .mapping(let entries):
            put("m", String(entries.count))
            for entry in entries {
                put("k", entry.key)
                write(entry.value, into: &bytes)
            }
        case .refused: put("r", "")
        }
    }

    private static func entries(_ tree: Tree) -> [Tree.Entry] {
        if case .mapping(let entries) = tree.content { entries } else { [] }
    }

    private static func text(of key: String, in tree: Tree) -> String? {
        guard let value = entries(tree).first(where: { $0.key == key })?.value, case .scalar(let text, _) = value.content else { return nil }
        return text
    }
}
