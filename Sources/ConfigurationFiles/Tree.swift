// A file's content with its places: what YAML said, before anything is known about settings.

struct Tree {
    enum Content {
        case scalar(text: String, plain: Bool)
        case list([Tree])
        /// Keys are distinct, in the order of the file.
        case mapping([Entry])
        /// What stands here is reported already; nobody says more about it.
        case refused
    }

    struct Entry {
        let key: String
        let position: Position
        let value: Tree
    }

    let content: Content
    let position: Position

    /// Nothing was written: `key:`, `key: ~`, `key: null`.
    var isNull: Bool {
        guard case .scalar(let text, true) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    /// For messages.
    var kind: String {
        switch content {
        case .scalar: isNull ? "nothing" : "a single value"
        case .list: "a list"
        case .mapping: "a mapping"
        case .refused: "what it is"
        }
    }
}
