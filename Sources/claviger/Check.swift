// `claviger check`: everything that is wrong with the configuration, one problem a line.

internal import ArgumentParser
internal import ConfigurationFiles
internal import Gateway
internal import Proxy

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Checks the configuration as a whole.",
        discussion: "Prints FILE:LINE:COLUMN: message, one a line, warnings among them. Exit code 0 = good, 78 = it would not be served.")

    @OptionGroup var place: ConfigurationPlace

    func run() throws {
        let result = Configuration.load(directory: place.path, environment: Places.environment, purpose: .check)
        for problem in result.problems { print(problem) }
        guard let snapshot = result.snapshot else { throw CommandFault(kind: .configuration, line: nil) }
        try Check.authorities(of: snapshot)
        print(Check.summary(of: snapshot, at: place.path))
    }

    /// - Throws: 78 where a server's `tls.ca` cannot be used.
    @discardableResult
    static func authorities(of snapshot: Snapshot) throws(CommandFault) -> UpstreamContexts {
        do {
            return try UpstreamContexts(for: snapshot)
        } catch {
            throw CommandFault(kind: .configuration, line: "an upstream's certificate authorities cannot be used: \(error)")
        }
    }

    static func summary(of snapshot: Snapshot, at path: String) -> String {
        func count(_ n: Int, _ word: String) -> String { "\(n) \(word)\(n == 1 ? "" : "s")" }
        let counts = [count(snapshot.projects.count, "project"), count(snapshot.servers.count, "server"), count(snapshot.keys.count, "key")]
        return "\(path): good, \(counts.joined(separator: ", "))"
    }
}
