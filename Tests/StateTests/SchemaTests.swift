// The tables, as their chapter has them.

import Foundation
import GRDB
@testable import State
import Testing

@Suite struct SchemaTests {
    @Test func `every table stands in the chapter of the database`() async throws {
        let world = try StateWorld()
        defer { world.remove() }
        let tables = try await StateDatabase(inState: world.path).read { database in
            try String.fetchAll(
                database, sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'grdb_%'")
        }
        let page = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources/State/Documentation.docc/TheDatabase.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        #expect(tables.count >= 9)
        for table in tables { #expect(text.contains("`\(table)`")) }
    }
}
