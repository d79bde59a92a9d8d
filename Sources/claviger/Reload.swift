// `claviger reload`: the daemon reads its configuration again; what `systemctl reload` runs.

internal import ArgumentParser
internal import Curl
internal import FoundationEssentials
internal import Kernel
internal import Portal

struct Reload: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Has the daemon read its configuration again, and says what changed.",
        discussion: """
            Everything is read and checked before anything changes, and from its end on every request is decided by what was read. \
            Where the configuration has errors, nothing changes: they are printed as `check` prints them, and the exit code is 78.
            """)

    @OptionGroup var place: RuntimePlace
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
        let answer = try AdminClient(place: place, patience: .seconds(120)).answer("POST", "reload")
        if answer.status < 300 {
            guard let report = try? JSONDecoder().decode(ReloadReport.self, from: Data(answer.body)) else { throw CommandFault.notUnderstood }
            return print(json ? JSONText.of(report) : Reload.text(report))
        }
        guard let refusal = try? JSONDecoder().decode(ReloadRefusal.self, from: Data(answer.body)) else { throw AdminClient.fault(answer) }
        if answer.status == 422 {
            for problem in refusal.problems { print(problem) }
            throw CommandFault(kind: .configuration, line: refusal.error.message)
        }
        throw CommandFault.failed("\(refusal.error.message) \(refusal.problems.joined(separator: "; "))")
    }

    static func text(_ report: ReloadReport) -> String {
        var lines = [report.headline] + report.changes.map { "  \($0)" }
        lines += report.needsRestart.map { "needs a restart: \($0)" }
        return (lines + report.problems).joined(separator: "\n")
    }
}
