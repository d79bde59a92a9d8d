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
    private let isBounded: Bool

    /// - Parameters:
    ///   - level: what is below is not written; nil = as the output has it at the time.
    ///   - isBounded: whether its lines are so few by themselves that none is held back.
    package init(to output: LogOutput, level: Logger.Level? = nil, isBounded: Bool = false) {
        self.output = output
        self.isBounded = isBounded
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
        guard isBounded || output.limit.admits(level, message, from: UInt64(event.line), at: time) else { return output.linesWereLeft() }
        var writer = LineWriter(format: output.format)
        writer.begin(level, time: time, message)
        var fields = metadata
        if let provided = metadataProvider?.get() { fields.merge(provided) { $1 } }
        if let given = event.metadata { fields.merge(given) { $1 } }
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) { writer.field(named: name, value.description) }
        writer.end()
        output.lines.leave(writer)
        output.linesWereLeft()
    }
}

extension LogOutput {
    /// A logger that writes here.
    ///
    /// - Parameters:
    ///   - level: what is below is not written; nil = as the output has it at the time.
    ///   - isBounded: for lines that whoever writes them has counted: none is held back.
    package func logger(_ label: String, level: Logger.Level? = nil, isBounded: Bool = false) -> Logger {
        Logger(label: label) { _ in LineLogHandler(to: self, level: level, isBounded: isBounded) }
    }

    /// How many lines of a list are written one by one.
    private static let longestList = 100

    /// Writes a list, each entry a line of its own and none held back as its like might be; of a long one, how many more there are.
    ///
    /// - Parameter rest: what the others are called, and where they are to be had.
    package func list(_ lines: [String], at level: Logger.Level, rest: String) {
        let logger = logger("claviger", isBounded: true)
        for line in lines.prefix(LogOutput.longestList) { logger.log(level: level, "\(line)") }
        if lines.count > LogOutput.longestList { logger.log(level: level, "and \(lines.count - LogOutput.longestList) \(rest)") }
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
