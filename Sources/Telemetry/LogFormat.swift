// How a line looks: for eyes, for the journal, for machines.

package import Gateway
internal import Kernel

package enum LogFormat: Sendable {
    /// Time, level, message, fields.
    case plain
    /// `<priority>` first (sd-daemon(3)); the journal adds the time itself.
    case journal
    /// One object a line.
    case json

    /// What `log.format` means here. `auto` is journal where the journal reads standard error, else plain.
    ///
    /// - Parameter journalStream: `JOURNAL_STREAM` of the environment.
    package init(_ configured: LogSettings.Format, journalStream: String?) {
        switch configured {
        case .plain: self = .plain
        case .json: self = .json
        case .journal: self = .journal
        case .auto: self = journalStream.map(StandardError.isJournal) == true ? .journal : .plain
        }
    }
}

/// A line's weight, with the names and priorities of syslog (RFC 5424, section 6.2.1).
enum LogLevel {
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
        case .debug: "<7>"
        case .info: "<6>"
        case .notice: "<5>"
        case .warning: "<4>"
        case .error: "<3>"
        case .critical: "<2>"
        }
    }
}
