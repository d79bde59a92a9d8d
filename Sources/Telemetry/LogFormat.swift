// How a line looks: for eyes, for the journal, for machines.

package import Gateway
internal import Kernel

package enum LogFormat: Sendable {
    /// Time, level, message, fields.
    case plain
    /// `<priority>` first (sd-daemon(3)), then as plain, without the time: for a journal that reads standard error.
    case prefixed
    /// An entry of the journal's own, each field by itself.
    case journal
    /// One object a line.
    case json

    /// What `log.format` means here. `auto` is journal where the journal reads standard error, else plain; `journal` is entries with fields where
    /// the journal's socket is, else lines with a priority.
    ///
    /// - Parameters:
    ///   - journalStream: `JOURNAL_STREAM` of the environment.
    ///   - hasSocket: whether the journal takes entries.
    package init(_ configured: LogSettings.Format, journalStream: String?, hasSocket: Bool) {
        let journal: LogFormat = hasSocket ? .journal : .prefixed
        switch configured {
        case .plain: self = .plain
        case .json: self = .json
        case .journal: self = journal
        case .auto: self = journalStream.map(StandardError.isJournal) == true ? journal : .plain
        }
    }
}

/// A line's weight, with the names and priorities of syslog (RFC 5424, section 6.2.1).
package enum LogLevel: Int, Sendable {
    case debug, info, notice, warning, error, critical

    var name: StaticString {
        switch self {
        case .debug: "debug"
        case .info: "info"
        case .notice: "notice"
        case .warning: "warning"
        case .error: "error"
        case .critical: "critical"
        }
    }

    var priority: StaticString {
        switch self {
        case .debug: "7"
        case .info: "6"
        case .notice: "5"
        case .warning: "4"
        case .error: "3"
        case .critical: "2"
        }
    }
}
