// Every directory under Fixtures is a configuration with the exact output that is expected of it.

import ConfigurationFiles
import Foundation
import Gateway
import Testing

struct FixtureTests {
    @Test(arguments: Fixture.all("invalid"))
    func `a wrong configuration is refused with every problem named`(fixture: Fixture) throws {
        let result = fixture.load()
        #expect(result.snapshot == nil)
        #expect(result.problems.contains { $0.severity == .error })
        try fixture.expect(fixture.text(of: result.problems))
    }

    @Test(arguments: Fixture.all("valid"))
    func `a good configuration means what it says`(fixture: Fixture) throws {
        let result = fixture.load()
        #expect(result.problems.allSatisfy { $0.severity == .warning })
        let snapshot = try #require(result.snapshot)
        try fixture.expect(fixture.text(of: result.problems) + "---\n" + describe(snapshot))
    }

    @Test func `there are enough of both`() {
        #expect(Fixture.all("invalid").count >= 45)
        #expect(Fixture.all("valid").count >= 15)
    }
}

/// A directory of `*.yaml` with `expected.txt`, and `environment.txt` where it needs variables or `purpose=serve`.
struct Fixture: Sendable, CustomTestStringConvertible {
    let directory: String

    var testDescription: String { directory.split(separator: "/").last.map(String.init) ?? directory }

    /// 2026-06-01T00:00:00Z: what is expired does not depend on the day.
    static let wallClock: Int64 = 1_780_272_000

    static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures").path

    static func all(_ kind: String) -> [Fixture] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(root)/\(kind)")) ?? []
        return names.sorted().map { Fixture(directory: "\(root)/\(kind)/\($0)") }
    }

    func load() -> Configuration.LoadResult {
        var environment: [String: String] = [:]
        let lines = (try? String(contentsOfFile: "\(directory)/environment.txt", encoding: .utf8)) ?? ""
        for line in lines.split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            environment[String(line[..<equals])] = String(line[line.index(after: equals)...]).replacing("DIRECTORY", with: directory)
        }
        let purpose: Configuration.Purpose = environment.removeValue(forKey: "purpose") == "serve" ? .serve : .check
        return Configuration.load(directory: directory, environment: environment, purpose: purpose, wallClock: Fixture.wallClock)
    }

    /// One line a problem, paths without the part that depends on the machine.
    func text(of problems: [Problem]) -> String {
        problems.map { "\($0)\n".replacing(directory, with: "conf.d").replacing("conf.d/", with: "") }.joined()
    }

    /// Compares with `expected.txt`; with CLAVIGER_RECORD in the environment, writes it, to be read before it is kept.
    func expect(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let file = "\(directory)/expected.txt"
        if ProcessInfo.processInfo.environment["CLAVIGER_RECORD"] != nil {
            try text.write(toFile: file, atomically: true, encoding: .utf8)
        }
        let expected = try String(contentsOfFile: file, encoding: .utf8)
        #expect(text == expected, sourceLocation: sourceLocation)
    }
}
