// `portal.sign_in.email_code:` read: the mail server, and whom its messages are from.

internal import Gateway
internal import Kernel

struct EmailCodeReader {
    let reading: Reading

    /// Nil when anything of it is wrong; that is reported.
    func settings(_ section: Section) -> EmailCodeSettings? {
        for key in ["smtp", "from"] where !section.has(key) {
            reading.error(section.position, "`\(section.name)` needs `\(key)`: \(section.declared(key).form.words)")
        }
        var server: Server?
        if let scalar = section.line("smtp") { server = self.server(scalar, section) }
        var sender: Sender?
        if let scalar = section.line("from") { sender = self.sender(scalar, section) }
        let user = section.line("user")?.text
        let password = section.has("password") ? password(section) : nil
        if section.has("user") != section.has("password") {
            let (present, missing) = section.has("user") ? ("user", "password") : ("password", "user")
            reading.error(section.position(of: present), "`\(present)` without `\(missing)`: give both, or neither")
        }
        guard let server, let sender, (password == nil) == !section.has("password") else { return nil }
        return EmailCodeSettings(
            host: server.host, port: server.port, encryption: server.encryption, user: user, password: password, senderName: sender.name,
            sender: sender.address)
    }

    private struct Server {
        let host: String
        let port: UInt16
        let encryption: EmailCodeSettings.Encryption
    }

    private struct Sender {
        let name: String?
        let address: UserEmail
    }

    private func server(_ scalar: Scalar, _ section: Section) -> Server? {
        let isImplicit = scalar.text.hasPrefix("smtps://")
        guard isImplicit || scalar.text.hasPrefix("smtp://") else { return section.wrong("smtp", scalar) }
        do {
            // The same rules of host and port as for every URL; only the scheme, and with it the usual port, is another.
            let rest = scalar.text.dropFirst(isImplicit ? 8 : 7)
            let url = try WebURL("https://\(rest)")
            guard url.path.isEmpty || url.path == "/", url.query == nil else {
                return section.wrong("smtp", scalar, "must end with the host or port")
            }
            let hasPort = rest.drop { $0 != "]" && rest.hasPrefix("[") }.contains(":")
            let port = hasPort ? url.origin.port : isImplicit ? 465 : 587
            return Server(host: url.host.inURL, port: port, encryption: isImplicit ? .implicit : url.host.isLoopback ? .absent : .demanded)
        } catch {
            return section.wrong("smtp", scalar, error.words)
        }
    }

    private func sender(_ scalar: Scalar, _ section: Section) -> Sender? {
        guard let open = scalar.text.firstIndex(of: "<") else {
            guard let address = UserEmail(scalar.text) else { return section.wrong("from", scalar) }
            return Sender(name: nil, address: address)
        }
        var name = scalar.text[..<open]
        while name.last == " " { name.removeLast() }
        if name.count >= 2, name.first == "\"", name.last == "\"" { name = name.dropFirst().dropLast() }
        guard scalar.text.last == ">", let address = UserEmail(String(scalar.text[scalar.text.index(after: open)...].dropLast())),
            !name.contains("\""), !name.contains("\\")
        else { return section.wrong("from", scalar) }
        return Sender(name: name.isEmpty ? nil : String(name), address: address)
    }

    /// What is read is wiped, and no message repeats it.
    private func password(_ section: Section) -> Secret? {
        guard let tree = section.tree("password") else { return nil }
        guard case .scalar(let text, _) = tree.content, !tree.isNull else {
            if case .refused = tree.content { return nil }
            reading.error(tree.position, "`password` must be \(section.declared("password").form.words), not \(tree.kind)")
            return nil
        }
        guard let resolved = reading.resolved(text, "password", tree.position) else { return nil }
        if resolved.source == nil {
            reading.warning(tree.position, "`password` is a secret in plain text; put it into a file and write `${credential:NAME}` or `${file:/path}`")
        }
        var bytes = resolved.bytes ?? Array(text.utf8)
        defer { for at in bytes.indices { bytes[at] = 0 } }
        guard !bytes.isEmpty, !bytes.contains(0) else {
            reading.error(tree.position, "`password` must be \(section.declared("password").form.words); this one is empty, or holds a NUL")
            return nil
        }
        return Secret(copying: bytes.span.raw)
    }
}
