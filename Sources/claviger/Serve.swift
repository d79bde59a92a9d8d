// `claviger serve`: the daemon, in the foreground, until a signal ends it.

internal import ArgumentParser
internal import ConfigurationFiles
internal import Kernel
internal import Proxy
internal import Systemd

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs the gateway in the foreground.",
        discussion: "SIGHUP has it read its configuration again. SIGTERM and SIGINT end it after what is under way, within timeouts.drain; a second one ends it at once.")

    @OptionGroup var configurationPlace: ConfigurationPlace
    @Option(
        name: .customLong("state"),
        help: ArgumentHelp("Where it keeps state and secrets (default: $STATE_DIRECTORY or /var/lib/claviger).", valueName: "dir"),
        completion: .directory)
    var state: String?
    @OptionGroup var runtimePlace: RuntimePlace

    func run() throws {
        let result = Configuration.load(directory: configurationPlace.path, environment: Places.environment, purpose: .serve)
        guard let snapshot = result.snapshot else {
            for problem in result.problems { StandardError.write(Array("\(problem)\n".utf8).span.raw) }
            throw CommandFault(kind: .configuration, line: nil)
        }
        // Before there is a second thread, so that none takes a signal by its default action.
        Signals.hold()
        Files.createPrivately()
        let directories = Directories(state: Places.state(state), runtime: runtimePlace.path)
        try directories.make()
        let daemon = try Daemon(
            snapshot, from: configurationPlace.path, in: directories, handedOver: try takeSockets(), warnings: result.problems.map(\.description))
        let (signals, incoming) = AsyncStream.makeStream(of: Signal.self)
        // The task ends the process; this thread is the one that waits for signals.
        Task {
            do {
                try await daemon.run(until: signals)
                endProcess(0)
            } catch {
                (error as? CommandFault ?? .failed("\(error)")).end()
            }
        }
        while true { incoming.yield(Signals.next()) }
    }
}

extension Serve {
    /// What systemd opened for the daemon.
    private func takeSockets() throws -> [HandedSocket] {
        var sockets: [HandedSocket] = []
        var fault: ListenFault?
        do throws(SystemFault) {
            try ActivatedSocket.takeAll { socket in
                let name = socket.name
                do throws(ListenFault) {
                    sockets.append(try HandedSocket(socket.take(), named: name))
                } catch {
                    fault = error
                }
            }
        } catch {
            throw CommandFault.failed("LISTEN_FDS or LISTEN_PID makes no sense: \(error.reason)")
        }
        if let fault { throw CommandFault.failed("\(fault)") }
        return sockets
    }
}

/// Where the daemon keeps what it keeps.
struct Directories {
    let state: String
    let runtime: String

    var adminSocket: String { "\(runtime)/admin.sock" }
    var portalSocket: String { "\(runtime)/portal.sock" }

    /// Makes those that are not there: state for the daemon alone, runtime so that others reach admin.sock.
    func make() throws(CommandFault) {
        for (path, mode) in [(state, UInt32(0o700)), (runtime, 0o755)] {
            do throws(SystemFault) {
                let isNew = (try? Directory(path)) == nil
                let directory = try Directory(path, createdWith: mode)
                // The mask of the process must not decide.
                if isNew { try directory.setMode(mode) }
            } catch {
                throw .failed("\(path): \(error.reason): make the directory, or name another with --state or --runtime")
            }
        }
    }
}
