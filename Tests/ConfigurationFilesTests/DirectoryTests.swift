// What the loader asks of the directory and of the files that values come from.

import ConfigurationFiles
import Foundation
import Gateway
import TLS
import Testing

struct DirectoryTests {
    private func problems(_ directory: TemporaryDirectory, _ environment: [String: String] = [:], purpose: Configuration.Purpose = .check) -> [String] {
        Configuration.load(directory: directory.path, environment: environment, purpose: purpose, wallClock: Fixture.wallClock)
            .problems.map { $0.description.replacing(directory.path, with: "DIR") }
    }

    @Test func `a directory that is not there is named`() {
        let result = Configuration.load(directory: "/nonexistent/conf.d/", environment: [:], purpose: .serve, wallClock: 0)
        #expect(result.snapshot == nil)
        #expect(result.problems.map(\.description) == ["/nonexistent/conf.d:1:1: is no directory that can be read; name the configuration's with `--config DIR`"])
    }

    @Test func `a directory without files is named`() throws {
        let directory = try TemporaryDirectory(["notes.txt": "gateway: {}", ".hidden.yaml": "nonsense"])
        #expect(problems(directory) == ["DIR:1:1: holds no configuration; put settings into a file such as `claviger.yaml` there, or name another directory with `--config DIR`"])
    }

    @Test func `what everyone may write is refused`() throws {
        let directory = try TemporaryDirectory(["a.yaml": "log: { level: info }\n"])
        try directory.setMode("a.yaml", 0o602)
        #expect(problems(directory) == ["DIR/a.yaml:1:1: is not safe to take settings from: everyone may write it; take that away: chmod o-w"])
        try directory.setMode("a.yaml", 0o600)
        try directory.setMode("", 0o777)
        #expect(problems(directory) == ["DIR:1:1: is not safe to take settings from: everyone may write it; take that away: chmod o-w"])
    }

    @Test func `the daemon's own group may write`() throws {
        let directory = try TemporaryDirectory(["a.yaml": "log: { level: info }\n"])
        try directory.setMode("a.yaml", 0o660)
        #expect(problems(directory).isEmpty)
    }

    @Test func `another group may not`() throws {
        let directory = try TemporaryDirectory(["a.yaml": "log: { level: info }\n"])
        // Only root can give a file to a group that is not his.
        guard (try? FileManager.default.setAttributes([.groupOwnerAccountID: 54_321], ofItemAtPath: "\(directory.path)/a.yaml")) != nil else { return }
        try directory.setMode("a.yaml", 0o660)
        let found = problems(directory)
        #expect(found.count == 1 && found[0].contains("which is neither root's nor the daemon's"))
    }

    @Test func `a file that is none cannot be read`() throws {
        let directory = try TemporaryDirectory(["a.yaml": "log: { level: info }\n"])
        try FileManager.default.createDirectory(atPath: "\(directory.path)/b.yaml", withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(atPath: "\(directory.path)/c.yaml", withDestinationPath: "/nonexistent")
        #expect(problems(directory) == [
            "DIR/b.yaml:1:1: cannot be read; check that it is a file and who may read it",
            "DIR/c.yaml:1:1: cannot be read; check that it is a file and who may read it",
        ])
    }

    @Test func `a link to a file is that file`() throws {
        let target = try TemporaryDirectory(["real": "log: { level: loud }\n"])
        let directory = try TemporaryDirectory()
        try FileManager.default.createSymbolicLink(atPath: "\(directory.path)/a.yaml", withDestinationPath: "\(target.path)/real")
        #expect(problems(directory).count == 1)
    }

    @Test func `of a file's value one trailing newline is dropped`() throws {
        let directory = try TemporaryDirectory(["value": "warning\n", "more": "warning\n\n"])
        try directory.write("a.yaml", Array("log: { level: \"${file:\(directory.path)/value}\" }\n".utf8))
        #expect(problems(directory).isEmpty)
        try directory.write("a.yaml", Array("log: { level: \"${file:\(directory.path)/more}\" }\n".utf8))
        #expect(problems(directory) == ["DIR/a.yaml:1:15: `level` must be `debug`, `info`, `warning` or `error`; what the reference brings is not"])
    }

    @Test func `a key that others may read is refused`() throws {
        let directory = try TemporaryDirectory(["key": String(repeating: "0f", count: 32)])
        try directory.write("a.yaml", Array("secrets: { sealed_files: { key: \"${file:\(directory.path)/key}\" } }\n".utf8))
        #expect(problems(directory, purpose: .serve).isEmpty)
        try directory.setMode("key", 0o604)
        let found = problems(directory, purpose: .serve)
        #expect(found.count == 1 && found[0].contains("everyone may read"))
    }

    @Test func `a value that does not fit is never repeated when a reference brought it`() throws {
        let canary = "canary-1b9f"
        let directory = try TemporaryDirectory(["a.yaml": """
            gateway: { listen: [ { address: "${env:C}" } ], hosts: ["${env:C}:1"], public_url: "${env:C}", workers: "${env:C}", allowed_origins: ["${env:C}"], trusted_proxies: ["${env:C}"] }
            gateway_: "${env:C}"
            secrets: { sealed_files: { directory: "${env:C}", key: "${env:C}" } }
            log: { access: "${env:C}", user: "${env:C}" }
            servers: { a: { url: "${env:C}", auth: "${env:C}", tls: { ca: "${env:C}" } }, b: { url: "https://user:\(canary)@x/", auth: none } }
            projects: { p: { servers: { a: {} }, navigators: { n: { keys: [ { id: "${env:C}", sha256: "${env:C}", expires: "${env:C}" } ], users: { domains: ["${env:C}@"], emails: ["${env:C}"] }, rate: "${env:C}" } } } }
            """])
        let found = problems(directory, ["C": canary])
        #expect(found.count > 15)
        #expect(found.allSatisfy { !$0.contains(canary) })
    }

    @Test func `the digest says what the files say`() throws {
        let directory = try TemporaryDirectory(["a.yaml": "log: { level: info }\n"])
        func digest() -> [UInt64] {
            let words = Configuration.load(directory: directory.path, environment: [:], purpose: .check, wallClock: 0).snapshot?.digest.words
            return words.map { [$0.0, $0.1, $0.2, $0.3] } ?? []
        }
        let first = digest()
        #expect(!first.isEmpty && first == digest())
        try directory.write("a.yaml", Array("log: { level: debug }\n".utf8))
        #expect(digest() != first)
    }
}
