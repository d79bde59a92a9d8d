// `claviger check`: everything that is wrong with the configuration, one problem a line.

internal import ArgumentParser
internal import ConfigurationFiles
internal import Gateway
internal import Kernel
internal import Metrics
internal import Proxy

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Checks the configuration as a whole.",
        discussion: "Prints FILE:LINE:COLUMN: message, one a line, warnings among them. Exit code 0 = good, 78 = it would not be served.")

    @OptionGroup var place: ConfigurationPlace
    @Flag(help: "Also ask the secret store, with a read that changes nothing.") var online = false

    func run() throws {
        let result = Configuration.load(directory: place.path, environment: Places.environment, purpose: .check)
        for problem in result.problems { print(problem) }
        guard let snapshot = result.snapshot else { throw CommandFault(kind: .configuration, line: nil) }
        try Check.authorities(of: snapshot)
        print(Check.summary(of: snapshot, at: place.path))
        if online { try Check.ask(snapshot) }
    }

    /// What the store answers, as one line; the task ends the process, this thread waits for a signal meanwhile and then cancels it.
    /// - Throws: 78 where it cannot be opened as it is configured.
    private static func ask(_ snapshot: Snapshot) throws {
        guard case .parameterStore = snapshot.secrets else {
            print("secret store: sealed files, nothing to ask")
            return
        }
        Signals.hold()
        let store: OpenedStore
        do {
            store = try OpenedStore.open(snapshot.secrets, state: "", metrics: SharedShard()) { _, line in print(line) }
        } catch {
            throw placed(error)
        }
        let asking = Task {
            do {
                try await store.findCredentials()
                let (isGood, line) = await store.greeting() ?? (true, "")
                guard isGood else { throw CommandFault(kind: .configuration, line: line) }
                print(line)
                Claviger.exit()
            } catch {
                placed(error).end()
            }
        }
        _ = Signals.next()
        asking.cancel()
        throw CommandFault.failed("interrupted before the secret store answered")
    }

    /// With the section of the configuration that it is about.
    private static func placed(_ error: any Error) -> CommandFault {
        guard let fault = error as? CommandFault else { return .failed("secrets.parameter_store: \(error)") }
        return CommandFault(kind: fault.kind, line: fault.line.map { "secrets.parameter_store: \($0)" })
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
