// The reference pages say what is declared. `make reference` writes them.

import ConfigurationFiles
import Foundation
import Gateway
import Metrics
import Telemetry
import Testing

@Suite struct ReferencePageTests {
    struct Page: Sendable, CustomTestStringConvertible {
        /// From the package's root.
        let path: String
        let text: String

        var testDescription: String { path }
        var file: URL { URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../\(path)").standardizedFileURL }
    }

    static let pages = [
        Page(path: "Sources/Metrics/Documentation.docc/Metrics.md", text: Family.reference),
        Page(path: "Sources/ConfigurationFiles/Documentation.docc/Settings.md", text: Setting.reference),
        Page(path: "Sources/Telemetry/Documentation.docc/LogFields.md", text: LogField.reference),
        Page(path: "Sources/Gateway/Documentation.docc/Refusals.md", text: RefusalCode.reference),
    ]

    @Test(arguments: pages) func `a reference page is what is declared`(page: Page) throws {
        if ProcessInfo.processInfo.environment["CLAVIGER_WRITE_REFERENCE"] != nil {
            try FileManager.default.createDirectory(at: page.file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(page.text.utf8).write(to: page.file)
        }
        let written = try String(contentsOf: page.file, encoding: .utf8)
        #expect(written == page.text, "\(page.path) differs from the declarations: make reference")
    }
}
