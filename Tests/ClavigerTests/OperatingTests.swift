// The chapter Operating and its alerts speak of what there is.

import ConfigurationFiles
import Foundation
import Gateway
import Metrics
import Testing

@Suite struct OperatingTests {
    private static let catalogue = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Sources/claviger/Documentation.docc").standardizedFileURL

    private let chapter: String
    private let alerts: String

    init() throws {
        chapter = try String(contentsOf: Self.catalogue.appending(path: "Operating.md"), encoding: .utf8)
        alerts = try String(contentsOf: Self.catalogue.appending(path: "Resources/alerts.yaml"), encoding: .utf8)
    }

    @Test func `each alert has its section, in the same order`() {
        let rules = alerts.matches(of: /- alert: (\w+)/).map { String($0.1) }
        let sections = chapter.matches(of: /\n### (Claviger\w+)\n/).map { String($0.1) }
        #expect(rules.count > 10)
        #expect(rules == sections)
    }

    @Test func `alerts and chapter name metrics that there are`() {
        let names = Set(Family.all.map(\.name))
        let histograms = Set(Family.all.filter { $0.kind == .histogram }.map(\.name))
        let used = (alerts + chapter).matches(of: /\bclaviger_[a-z_]+/).map { String($0.0) }
        #expect(used.count > 10)
        for name in used where !names.contains(name) {
            let family = name.replacing(/_(bucket|sum|count)$/, with: "")
            #expect(histograms.contains(family), "\(name) is no metric")
        }
    }

    @Test func `alerts ask for labels and values that there are`() throws {
        let families = Dictionary(Family.all.map { ($0.name, $0) }) { first, _ in first }
        for match in alerts.matches(of: /(claviger_[a-z_]+)\{([a-z_]+)=~?"([^"]*)"\}/) {
            let family = try #require(families[String(match.1)])
            let label = try #require(family.labels.first { $0.name == match.2 }, "\(match.1) has no label \(match.2)")
            // A refusal's codes are not listed by the metric.
            let known = label.name == "refusal" ? Set(RefusalCode.allCases.map { "`\($0.rawValue)`" }) : Set(label.values.components(separatedBy: ", "))
            for value in match.3.split(separator: "|") { #expect(known.contains("`\(value)`"), "\(label.name) of \(family.name) is never \(value)") }
        }
    }

    @Test func `the chapter names settings that there are`() {
        let paths = Set(Setting.all.map(\.path))
        let sections = paths.filter { !$0.contains(".") }
        let named = chapter.matches(of: /`([a-z_]+)(\.[a-z_*\[\].]+)`/).filter { sections.contains(String($0.1)) && ![".sock", ".key"].contains($0.2) }
        #expect(named.count > 5)
        for setting in named.map({ String($0.1 + $0.2) }) {
            let isDeclared = paths.contains(setting)
            #expect(isDeclared, "\(setting) is no setting")
        }
    }
}
