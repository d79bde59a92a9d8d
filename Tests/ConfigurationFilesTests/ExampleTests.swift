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
        #expect(snapshot.servers.count == 7 && snapshot.projects.count == 1 && snapshot.keys.count == 2)
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
