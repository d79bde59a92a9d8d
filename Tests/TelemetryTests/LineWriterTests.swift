// What comes from outside cannot end a line, close a quote or steer a terminal.

import Gateway
import HTTP1
import Kernel
import Logging
import Testing

@testable import Telemetry

@Suite struct LineWriterTests {
    func line(_ format: LogFormat, _ build: (LineWriter) -> Void) -> String {
        var writer = LineWriter(format: format)
        writer.begin(.info, time: 0, "m")
        build(writer)
        writer.end()
        return String(decoding: writer.line.bytes.copied(), as: UTF8.self)
    }

    @Test(arguments: [
        ("plain", "plain"), ("", #""""#), ("two words", #""two words""#), ("a=b", #""a=b""#), ("a\"b", #""a\"b""#),
        ("a\\b", #""a\\b""#), ("a\nb", #""a\nb""#), ("a\r\tb", #""a\r\tb""#), ("\u{1B}[2J", #""\u001b[2J""#), ("\u{0}", #""\u0000""#),
        ("\u{9B}2J", #""\u009b2J""#), ("\u{202E}x", #""\u202ex""#), ("Zoë", #""Zoë""#), ("a\u{7F}", #""a\u007f""#),
    ])
    func `a plain value is quoted and escaped where it must be`(value: String, written: String) {
        #expect(line(.prefixed) { $0.field(.why, value) } == "<6>m why=\(written)\n")
    }

    @Test(arguments: [("x", "\"x\""), ("a\"\\\n", #""a\"\\\n""#), ("\u{1}", #""\u0001""#)])
    func `a JSON value is always a valid string`(value: String, written: String) {
        #expect(line(.json) { $0.field(.why, value) }.hasSuffix(",\"why\":\(written)}\n"))
    }

    @Test func `a message is escaped too`() {
        var writer = LineWriter(format: .prefixed)
        writer.begin(.error, time: 0, "bad\nthing \"here\"")
        writer.end()
        #expect(String(decoding: writer.line.bytes.copied(), as: UTF8.self) == "<3>bad\\nthing \\\"here\\\"\n")
    }

    @Test func `a field's name from a library keeps only what a name may have`() {
        #expect(line(.prefixed) { $0.field(named: "a b=c\n", "v") } == "<6>m a_b_c_=\"v\"\n")
    }

    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00.000Z"), (951_782_400_123, "2000-02-29T00:00:00.123Z"), (1_795_222_923_004, "2026-11-21T01:02:03.004Z"),
        (4_107_542_399_999, "2100-02-28T23:59:59.999Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
    ])
    func `a time is written as RFC 3339 has it`(time: Int64, written: String) {
        var writer = LineWriter(format: .plain)
        writer.begin(.debug, time: time, "m")
        #expect(String(decoding: writer.line.bytes.copied(), as: UTF8.self) == "\(written) debug m")
    }

    @Test func `swift-log's messages come with their metadata as fields, and below the level not at all`() {
        let captured = Captured()
        let output = captured.output(.prefixed)
        var logger = output.logger("test", level: .info)
        logger[metadataKey: "project"] = "acme"
        logger.warning("changed", metadata: ["uid": "0", "server": "c\"r"])
        logger.debug("unseen")
        _ = output.drain()
        #expect(captured.text == #"<4>changed project="acme" server="c\"r" uid="0""# + "\n")
    }

    @Test func `auto is for the journal only where the journal reads`() {
        func name(_ setting: LogSettings.Format, _ stream: String? = nil, hasSocket: Bool = true) -> String {
            "\(LogFormat(setting, journalStream: stream, hasSocket: hasSocket))"
        }
        #expect(name(.auto) == "plain")
        #expect(name(.auto, "0:0") == "plain")
        #expect(name(.journal) == "journal")
        #expect(name(.journal, hasSocket: false) == "prefixed")
        #expect(name(.json) == "json")
    }

    @Test(arguments: [("x", "x"), ("", ""), ("two \"words\" \\", "two \"words\" \\"), ("a\nPRIORITY=0", "a\\nPRIORITY=0"), ("\u{1B}[2J", "\\u001b[2J")])
    func `a value of a journal's entry stays what it is, but cannot become a field or an entry`(value: String, written: String) {
        #expect(line(.journal) { $0.field(.why, value) } == "PRIORITY=6\nSYSLOG_IDENTIFIER=claviger\nMESSAGE=m\nCLAVIGER_WHY=\(written)\n\n")
    }

    @Test func `a library's field has a name that the journal takes`() {
        let long = String(repeating: "x", count: 100)
        #expect(line(.journal) { $0.field(named: "a b.c=\n", "v") }.hasSuffix("\nCLAVIGER_A_B_C__=v\n\n"))
        #expect(line(.journal) { $0.field(named: long, "v") }.hasSuffix("\nCLAVIGER_\(String(repeating: "X", count: 50))=v\n\n"))
    }

    @Test func `a value has an end`() {
        let line = line(.plain) { $0.field(.why, String(repeating: "x y", count: 3000)) }
        #expect(line.utf8.count < 4200 && line.hasSuffix("…\"\n"))
    }

    @Test func `each field has a name of its own in every form, and the journal's follows from the other`() {
        #expect(Set(LogField.all.map(\.name.description)).count == LogField.all.count)
        for field in LogField.all where field.name.description != "message" {
            #expect(field.journal.description == "CLAVIGER_" + field.name.description.uppercased())
        }
    }
}
