// A secret of the configuration, read: best by reference, never repeated in a message.

internal import Gateway
internal import Kernel

extension Section {
    /// The bytes under the key, in locked memory; what was read on the way is wiped. In plain text: with a warning.
    ///
    /// Nil and reported when it is a list, a mapping, nothing, empty, or a reference that leads nowhere.
    func secret(_ key: String) -> Secret? {
        guard let tree = tree(key) else { return nil }
        let words = declared(key).form.words
        guard case .scalar(let text, _) = tree.content, !tree.isNull else {
            if case .refused = tree.content { return nil }
            reading.error(tree.position, "`\(key)` must be \(words), not \(tree.kind)")
            return nil
        }
        guard let resolved = reading.resolved(text, key, tree.position) else { return nil }
        if resolved.source == nil {
            reading.warning(tree.position, "`\(key)` is a secret in plain text; put it into a file and write `${credential:NAME}` or `${file:/path}`")
        }
        if case .file(let path) = resolved.source, RegularFile.isReadableByOthers(path) {
            reading.error(tree.position, "`\(key)`: everyone may read \(path.quoted); take that away: chmod o-r")
        }
        var written = resolved.bytes ?? Array(text.utf8)
        defer { for at in written.indices { written[at] = 0 } }
        guard !written.isEmpty else {
            reading.error(tree.position, "`\(key)` must be \(words), not nothing")
            return nil
        }
        return Secret(copying: written.span.raw)
    }
}
