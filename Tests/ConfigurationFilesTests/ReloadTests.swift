// A configuration read again: what is said to have changed, what stays the same object, and what waits for a restart.

import ConfigurationFiles
import Foundation
import Gateway
import Testing

struct ReloadTests {
    /// The configuration that every test changes something of.
    private static let text = """
        gateway:
          listen: [ { address: 127.0.0.1:8080 }, { address: 127.0.0.1:8081 } ]
          workers: 2
          timeouts: { idle: 75s }
        servers:
          crm: { url: https://crm.example.com/mcp, auth: header, headers: { Authorization: "Bearer {token}" } }
          docs: { url: https://docs.example.com/mcp, auth: none }
        projects:
          acme:
            servers: { crm: {}, docs: {} }
            navigators:
              support:
                users: { domains: [acme.com] }
                keys: [ { id: 7q2m4k, sha256: 0000000000000000000000000000000000000000000000000000000000000000 } ]
        """

    private let directory: TemporaryDirectory
    private let former: Snapshot

    init() throws {
        directory = try TemporaryDirectory(["a.yaml": ReloadTests.text])
        former = try #require(ReloadTests.load(directory).snapshot)
    }

    private static func load(_ directory: TemporaryDirectory, _ environment: [String: String] = [:], after former: Snapshot? = nil) -> Configuration.LoadResult {
        Configuration.load(directory: directory.path, environment: environment, purpose: .serve, wallClock: 1_780_000_000, after: former)
    }

    /// The snapshot after the text's `old` has become `new`, and what changed.
    private func reloaded(_ old: String = "", _ new: String = "") throws -> (snapshot: Snapshot, changes: [String]) {
        #expect(old.isEmpty || ReloadTests.text.contains(old))
        let text = old.isEmpty ? ReloadTests.text : ReloadTests.text.replacing(old, with: new)
        try directory.write("a.yaml", Array(text.utf8))
        let snapshot = try #require(ReloadTests.load(directory, after: former).snapshot)
        return (snapshot, snapshot.outline.changes(since: former.outline).map(\.description))
    }

    @Test func `the same text changes nothing, and its servers and instances are the same objects`() throws {
        let (snapshot, changes) = try reloaded()
        #expect(changes.isEmpty)
        for (name, server) in snapshot.servers { #expect(former.servers[name] === server) }
        let acme = try #require(ProjectName("acme"))
        #expect(snapshot.projects[acme]?.instances.values.map(ObjectIdentifier.init) == former.projects[acme]?.instances.values.map(ObjectIdentifier.init))
        #expect(snapshot.projects[acme]?.navigators.values.first !== former.projects[acme]?.navigators.values.first)
    }

    @Test(arguments: [
        ("idle: 75s", "idle: 70s", ["setting gateway.timeouts.idle changed"]),
        ("timeouts: { idle: 75s }", "timeouts: { idle: 75s, head: 9s }", ["setting gateway.timeouts.head added"]),
        ("  timeouts: { idle: 75s }\n", "", ["setting gateway.timeouts.idle removed"]),
        (", { address: 127.0.0.1:8081 }", "", ["listener 127.0.0.1:8081 removed"]),
        ("127.0.0.1:8081", "127.0.0.1:8082", ["listener 127.0.0.1:8081 removed", "listener 127.0.0.1:8082 added"]),
        ("docs.example.com/mcp", "docs.example.com/mcp/", ["server docs changed: url"]),
        ("Bearer {token}", "Token {token}", ["server crm changed: headers"]),
        ("docs: {} }", "docs: { status: paused } }", ["project acme changed: servers.docs"]),
        ("servers: { crm: {}, docs: {} }", "title: Acme\n    servers: { crm: {} }", ["project acme changed: servers.docs, title"]),
        ("domains: [acme.com]", "domains: [acme.com, acme.org]", ["navigator acme/support changed: users"]),
        ("sha256: 0", "note: spare, sha256: 0", ["key 7q2m4k changed: note"]),
        ("id: 7q2m4k", "id: 8q2m4k", ["key 7q2m4k removed", "key 8q2m4k added"]),
        ("      support:", "      helpdesk:", ["navigator acme/helpdesk added", "navigator acme/support removed", "key 7q2m4k changed: navigator"]),
        ("  acme:", "  globex:", [
            "project acme removed", "project globex added", "navigator acme/support removed", "navigator globex/support added", "key 7q2m4k changed: navigator",
        ]),
    ])
    func `what changed is listed by what people speak of`(old: String, new: String, expected: [String]) throws {
        #expect(try reloaded(old, new).changes == expected)
    }

    @Test func `only what is written otherwise is another object`() throws {
        let (crm, docs, acme) = (try #require(ServerName("crm")), try #require(ServerName("docs")), try #require(ProjectName("acme")))
        let snapshot = try reloaded("Bearer {token}", "Token {token}").snapshot
        #expect(snapshot.servers[crm] !== former.servers[crm])
        #expect(snapshot.servers[docs] === former.servers[docs])
        #expect(snapshot.projects[acme]?.instance(crm) !== former.projects[acme]?.instance(crm))
        #expect(snapshot.projects[acme]?.instance(docs) === former.projects[acme]?.instance(docs))
        let paused = try reloaded("docs: {} }", "docs: { status: paused } }").snapshot
        #expect(paused.servers[docs] === former.servers[docs])
        #expect(paused.projects[acme]?.instance(docs)?.status == .paused)
    }

    @Test func `a time-out that servers inherit makes them others`() throws {
        let docs = try #require(ServerName("docs"))
        let snapshot = try reloaded("idle: 75s", "idle: 75s, connect: 1s").snapshot
        #expect(snapshot.servers[docs] !== former.servers[docs])
        #expect(snapshot.servers[docs]?.timeouts.connect == .seconds(1))
    }

    @Test func `what a restart alone changes stays, and is known as such`() throws {
        let (snapshot, changes) = try reloaded("workers: 2", "workers: 7")
        #expect(snapshot.gateway.workers == 2)
        #expect(changes == ["setting gateway.workers changed"])
        for path in ["gateway.workers", "secrets", "secrets.sealed_files.key", "secrets.parameter_store.region", "log.format"] {
            #expect(Setting.needsRestart(path), "\(path)")
        }
        for path in ["gateway", "gateway.timeouts.idle", "log.level", "log.user", "trace.otlp", "cache.ttl", "secretsauce"] { #expect(!Setting.needsRestart(path), "\(path)") }
    }

    @Test func `a reference counts as what it brings, and a file as what stands in it`() throws {
        let mail = "portal: { sign_in: { email_code: { smtp: \"smtps://mail.example.com\", user: u, password: \"${env:WORD}\", from: a@example.com } } }\n"
        let certificate = "-----BEGIN CERTIFICATE-----\n"
        try directory.write("ca.pem", Array((certificate + "one").utf8))
        let text = ReloadTests.text.replacing("auth: none", with: "auth: none, tls: { ca: \(directory.path)/ca.pem }")
        try directory.write("a.yaml", Array((mail + text).utf8))
        let first = try #require(ReloadTests.load(directory, ["WORD": "swordfish"]).snapshot)
        let same = try #require(ReloadTests.load(directory, ["WORD": "swordfish"], after: first).snapshot)
        #expect(same.outline.changes(since: first.outline).isEmpty)
        let docs = try #require(ServerName("docs"))
        #expect(same.servers[docs] === first.servers[docs])
        try directory.write("ca.pem", Array((certificate + "two").utf8))
        let second = try #require(ReloadTests.load(directory, ["WORD": "haddock"], after: first).snapshot)
        let changes = second.outline.changes(since: first.outline).map(\.description)
        #expect(changes == ["server docs changed: tls", "setting portal.sign_in.email_code.password changed"])
        #expect(second.servers[docs] !== first.servers[docs])
    }

    @Test func `the order of a server's fields counts, the order of servers does not`() throws {
        let swapped = try reloaded("auth: none }", "auth: none }\n  zz: { url: https://z.example.com, auth: none }").snapshot
        let two = ReloadTests.text.replacing("headers: { Authorization: \"Bearer {token}\" }", with: "headers: { A: \"{token}\", B: \"{token}\" }")
        try directory.write("a.yaml", Array(two.utf8))
        let first = try #require(ReloadTests.load(directory, after: swapped).snapshot)
        try directory.write("a.yaml", Array(two.replacing("A: \"{token}\", B: \"{token}\"", with: "B: \"{token}\", A: \"{token}\"").utf8))
        let second = try #require(ReloadTests.load(directory, after: first).snapshot)
        #expect(second.outline.changes(since: first.outline).map(\.description) == ["server crm changed: headers"])
    }
}
