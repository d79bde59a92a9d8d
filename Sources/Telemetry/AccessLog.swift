// Access records: formatted by the worker into a line of its own, left for the writer, never waited for.

internal import Gateway
internal import HTTP1
internal import Kernel
internal import Metrics
package import TLS

/// Where a worker records its exchanges. Each worker takes one and keeps it on its thread.
package final class AccessLog {
    private let output: LogOutput
    private let sink: Sink
    /// What is said about records.
    private let notes: Sink
    private let key: KeyedDigest
    private var writer: LineWriter
    private var known = UserLabelCache()
    private var strangers = StrangerLimit(of: "exchanges without an accepted key")
    private var visitors = StrangerLimit(of: "requests to the portal from nobody it knows")

    /// - Parameter key: users are hashed with.
    package init(to output: LogOutput, key: KeyedDigest) {
        self.output = output
        self.key = key
        sink = output.addSink(of: .record)
        notes = output.addSink(of: .other, capacity: 16 << 10)
        writer = LineWriter(format: output.format)
    }

    /// Costs a few hundred nanoseconds and no allocation; where the log cannot keep up, the record is counted as dropped.
    ///
    /// Of exchanges that no key was accepted for, and of requests to the portal from nobody it knows, only so many are written: anybody may
    /// cause them. Neither kind uses up what the other may have.
    package func record(_ record: borrowing AccessRecord) {
        if let portal = record.portal {
            if !portal.isKnown, !visitors.admits(record.refusal, at: record.time) { return }
        } else if record.navigator == nil, !strangers.admits(record.refusal, at: record.time) {
            return
        }
        write(record)
        sink.leave(writer)
        output.linesWereLeft()
    }

    /// Says how many records of strangers were held back, when it is time to; to be called once a second.
    package func tellHeldBack(time: Int64) {
        for told in [strangers.told(at: time), visitors.told(at: time)] {
            guard let told else { continue }
            output.metrics.add(.accessHeldBack, told.count)
            writer.begin(.warning, time: time, told.words)
            writer.end()
            notes.leave(writer)
            output.linesWereLeft()
        }
    }

    private func write(_ record: borrowing AccessRecord) {
        let name = record.portal == nil ? "exchange" : "portal"
        writer.begin(record.ending == .upstreamBroke ? .warning : .info, time: record.time, name)
        if output.format == .journal {
            summarize(record)
            writer.field(.record, name)
        }
        let id = record.requestID
        writer.field(.requestID) { id.append(to: $0) }
        if let trace = record.trace { writer.field(.trace, hexadecimal: (trace.high, trace.low)) }
        writer.field(.method, word: record.method.word)
        if let portal = record.portal { writer.field(.door, portal.door) }
        if let project = record.project { writer.field(.project, project.text) }
        if let server = record.server { writer.field(.server, server.text) }
        if let navigator = record.navigator { writer.field(.navigator, navigator.text) }
        if let key = record.key { writer.field(.key) { key.append(to: $0) } }
        if let user = record.user { write(user, record.naming) }
        writer.field(.client, record.client)
        if let operation = record.operation {
            writer.field(.operation, operation.method)
            if let name = operation.name { writer.field(.tool, name) }
        }
        writer.field(.status, record.status)
        if let refusal = record.refusal { writer.field(.refusal, refusal.rawValue) }
        if let why = record.why { writer.field(.why, why) }
        switch record.ending {
        case .complete: break
        case .clientLeft: writer.field(.ending, word: "client_left")
        case .upstreamBroke: writer.field(.ending, word: "upstream_broke")
        case .cut: writer.field(.ending, word: "cut")
        }
        if let use = record.use { writer.field(.use, word: use == .user ? "user" : "project") }
        writer.field(.total, nanoseconds: record.nanoseconds)
        if let upstream = record.upstreamNanoseconds { writer.field(.upstream, nanoseconds: upstream) }
        if let credential = record.credentialNanoseconds { writer.field(.credential, nanoseconds: credential) }
        writer.field(.received, record.received)
        writer.field(.sent, record.sent)
        if let reused = record.reusedConnection { writer.field(.connection, word: reused ? "reused" : "new") }
        if record.isReplayed { writer.field(.replayed, word: "yes") }
        writer.end()
    }

    /// What `journalctl` shows of it: the rest stands in fields.
    private func summarize(_ record: borrowing AccessRecord) {
        let line = writer.line
        line.append(byte: UInt8(ascii: " "))
        line.append(record.method.word)
        if let portal = record.portal {
            line.append(" ")
            line.append(portal.door)
        }
        if let project = record.project {
            line.append(byte: UInt8(ascii: " "))
            line.append(project.text)
            line.append(byte: UInt8(ascii: "/"))
            line.append(record.server?.text ?? "-")
        }
        if let operation = record.operation {
            line.append(byte: UInt8(ascii: " "))
            writer.escape(operation.method)
            if let name = operation.name {
                line.append(byte: UInt8(ascii: " "))
                writer.escape(name)
            }
        }
        line.append(": ")
        line.append(decimal: record.status)
        if let refusal = record.refusal {
            line.append(byte: UInt8(ascii: " "))
            line.append(refusal.rawValue)
        }
        line.append(" in ")
        writer.append(milliseconds: record.nanoseconds)
        line.append(" ms")
    }

    private func write(_ user: UserEmail, _ naming: LogSettings.User) {
        switch naming {
        case .full: writer.field(.user, user.text)
        case .hashed: writer.field(.user, hexadecimal: known.word(user, key))
        case .off: break
        }
    }
}

extension Method {
    /// As the log writes it.
    var word: StaticString {
        switch self {
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
