// What a configuration consists of, part by part and without a value in it: so that two can be told apart, and no secret is said.

package import TLS

package struct Outline: Sendable {
    /// What people speak of as one thing.
    package enum Kind: String, CaseIterable, Sendable {
        case server, project, navigator, key, listener, setting
    }

    package struct Part: Hashable, Sendable {
        package let kind: Kind
        /// As the configuration has it; a navigator with its project, `acme/support`.
        package let name: String

        package init(_ kind: Kind, _ name: String) {
            self.kind = kind
            self.name = name
        }
    }

    /// Of each part what it says, by the key under which it says it, as digests.
    private var parts: [Part: [String: Digest256]] = [:]

    package init() {}

    /// The part is there, whether it says anything or not.
    package mutating func note(_ part: Part) {
        parts[part, default: [:]] = parts[part] ?? [:]
    }

    package mutating func note(_ part: Part, says key: String, _ digest: Digest256) {
        parts[part, default: [:]][key] = digest
    }

    /// What is different since `former`, in the order of `Kind`, then of names.
    package func changes(since former: Outline) -> [Change] {
        var changes: [Change] = []
        for (part, said) in parts {
            guard let before = former.parts[part] else {
                changes.append(Change(part, .added))
                continue
            }
            let keys = Set(said.keys).union(before.keys).filter { said[$0] != before[$0] }
            if !keys.isEmpty { changes.append(Change(part, .changed(keys.sorted()))) }
        }
        for part in former.parts.keys where parts[part] == nil { changes.append(Change(part, .removed)) }
        return changes.sorted()
    }
}

/// One difference between two configurations.
package struct Change: Hashable, Comparable, Sendable, CustomStringConvertible {
    package enum What: Hashable, Sendable {
        case added, removed
        /// What of it, by keys; for a setting nothing.
        case changed([String])

        package var word: String {
            switch self {
            case .added: "added"
            case .removed: "removed"
            case .changed: "changed"
            }
        }
    }

    package let part: Outline.Part
    package let what: What

    package init(_ part: Outline.Part, _ what: What) {
        self.part = part
        self.what = what
    }

    /// `server crm changed: headers, url`
    package var description: String {
        let line = "\(part.kind.rawValue) \(part.name) \(what.word)"
        guard case .changed(let keys) = what, part.kind != .setting, part.kind != .listener else { return line }
        return "\(line): \(keys.joined(separator: ", "))"
    }

    package static func < (left: Change, right: Change) -> Bool {
        (left.part.kind.rank, left.part.name) < (right.part.kind.rank, right.part.name)
    }
}

extension Outline.Kind {
    fileprivate var rank: Int { Outline.Kind.allCases.firstIndex(of: self) ?? 0 }
}
