// The files as one document: each section from the one file that has it, servers and projects joined.

struct Sections {
    private var single: [String: Section] = [:]
    /// In the order of the files; names are distinct.
    private(set) var servers: [Tree.Entry] = []
    private(set) var projects: [Tree.Entry] = []

    /// What stands twice over the files is reported, naming both places; the first counts.
    init(_ files: [SourceFile], _ reading: Reading) {
        var seen: [String: Position] = [:]
        for file in files {
            guard let tree = file.tree, let top = Section(tree, at: "", reading) else { continue }
            for key in Setting.children(of: "").keys.sorted() where top.has(key) {
                switch key {
                case "servers": join(top.names(key) ?? [], into: &servers, "server", &seen, reading)
                case "projects": join(top.names(key) ?? [], into: &projects, "project", &seen, reading)
                default:
                    if let first = seen[key] {
                        reading.error(top.position(of: key), "`\(key)` stands in \(first.short), too; a section stands in one file: put both together")
                    } else {
                        seen[key] = top.position(of: key)
                        single[key] = top.section(key)
                    }
                }
            }
        }
    }

    /// Nil where no file has it.
    subscript(_ key: String) -> Section? { single[key] }

    private func join(_ entries: [Tree.Entry], into joined: inout [Tree.Entry], _ kind: String, _ seen: inout [String: Position], _ reading: Reading) {
        for entry in entries {
            if let first = seen["\(kind) \(entry.key)"] {
                reading.error(entry.position, "\(kind) \(entry.key.quoted) is defined in \(first.short), too; a \(kind) stands in one file: rename one or put them together")
            } else {
                seen["\(kind) \(entry.key)"] = entry.position
                joined.append(entry)
            }
        }
    }
}
