// Access records: formatted by the worker into a line of its own, left for the writer, never waited for.

internal import Gateway
internal import HTTP1
internal import Kernel

/// Where a worker records its exchanges. Each worker takes one and keeps it on its thread.
package final class AccessLog {
    private let output: LogOutput
    private let sink: Sink
    private let label: UserLabel
    private var writer: LineWriter
    private var known = UserLabelCache()
    private let isOn: Bool

    /// - Parameters:
    ///   - isOn: `log.access`.
    ///   - label: how users are named.
    package init(to output: LogOutput, isOn: Bool, label: UserLabel) {
        self.output = output
        self.isOn = isOn
        self.label = label
        sink = output.addSink()
        writer = LineWriter(format: output.format)
    }

    /// Costs a few hundred nanoseconds and no allocation; where the log cannot keep up, the record is counted as dropped.
    package func record(_ record: borrowing AccessRecord) {
        guard isOn else { return }
        write(record)
        sink.leave(writer, isRecord: true)
        output.linesWereLeft()
    }

    private func write(_ record: borrowing AccessRecord) {
        writer.begin(record.ending == .upstreamBroke ? .warning : .info, time: record.time, "exchange")
        writer.begin(AccessField.requestID.name)
        if output.format == .json { writer.line.append(byte: UInt8(ascii: "\"")) }
        record.requestID.append(to: writer.line)
        if output.format == .json { writer.line.append(byte: UInt8(ascii: "\"")) }
        writer.field(AccessField.method.name, word: AccessLog.word(record.method))
        if let project = record.project { writer.field(AccessField.project.name, project.text) }
        if let server = record.server { writer.field(AccessField.server.name, server.text) }
        if let navigator = record.navigator { writer.field(AccessField.navigator.name, navigator.text) }
        if let user = record.user { write(user) }
        writer.field(AccessField.client.name, record.client)
        writer.field(AccessField.status.name, record.status)
        if let refusal = record.refusal { writer.field(AccessField.refusal.name, refusal.rawValue) }
        if let why = record.why { writer.field(AccessField.why.name, why) }
        switch record.ending {
        case .complete: break
        case .clientLeft: writer.field(AccessField.ending.name, word: "client_left")
        case .upstreamBroke: writer.field(AccessField.ending.name, word: "upstream_broke")
        case .cut: writer.field(AccessField.ending.name, word: "cut")
        }
        writer.field(AccessField.total.name, nanoseconds: record.nanoseconds)
        if let upstream = record.upstreamNanoseconds { writer.field(AccessField.upstream.name, nanoseconds: upstream) }
        if let credential = record.credentialNanoseconds { writer.field(AccessField.credential.name, nanoseconds: credential) }
        writer.field(AccessField.received.name, record.received)
        writer.field(AccessField.sent.name, record.sent)
        if let reused = record.reusedConnection { writer.field(AccessField.connection.name, word: reused ? "reused" : "new") }
        if record.isReplayed { writer.field(AccessField.replayed.name, word: "yes") }
        writer.end()
    }

    private func write(_ user: UserEmail) {
        switch label.kind {
        case .full: writer.field(AccessField.user.name, user.text)
        case .hashed(let key): writer.field(AccessField.user.name, hexadecimal: known.word(user, key))
        case .off: break
        }
    }

    private static func word(_ method: Method) -> StaticString {
        switch method {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .patch: "PATCH"
        case .trace: "TRACE"
        case .connect: "CONNECT"
        case .other: "OTHER"
        }
    }
}
