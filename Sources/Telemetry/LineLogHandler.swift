// swift-log's messages in the log's own format, written by the log's own thread.

internal import Kernel
package import Logging

/// Metadata stands behind the message as fields. A message may only hold what may be logged: nobody can take a secret out again.
package struct LineLogHandler: LogHandler {
    package var logLevel: Logger.Level {
        get { own ?? output.level }
        set { own = newValue }
    }
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    private let output: LogOutput
    /// Nil goes with the output's.
    private var own: Logger.Level?

    /// - Parameter level: what is below is not written; nil = as the output has it at the time.
    package init(to output: LogOutput, level: Logger.Level? = nil) {
        self.output = output
        own = level
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let time = WallClock.milliseconds()
        let level = LogLevel(event.level)
        let message = event.message.description
        guard output.limit.admits(level, message, from: UInt64(event.line), at: time) else { return output.linesWereLeft() }
        var writer = LineWriter(format: output.format)
        writer.begin(level, time: time, message)
        var fields = metadata
        if let provided = metadataProvider?.get() { fields.merge(provided) { $1 } }
        if let given = event.metadata { fields.merge(given) { $1 } }
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) { writer.field(named: name, value.description) }
        writer.end()
        output.lines.leave(writer, isRecord: false)
        output.linesWereLeft()
    }
}

extension LogOutput {
    /// A logger that writes here. `level`: what is below is not written; nil = as the output has it at the time.
    package func logger(_ label: String, level: Logger.Level? = nil) -> Logger {
        Logger(label: label) { _ in LineLogHandler(to: self, level: level) }
    }
}

extension LogLevel {
    init(_ level: Logger.Level) {
        switch level {
        case .trace, .debug: self = .debug
        case .info: self = .info
        case .notice: self = .notice
        case .warning: self = .warning
        case .error: self = .error
        case .critical: self = .critical
        }
    }
}

extension Logger.Level {
    package init(_ level: LogLevel) {
        switch level {
        case .debug: self = .debug
        case .info: self = .info
        case .notice: self = .notice
        case .warning: self = .warning
        case .error: self = .error
        case .critical: self = .critical
        }
    }
}
