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
    @Flag(help: "Also ask the secret store, servers that use OAuth, and the issuers of tokens: what changes nothing.") var online = false

    func run() throws {
        let result = Configuration.load(directory: place.path, environment: Places.environment, purpose: .check)
        for problem in result.problems { print(problem) }
        guard let snapshot = result.snapshot else { throw CommandFault(kind: .configuration, line: nil) }
        _ = try Check.provisions(for: snapshot, metrics: SharedShard())
        print(Check.summary(of: snapshot, at: place.path))
        if online { try Check.ask(snapshot) }
    }

    /// What the store, the servers and their issuers answer; the task ends the process, this thread waits for a signal meanwhile and then cancels it.
    /// - Throws: 78 where the store cannot be opened as it is configured.
    private static func ask(_ snapshot: Snapshot) throws {
        let store = try open(snapshot.secrets)
        if store == nil {
            print("secret store: sealed files, nothing to ask")
            guard !oauthServers(of: snapshot).isEmpty || hasIssuers(snapshot) else { return }
        }
        Signals.hold()
        let asking = Task {
            do {
                if let store { try await greet(store) }
                // Of those that do not do, all are said.
                var fault: (any Error)?
                do { try await askOAuth(snapshot) } catch { fault = error }
                try await askIssuers(snapshot)
                if let fault { throw fault }
                Claviger.exit()
            } catch let fault as CommandFault {
                fault.end()
            } catch {
                CommandFault.failed("\(error)").end()
            }
        }
        _ = Signals.next()
        asking.cancel()
        throw CommandFault.failed("interrupted before everybody answered")
    }

    /// Nil for a store that is not asked over a network.
    private static func open(_ secrets: SecretsSettings) throws -> OpenedStore? {
        guard case .parameterStore = secrets else { return nil }
        do {
            return try OpenedStore.open(secrets, state: "", metrics: SharedShard()) { _, line in print(line) }
        } catch {
            throw placed(error)
        }
    }

    private static func greet(_ store: OpenedStore) async throws {
        do {
            try await store.findCredentials()
            let (isGood, line) = await store.greeting() ?? (true, "")
            guard isGood else { throw CommandFault(kind: .configuration, line: line) }
            print(line)
        } catch {
            throw placed(error)
        }
    }

    /// With the section of the configuration that it is about.
    private static func placed(_ error: any Error) -> CommandFault {
        guard let fault = error as? CommandFault else { return .failed("secrets.parameter_store: \(error)") }
        return CommandFault(kind: fault.kind, line: fault.line.map { "secrets.parameter_store: \($0)" })
    }

    /// - Parameter former: what is in force until now.
    /// - Throws: 78 where a server's or a listener's `tls` cannot be used.
    static func provisions(for snapshot: Snapshot, after former: Provisions? = nil, metrics: SharedShard) throws(CommandFault) -> Provisions {
        do {
            return try Provisions(snapshot, after: former, metrics: metrics)
        } catch {
            throw CommandFault(kind: .configuration, line: "certificates or authorities cannot be used: \(error)")
        }
    }

    static func summary(of snapshot: Snapshot, at path: String) -> String {
        func count(_ n: Int, _ word: String) -> String { "\(n) \(word)\(n == 1 ? "" : "s")" }
        let counts = [count(snapshot.projects.count, "project"), count(snapshot.servers.count, "server"), count(snapshot.keys.count, "key")]
        return "\(path): good, \(counts.joined(separator: ", "))"
    }
}
