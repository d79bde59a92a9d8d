// The dashboard in the documentation shows metrics that there are, and leaves out none that tells of trouble.

import Foundation
import Metrics
import Testing

@Suite struct DashboardTests {
    private static let file = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Sources/Metrics/Documentation.docc/Resources/dashboard.json").standardizedFileURL

    private let expressions: [String]

    init() throws {
        let board = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: Self.file)) as? [String: Any])
        let panels = try #require(board["panels"] as? [[String: Any]])
        let targets = panels.flatMap { $0["targets"] as? [[String: Any]] ?? [] }
        let variables = ((board["templating"] as? [String: Any])?["list"] as? [[String: Any]] ?? []).compactMap { $0["definition"] as? String }
        expressions = targets.compactMap { $0["expr"] as? String } + variables
    }

    /// The families that an expression names, a histogram's parts by the family's name.
    private func families(in expression: String) -> [Family?] {
        expression.matches(of: /\b(?:claviger|process)_[a-z_]+/).map { match in
            let name = String(match.0)
            return Family.all.first { $0.name == name } ?? Family.all.first { $0.kind == .histogram && $0.name == name.replacing(/_(bucket|sum|count)$/, with: "") }
        }
    }

    @Test func `it names no metric that there is not`() {
        #expect(expressions.count > 30)
        for expression in expressions {
            let named = families(in: expression)
            #expect(!named.isEmpty && !named.contains { $0 == nil }, "\(expression)")
        }
    }

    @Test func `it shows traffic and every part that can be in trouble`() {
        let shown = Set(expressions.flatMap { families(in: $0).compactMap { $0?.name } })
        let parts = ["requests", "exchange", "own", "upstream", "downstream", "streams", "cache", "store", "oauth", "access", "log", "spans", "certificate", "portal"]
        for part in parts {
            let families = Family.all.filter { $0.name.hasPrefix("claviger_\(part)_") }
            #expect(!families.isEmpty, "no metric begins with claviger_\(part)_")
            for family in families { #expect(shown.contains(family.name), "\(family.name) is not on the dashboard") }
        }
        for family in Family.all where family.name.hasPrefix("process_") { #expect(shown.contains(family.name), "\(family.name) is not on the dashboard") }
    }

    @Test func `it groups and selects by labels that the metric has`() throws {
        for expression in expressions where !expression.hasPrefix("label_values") {
            let known = Set(families(in: expression).flatMap { $0?.labels.map(\.name) ?? [] }).union(["instance", "job", "le"])
            let grouped = expression.matches(of: /by \(([a-z_, ]+)\)/).flatMap { $0.1.split(separator: ", ").map(String.init) }
            let selected = expression.matches(of: /[{,]([a-z_]+)(?:=~|!=|=)/).map { String($0.1) }
            for label in grouped + selected { #expect(known.contains(label), "\(label): \(expression)") }
        }
    }
}
