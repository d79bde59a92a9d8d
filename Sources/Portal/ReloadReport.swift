// What a reload came to: as `POST /api/v1/reload` answers, `claviger reload` prints, and `status` remembers it.

internal import Hummingbird

package struct ReloadReport: Codable, Equatable, Sendable {
    package enum Result: String, Codable, Sendable, CaseIterable {
        /// What was read is in force.
        case done
        /// The configuration has errors: nothing has changed.
        case refused
        /// The configuration is right, and something that it needs cannot be had (an address, say): nothing has changed.
        case failed
    }

    package var result: Result
    /// RFC 3339, in UTC.
    package var time: String
    /// Who wanted it, as the audit writes it.
    package var by: [String]
    /// In force now: of both, also where nothing has changed.
    package var generation: Int
    package var snapshot: String
    package var changes: [Difference] = []
    /// Settings that differ from those at the start, and count only after a restart.
    package var needsRestart: [String] = []
    /// A line each: errors where it was not done, else warnings.
    package var problems: [String] = []

    package struct Difference: Codable, Equatable, Sendable, CustomStringConvertible {
        /// `server`, `project`, `navigator`, `key`, `listener` or `setting`.
        package let kind: String
        package let name: String
        /// `added`, `removed` or `changed`.
        package let what: String
        /// What of it has changed.
        package let keys: [String]

        package init(kind: String, name: String, what: String, keys: [String] = []) {
            self.kind = kind
            self.name = name
            self.what = what
            self.keys = keys
        }

        package var description: String {
            "\(kind) \(name) \(what)\(keys.isEmpty ? "" : ": \(keys.joined(separator: ", "))")"
        }
    }

    package init(result: Result, time: String, by: [String], generation: Int, snapshot: String) {
        self.result = result
        self.time = time
        self.by = by
        self.generation = generation
        self.snapshot = snapshot
    }

    enum CodingKeys: String, CodingKey {
        case result, time, by, generation, snapshot, changes, problems
        case needsRestart = "needs_restart"
    }

    static let shape = Shape.object([
        .needed("result", .word(Result.allCases.map(\.rawValue))), .needed("time", .time), .needed("by", .list(.text())), .needed("generation", .whole),
        .needed("snapshot", .text()),
        .needed(
            "changes",
            .list(.object([.needed("kind", .text()), .needed("name", .text()), .needed("what", .word(["added", "removed", "changed"])), .needed("keys", .list(.text()))]))),
        .needed("needs_restart", .list(.text())), .needed("problems", .list(.text())),
    ])

    private static func count(_ n: Int, _ word: String) -> String { "\(n) \(word)\(n == 1 ? "" : "s")" }

    /// What came of it, in a few words.
    package var summary: String {
        switch result {
        case .done: "generation \(generation), snapshot \(snapshot): \(changes.isEmpty ? "nothing changed" : ReloadReport.count(changes.count, "change"))"
        case .refused: "refused, \(ReloadReport.count(problems.count, "problem")): snapshot \(snapshot) stays in force"
        case .failed: "failed: snapshot \(snapshot) stays in force"
        }
    }

    /// The first line of what is said of it.
    package var headline: String {
        switch result {
        case .done: "reloaded: \(summary)"
        case .refused, .failed: "reload \(summary)"
        }
    }
}

/// What is answered where a reload was not done: the API's usual error, and every problem.
package struct ReloadRefusal: Codable, Equatable, Sendable {
    package let error: ErrorBody.Content
    package let problems: [String]

    init(_ report: ReloadReport) {
        error = ErrorBody.Content(code: report.result == .refused ? "bad_configuration" : "not_to_be_had", message: "R\(report.headline.dropFirst()).")
        problems = report.problems
    }
}

extension APIRoute {
    static let reload = APIRoute(.post, "/reload", "Reads the configuration again and puts it in force, if all of it is good.", answer: .json(.ok, ReloadReport.shape)) {
        portal, call async throws(APIFault) in
        let report = await portal.reload(call.principal)
        switch report.result {
        case .done: return .json(.ok, report)
        case .refused: return .json(.unprocessableContent, ReloadRefusal(report))
        case .failed: return .json(.conflict, ReloadRefusal(report))
        }
    }
}
