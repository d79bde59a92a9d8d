// The page of the cache's states names the tests that hold them: each is there.

import Foundation
import Testing

@Suite struct StatesPageTests {
    @Test func `every test that the page names is there`() throws {
        let tests = URL(filePath: #filePath).deletingLastPathComponent()
        let page = tests.appending(path: "../../Sources/Credentials/Documentation.docc/StatesOfTheCache.md")
        let sources = try FileManager.default.contentsOfDirectory(at: tests, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "swift" }
            .map { try String(contentsOf: $0, encoding: .utf8) }
            .joined()
        let text = try String(contentsOf: page, encoding: .utf8)
        // A sentence between backticks is a test's name; one word is a setting's or a type's.
        let names = text.matches(of: /`([a-z][^`\n]* [^`\n]*)`/).map { String($0.output.1) }
        #expect(names.count >= 30)
        for name in names { #expect(sources.contains("func `\(name)`"), "\(name)") }
    }
}
