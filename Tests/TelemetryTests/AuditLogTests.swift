// The audit's rows as the log tells of them: who, what, for whom, and nobody's address where addresses are not to be seen.

import Gateway
import Kernel
import TLS
import Testing

@testable import Telemetry

@Suite struct AuditLogTests {
    let captured = Captured()
    let key = KeyedDigest(key: [UInt8](repeating: 7, count: 32).span.raw)

    func write(_ user: LogSettings.User, _ format: LogFormat = .prefixed, by actor: AuditActor? = nil, detail: String? = nil) throws -> String {
        let output = captured.output(format)
        let alice = try #require(UserEmail("alice@acme.com"))
        let entry = AuditEntry(
            time: 0, actor: actor ?? .person(alice), action: .deposit, project: ProjectName("acme"), server: ServerName("crm"), user: alice,
            source: "192.0.2.1", detail: detail)
        AuditLog(to: output, label: UserLabel(user, key: key)).write(entry)
        _ = output.drain()
        return captured.text
    }

    @Test func `a row says who did what, where and for whom`() throws {
        #expect(
            try write(.full, detail: "now until 2027")
                == "<5>audit action=deposit by=alice@acme.com project=acme server=crm user=alice@acme.com client=192.0.2.1 detail=\"now until 2027\"\n")
    }

    @Test func `where users are not logged, the row names none`() throws {
        let text = try write(.off, detail: "project link for alice@acme.com: crm")
        #expect(text == "<5>audit action=deposit project=acme server=crm client=192.0.2.1 detail=\"project link for ***: crm\"\n")
    }

    @Test func `a hashed person has the same label everywhere in a row`() throws {
        let alice = try #require(UserEmail("alice@acme.com"))
        let label = try #require(UserLabel(.hashed, key: key).text(for: alice))
        let text = try write(.hashed, detail: "for alice@acme.com, \"Alice@acme.com\" (alice@acme.com); not@an@address.")
        #expect(text.contains(" by=\(label) ") && text.contains(" user=\(label) "))
        #expect(text.hasSuffix("detail=\"for \(label), \\\"\(label)\\\" (\(label)); ***.\"\n"), "\(text)")
        #expect(!text.lowercased().contains("alice"))
    }

    @Test func `the journal's entry can be asked for by its fields`() throws {
        let text = try write(.full, .journal, by: .uid("0"))
        #expect(
            text.split(separator: "\n") == [
                "PRIORITY=5", "SYSLOG_IDENTIFIER=claviger", "MESSAGE=audit: deposit in acme/crm for alice@acme.com by uid:0", "CLAVIGER_RECORD=audit",
                "CLAVIGER_ACTION=deposit", "CLAVIGER_BY=uid:0", "CLAVIGER_PROJECT=acme", "CLAVIGER_SERVER=crm", "CLAVIGER_USER=alice@acme.com",
                "CLAVIGER_CLIENT=192.0.2.1",
            ])
    }
}
