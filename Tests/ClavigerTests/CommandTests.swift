// The commands' flags, outputs and errors, without a daemon.

import ArgumentParser
import Curl
import Gateway
import Kernel
import Portal
import Testing

@testable import claviger

@Suite struct CommandTests {
    @Test func `a new key has the contract's form and its line the digest of its secret`() throws {
        let command = try Key.New.parse(["--id", "fresh1", "--expires", "90d", "--note", "a \"b\" \\"])
        let text = try command.text(random: [UInt8](0..<48), now: 0)
        let key = try #require(text.firstMatch(of: /ck_fresh1\.([A-Za-z0-9_-]{43})\n/))
        #expect(key.1 == "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")
        #expect(text.contains(#"- { id: fresh1, sha256: "#))
        #expect(text.contains(#", expires: 1970-04-01T00:00:00Z, note: "a \"b\" \\" }"#))
    }

    @Test func `a key without an id gets one`() throws {
        let text = try Key.New.parse([]).text(random: [UInt8](0..<48), now: 0)
        #expect(text.firstMatch(of: /^ck_[a-z0-9]{8}\.[A-Za-z0-9_-]{43}\n/) != nil)
    }

    @Test func `JSON has the key and its line's parts`() throws {
        let text = try Key.New.parse(["--json", "--id", "abcd"]).text(random: [UInt8](0..<48), now: 0)
        #expect(text.contains(#""id" : "abcd""#) && text.contains(#""key" : "ck_abcd."#) && !text.contains("note"))
    }

    @Test(arguments: [["--id", "no"], ["--id", "Upper"], ["--expires", "yesterday"], ["--expires", "1960-01-01T00:00:00Z"], ["--note", "a\nb"]])
    func `a key that cannot be is a wrong usage`(arguments: [String]) throws {
        let command = try Key.New.parse(arguments)
        let fault = #expect(throws: CommandFault.self) { try command.text(random: [UInt8](0..<48), now: 0) }
        #expect(fault?.kind == .usage)
    }

    @Test(arguments: [
        ["serve", "--no-such-flag"], ["no-such-command"], ["credential", "set"], ["credential", "set", "--project", "p"], ["credential", "list"],
    ])
    func `wrong usage is 64`(arguments: [String]) {
        do {
            _ = try Claviger.parseAsRoot(arguments)
            Issue.record("it was taken")
        } catch {
            #expect(Claviger.exitCode(for: error).rawValue == 64)
        }
    }

    @Test func `a directory comes from the flag, else from systemd, else it is the usual one`() {
        #expect(Places.place("a", "X", "c", in: ["X": "b"]) == "a")
        #expect(Places.place(nil, "X", "c", in: ["X": "b:d"]) == "b")
        #expect(Places.place(nil, "X", "c", in: ["X": ""]) == "c")
        #expect(Places.place(nil, "X", "c", in: [:]) == "c")
    }

    @Test func `a fault is one line whatever it says`() {
        #expect(CommandFault.failed("a\nb\u{1B}c").printed == "claviger: a b c\n")
        #expect(CommandFault(kind: .configuration, line: nil).printed == nil)
    }

    @Test func `a daemon that is not there is 69, and the line names its socket`() throws {
        let place = try RuntimePlace.parse(["--runtime", "/nonexistent/claviger"])
        let fault = #expect(throws: CommandFault.self) { try AdminClient(place: place).ask("GET", "status") }
        #expect(fault?.kind == .unreachable)
        #expect(fault?.line?.contains("/nonexistent/claviger/admin.sock") == true)
    }

    @Test(arguments: [("a+b@c.de", "a%2Bb%40c.de"), ("Ü /", "%C3%9C%20%2F"), ("plain-1._~", "plain-1._~")])
    func `what goes into a path or query is percent-encoded`(text: String, encoded: String) {
        #expect(AdminClient.encoded(text) == encoded)
    }

    @Test func `a status reads as a table`() {
        var report = StatusReport(
            version: "1.0", process: 7, started: "2026-11-21T00:00:00Z", uptimeSeconds: 3700, snapshot: "abc",
            configuration: .init(generation: 3, since: "2026-11-21T00:30:00Z"), workers: 2,
            listeners: [.init(door: "public", address: "127.0.0.1:8080")],
            certificates: [.init(listener: "127.0.0.1:8080", expires: "2026-12-01T00:00:00Z"), .init(server: "crm", expires: "2027-01-01T00:00:00Z")],
            connections: .init(downstream: 1, upstream: 2, upstreamIdle: 1, exchanges: 0, streams: 0),
            store: .init(kind: "sealed_files", reads: 1, writes: 2, failures: 0),
            cache: .init(entries: 1, capacity: 10, hits: 5, negativeHits: 0, stale: 4, misses: 1, refreshes: 3, failedRefreshes: 2),
            oauth: .init(grants: 3, unsaved: 1, obtained: 7, ended: 1, refused: 1, unanswered: 1),
            log: .init(written: 9, dropped: 0), servers: [])
        report.servers = [
            .init(project: "acme", server: "crm", level: "user", status: "active", origin: "https://crm.example.com", exchanges: 12, refused: 1)
        ]
        let lines = Status.text(report).split(separator: "\n")
        #expect(lines[0] == "claviger 1.0, process 7, since 2026-11-21T00:00:00Z (1 h 1 min)")
        #expect(lines.contains("listener     127.0.0.1:8080 (public)"))
        #expect(lines.contains("certificate  127.0.0.1:8080 until 2026-12-01T00:00:00Z"))
        #expect(lines.contains("certificate  for server crm until 2027-01-01T00:00:00Z"))
        #expect(lines.contains("cache        1 entries; 5 hits, 0 known to be missing, 1 misses"))
        #expect(lines.contains("             3 refreshes, 2 failed; 4 served past their time"))
        #expect(lines.contains("oauth        3 grants in use; 7 tokens, 2 requests failed, 1 grants ended"))
        #expect(lines.contains("             1 grants are not yet in the store: end nothing until they are"))
        #expect(lines.suffix(2) == [
            "PROJECT  SERVER  LEVEL  STATUS  EXCHANGES  REFUSED  ORIGIN", "acme     crm     user   active  12         1        https://crm.example.com",
        ])
    }

    @Test func `credentials are listed with whose they are`() {
        let list = CredentialList(credentials: [
            .init(server: "crm", level: "user", user: "a@b.co", origin: "https://c", deposited: "d", updated: "u"),
            .init(server: "docs", level: "project", user: nil, origin: nil, deposited: nil, updated: nil),
        ])
        let lines = CredentialCommand.List.text(list, "acme").split(separator: "\n")
        #expect(lines == ["SERVER  LEVEL    USER         UPDATED  ORIGIN", "crm     user     a@b.co       u        https://c", "docs    project  (everybody)  -        -"])
        let rejected = CredentialList(credentials: [
            .init(server: "crm", level: "user", user: "a@b.co", origin: "https://c", deposited: "d", updated: "u", rejected: "r"),
            .init(server: "docs", level: "project", user: nil, origin: nil, deposited: nil, updated: nil, rejected: "s"),
        ])
        let remarks = CredentialCommand.List.text(rejected, "acme").split(separator: "\n").dropFirst(3)
        #expect(remarks.map { $0.hasPrefix("crm for a@b.co: rejected since r. ") || $0.hasPrefix("docs for everybody: rejected since s. ") } == [true, true])
        #expect(remarks.allSatisfy { $0.contains("deposit a new one") })
        #expect(CredentialCommand.List.text(CredentialList(credentials: []), "acme") == "acme has no credentials")
    }
}

@Suite struct FieldInputTests {
    func fields(_ text: String) throws(CommandFault) -> [String: String] {
        let found = try FieldInput.fields(Array(text.utf8).span.raw)
        return Dictionary(uniqueKeysWithValues: found.map { ($0.text, String(decoding: $1.bytes.copied(), as: UTF8.self)) })
    }

    @Test(arguments: [
        ("token=abc\n", ["token": "abc"]), ("token=abc", ["token": "abc"]), ("token=a=b==\n", ["token": "a=b=="]), ("token=\n", ["token": ""]),
        ("a=1\n\nb= 2 \n", ["a": "1", "b": " 2 "]), ("token=a\r\n", ["token": "a\r"]), ("", [:]),
    ])
    func `a value is everything behind the first =`(text: String, expected: [String: String]) throws {
        #expect(try fields(text) == expected)
    }

    @Test(arguments: ["token\n", "a=1\ncnry\n", "Token=cnry\n", "=cnry\n", "a=1\na=cnry\n", "a\u{0}=cnry\n"])
    func `a line that is none is named by its place, never by what is in it`(text: String) {
        let fault = #expect(throws: CommandFault.self) { try fields(text) }
        #expect(fault?.kind == .failed)
        #expect(fault?.line?.contains("cnry") == false)
    }
}
