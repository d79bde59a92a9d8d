// Access records, from what a worker fills in to the line a reader sees.

import Foundation
import Gateway
import HTTP1
import Kernel
import Logging
import Metrics
import Synchronization
import TLS
import Testing

@testable import Telemetry

@Suite struct AccessLogTests {
    let captured = Captured()
    let key = KeyedDigest(key: [UInt8](repeating: 7, count: 32).span.raw)

    func record() -> AccessRecord {
        // 2026-11-21T01:02:03.004Z
        AccessRecord(requestID: RequestID(random: (1, 2)), time: 1_795_222_923_004, client: "192.0.2.1", method: .post)
    }

    func full(_ naming: LogSettings.User = .full) -> AccessRecord {
        var record = record()
        record.naming = naming
        record.project = ProjectName("acme")
        record.server = ServerName("crm")
        record.navigator = NavigatorName("support")
        record.key = APIKeyID("7q2m4k")
        record.user = UserEmail("Alice@Acme.com")
        record.status = 200
        record.nanoseconds = 12_345_678
        record.upstreamNanoseconds = 9_000_999
        record.received = 600
        record.sent = 1200
        record.reusedConnection = true
        return record
    }

    func log(_ output: LogOutput) -> AccessLog { AccessLog(to: output, key: key) }

    @Test func `a record reads as one plain line`() {
        let output = captured.output(.plain)
        log(output).record(full())
        #expect(output.drain())
        #expect(
            captured.text
                == "2026-11-21T01:02:03.004Z info exchange request_id=00000000000000010000000000000002 method=POST project=acme server=crm "
                + "navigator=support key=7q2m4k user=alice@acme.com client=192.0.2.1 status=200 total_ms=12.345 upstream_ms=9.000 in=600 out=1200 "
                + "connection=reused\n")
    }

    @Test func `a request that was sent again says so`() {
        let output = captured.output(.plain)
        var replayed = full()
        replayed.isReplayed = true
        log(output).record(replayed)
        _ = output.drain()
        #expect(captured.text.hasSuffix(" connection=reused replayed=yes\n"))
    }

    @Test func `a line with a priority has no time`() {
        let output = captured.output(.prefixed)
        var broken = full()
        broken.ending = .upstreamBroke
        let log = log(output)
        log.record(full())
        log.record(broken)
        _ = output.drain()
        #expect(captured.lines[0].hasPrefix("<6>exchange request_id="))
        #expect(captured.lines[1].hasPrefix("<4>exchange request_id="))
        #expect(captured.lines[1].contains(" ending=upstream_broke "))
    }

    @Test func `the journal gets an entry of fields, whose message says the most of it`() {
        let output = captured.output(.journal)
        var record = full()
        record.operation = Operation(method: "tools/call".utf8Span.span.raw, name: "search".utf8Span.span.raw)
        record.use = .user
        record.trace = (1, 0xabc)
        log(output).record(record)
        log(output).record(self.record())
        _ = output.drain()
        let entries = captured.text.components(separatedBy: "\n\n")
        #expect(entries.count == 3 && entries[2].isEmpty)
        #expect(
            entries[0].split(separator: "\n") == [
                "PRIORITY=6", "SYSLOG_IDENTIFIER=claviger", "MESSAGE=exchange POST acme/crm tools/call search: 200 in 12.345 ms", "CLAVIGER_RECORD=exchange",
                "CLAVIGER_REQUEST_ID=00000000000000010000000000000002", "CLAVIGER_TRACE=00000000000000010000000000000abc", "CLAVIGER_METHOD=POST",
                "CLAVIGER_PROJECT=acme", "CLAVIGER_SERVER=crm", "CLAVIGER_NAVIGATOR=support", "CLAVIGER_KEY=7q2m4k", "CLAVIGER_USER=alice@acme.com", "CLAVIGER_CLIENT=192.0.2.1",
                "CLAVIGER_MCP_METHOD=tools/call", "CLAVIGER_MCP_NAME=search", "CLAVIGER_STATUS=200", "CLAVIGER_USE=user", "CLAVIGER_TOTAL_MS=12.345",
                "CLAVIGER_UPSTREAM_MS=9.000", "CLAVIGER_IN=600", "CLAVIGER_OUT=1200", "CLAVIGER_CONNECTION=reused",
            ])
        #expect(entries[1].contains("\nMESSAGE=exchange POST: 0 in 0.000 ms\n"))
    }

    @Test func `strangers cause so many records and no more, and the rest is told of`() {
        let metrics = Metrics(workers: 1, refusals: [], version: "0")
        let output = captured.output(.plain, metrics: metrics.shared)
        let log = log(output)
        var stranger = record()
        stranger.refusal = .unauthenticated
        for _ in 0..<700 { log.record(stranger) }
        stranger.refusal = .notFound
        for _ in 0..<5 { log.record(stranger) }
        log.record(full())
        _ = output.drain()
        #expect(captured.lines.count == StrangerLimit.most + 1)
        log.tellHeldBack(time: stranger.time)
        log.tellHeldBack(time: stranger.time + 60_000)
        _ = output.drain()
        #expect(captured.lines.last?.hasSuffix("warning 205 records of exchanges without an accepted key were held back: unauthenticated 200, not_found 5") == true)
        #expect(metrics.value(.accessHeldBack) == 205)
        // A second later there is room for some more.
        stranger.time += 1000
        for _ in 0..<100 { log.record(stranger) }
        _ = output.drain()
        #expect(captured.lines.count == StrangerLimit.most + 2 + StrangerLimit.perSecond)
    }

    @Test func `strangers do not use up the records of the portal, nor the other way round, and who is known there has his in any case`() {
        let output = captured.output(.plain)
        let log = log(output)
        let stranger = record()
        for _ in 0..<600 { log.record(stranger) }
        var visitor = record()
        visitor.portal = ("public", isKnown: false)
        for _ in 0..<600 { log.record(visitor) }
        visitor.portal = ("admin", isKnown: true)
        for _ in 0..<10 { log.record(visitor) }
        log.tellHeldBack(time: stranger.time + 60_000)
        _ = output.drain()
        #expect(captured.lines.filter { $0.contains(" info exchange ") }.count == StrangerLimit.most)
        #expect(captured.lines.filter { $0.contains(" info portal ") && $0.contains(" door=public ") }.count == StrangerLimit.most)
        #expect(captured.lines.filter { $0.contains(" door=admin ") }.count == 10)
        #expect(captured.text.contains("warning 100 records of requests to the portal from nobody it knows were held back: no refusal 100"))
        #expect(captured.text.contains("warning 100 records of exchanges without an accepted key were held back: no refusal 100"))
    }

    @Test func `a request to the portal has a record of its own kind`() {
        let output = captured.output(.journal)
        var record = record()
        record.portal = ("socket", isKnown: true)
        record.status = 204
        log(output).record(record)
        _ = output.drain()
        #expect(captured.text.contains("\nMESSAGE=portal POST socket: 204 in 0.000 ms\nCLAVIGER_RECORD=portal\n"))
        #expect(captured.text.contains("\nCLAVIGER_DOOR=socket\n"))
    }

    @Test func `JSON has strings in quotes and numbers without`() {
        let output = captured.output(.json)
        var record = record()
        record.status = 401
        record.refusal = .unauthenticated
        record.why = "no such key"
        log(output).record(record)
        _ = output.drain()
        #expect(
            captured.text
                == #"{"time":"2026-11-21T01:02:03.004Z","level":"info","message":"exchange","request_id":"00000000000000010000000000000002","#
                + #""method":"POST","client":"192.0.2.1","status":401,"refusal":"unauthenticated","why":"no such key","total_ms":0.000,"#
                + #""in":0,"out":0}"# + "\n")
    }

    @Test func `a hashed user has the same label each time, and another under another key`() throws {
        let output = captured.output(.plain)
        let log = log(output)
        log.record(full(.hashed))
        log.record(full(.hashed))
        _ = output.drain()
        let user = try #require(UserEmail("alice@acme.com"))
        let label = try #require(UserLabel(.hashed, key: key).text(for: user))
        #expect(label.utf8.count == 16)
        #expect(captured.lines.allSatisfy { $0.contains(" user=\(label) ") })
        #expect(!captured.text.contains("alice"))
        let other = KeyedDigest(key: [UInt8](repeating: 8, count: 32).span.raw)
        #expect(UserLabel(.hashed, key: other).text(for: user) != label)
    }

    @Test func `a user is not named where the setting is off`() {
        let output = captured.output(.plain)
        log(output).record(full(.off))
        _ = output.drain()
        #expect(!captured.text.contains("user="))
        #expect(!captured.text.contains("alice"))
    }

    @Test func `records that do not fit are dropped, counted and told of`() {
        let metrics = Metrics(workers: 1, refusals: [], version: "0")
        let output = captured.output(.plain, metrics: metrics.shared)
        let log = log(output)
        for _ in 0..<10_000 { log.record(full()) }
        _ = output.drain()
        let dropped = Int(metrics.value(.accessDropped))
        #expect(dropped > 0)
        #expect(Int(metrics.value(.accessRecords)) + dropped == 10_000)
        #expect(captured.lines.last?.contains("warning \(dropped) log lines dropped") == true)
        #expect(captured.lines.count == 10_000 - dropped + 1)
        log.record(full())
        _ = output.drain()
        #expect(captured.lines.last?.contains("exchange") == true)
    }

    @Test func `every record that a running writer was left is there when it has ended`() throws {
        let output = captured.output(.plain)
        try output.start()
        let log = log(output)
        for _ in 0..<500 { log.record(full()) }
        output.end()
        #expect(captured.lines.count == 500)
    }

    @Test func `that lines were dropped is said when there is room again`() {
        let room = Atomic(false)
        let captured = captured
        let output = LogOutput(format: .plain, metrics: SharedShard()) { span, _ in
            guard room.load(ordering: .relaxed) else { return 1 }
            captured.take(span)
            return 0
        }
        log(output).record(full())
        _ = output.drain()
        #expect(captured.lines.isEmpty)
        room.store(true, ordering: .relaxed)
        _ = output.drain()
        #expect(captured.lines.count == 1 && captured.text.contains(" warning 1 log lines dropped"))
        _ = output.drain()
        #expect(captured.lines.count == 1)
    }

    @Test func `what is dropped is counted by its kind`() throws {
        let metrics = Metrics(workers: 1, refusals: [], version: "0")
        let output = LogOutput(format: .plain, metrics: metrics.shared) { span, _ in
            // The journal's own count: all of them.
            span.copied().reduce(0) { $1 == 0x0A ? $0 + 1 : $0 }
        }
        output.logger("test", level: .info).warning("a line")
        AuditLog(to: output, label: UserLabel(.off, key: key)).write(AuditEntry(time: 0, actor: .gateway, action: .reload))
        let log = log(output)
        for _ in 0..<3 { log.record(full()) }
        _ = output.drain()
        #expect(metrics.value(.accessDropped) == 3 && metrics.value(.accessRecords) == 0)
        #expect(metrics.value(.auditLinesDropped) == 1 && metrics.value(.otherLinesDropped) == 1)
    }
}
