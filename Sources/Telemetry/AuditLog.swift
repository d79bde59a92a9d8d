// Rows of the audit, as the log tells of them.

package import Gateway
internal import Kernel

/// One line for each row, beside the database's: never held back.
package struct AuditLog: Sendable {
    private let output: LogOutput
    private let label: UserLabel

    package init(to output: LogOutput, label: UserLabel) {
        self.output = output
        self.label = label
    }

    package func write(_ entry: AuditEntry) {
        var writer = LineWriter(format: output.format)
        writer.begin(.notice, time: WallClock.milliseconds(), "audit")
        if output.format == .journal {
            writer.escape(": \(summary(entry))")
            writer.field(.record, word: "audit")
        }
        writer.field(.action, entry.action.rawValue)
        if let actor = actor(entry) { writer.field(.actor, actor) }
        if let project = entry.project { writer.field(.project, project.text) }
        if let server = entry.server { writer.field(.server, server.text) }
        if let user = entry.user.flatMap(label.text(for:)) { writer.field(.user, user) }
        if let link = entry.link { writer.field(.link, link.text) }
        if let source = entry.source { writer.field(.client, source) }
        if let detail = entry.detail { writer.field(.detail, withoutAddresses(detail)) }
        writer.end()
        output.audits.leave(writer)
        output.linesWereLeft()
    }

    /// What `journalctl` shows of it.
    private func summary(_ entry: AuditEntry) -> String {
        var words = entry.action.rawValue
        if let project = entry.project { words += " in \(project)" + (entry.server.map { "/\($0)" } ?? "") }
        if let user = entry.user.flatMap(label.text(for:)) { words += " for \(user)" }
        if let actor = actor(entry) { words += " by \(actor)" }
        if let detail = entry.detail { words += " (\(withoutAddresses(detail)))" }
        return words
    }

    private func actor(_ entry: AuditEntry) -> String? {
        switch entry.actor {
        case .person(let email): label.text(for: email)
        case .uid, .token, .gateway: entry.actor.description
        }
    }

    /// Addresses as `log.user` names their users; what only looks like one is left out.
    private func withoutAddresses(_ text: String) -> String {
        text.split(separator: " ", omittingEmptySubsequences: false).map { word in
            guard word.utf8.contains(UInt8(ascii: "@")) else { return String(word) }
            let opening = word.prefix { "(<\"'".contains($0) }
            let address = word.dropFirst(opening.count)
            let ending = address.reversed().prefix { ",;:.)>\"'".contains($0) }.count
            let user = UserEmail(String(address.dropLast(ending)))
            return opening + (user.flatMap(label.text(for:)) ?? "***") + address.suffix(ending)
        }.joined(separator: " ")
    }
}
