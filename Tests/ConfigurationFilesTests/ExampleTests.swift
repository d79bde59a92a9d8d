// conf.d: the examples load as they are.

import ConfigurationFiles
import Foundation
import Gateway
import Testing

struct ExampleTests {
    private static let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../conf.d").standardized.path

    @Test func `the examples load without a problem`() throws {
        let result = Configuration.load(directory: ExampleTests.directory, environment: [:], purpose: .serve, wallClock: Fixture.wallClock)
        #expect(result.problems.map(\.description) == [])
        let snapshot = try #require(result.snapshot)
        #expect(snapshot.servers.count == 8 && snapshot.projects.count == 1 && snapshot.keys.count == 2)
    }

    @Test func `the gateway's example says the defaults`() throws {
        let example = try TemporaryDirectory()
        try example.write("a.yaml", Array(try Data(contentsOf: URL(filePath: "\(ExampleTests.directory)/10-gateway.yaml"))))
        let empty = try TemporaryDirectory(["a.yaml": "log: {}\n"])
        let texts = try [example, empty].map { directory in
            describe(try #require(Configuration.load(directory: directory.path, environment: [:], purpose: .serve, wallClock: 0).snapshot))
        }
        #expect(texts[0] == texts[1])
    }
}

/// The YAML of the documentation, block by block.
struct DocumentationTests {
    struct Block: Sendable, CustomTestStringConvertible {
        let place: String
        let yaml: String

        var testDescription: String { place }

        static let all: [Block] = {
            let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
            let files = ["README.md"] + (FileManager.default.enumerator(atPath: root.appending(path: "Sources").path)?.compactMap { $0 as? String } ?? [])
                .filter { $0.hasSuffix(".md") }.sorted().map { "Sources/\($0)" }
            return files.flatMap { file in
                let text = (try? String(contentsOf: root.appending(path: file), encoding: .utf8)) ?? ""
                return text.components(separatedBy: "```yaml\n").dropFirst().enumerated().map { number, rest in
                    Block(place: "\(file) block \(number + 1)", yaml: rest.components(separatedBy: "```")[0])
                }
            }
        }()
    }

    /// P-256, made for this test.
    private static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg150iwKTYQFsNcjZ4
        asL+znVtfr6iX0R7WUTmsIJ0tYKhRANCAARpWfHMi2LVYe/fRb1uFko5FYqwq+tO
        cLiXfoO98gxNstMCxkVBHNOmJx6XraykOOBJM/kO6lux/yxaR8t1nzEX
        -----END PRIVATE KEY-----
        """

    @Test func `there are such blocks`() {
        #expect(Block.all.count { $0.place.contains("ConnectingServers.md") } >= 9)
        #expect(Block.all.contains { $0.place.contains("ParameterStore.md") })
    }

    @Test(arguments: Block.all)
    func `a block loads without a problem`(block: Block) throws {
        let files = try TemporaryDirectory(["a.yaml": block.yaml])
        var secrets: [String: String] = [:]
        for match in block.yaml.matches(of: /\$\{credential:([^}]+)\}/) {
            let name = String(match.1)
            secrets[name] = name.hasSuffix(".pem") ? DocumentationTests.key : "hunter2"
        }
        let credentials = try TemporaryDirectory(secrets)
        let result = Configuration.load(
            directory: files.path, environment: ["CREDENTIALS_DIRECTORY": credentials.path], purpose: .serve, wallClock: Fixture.wallClock)
        #expect(result.problems.map(\.message) == [])
        #expect(result.snapshot != nil)
    }
}
