// The commands' root: one binary, hardened before anything else, with the contract's exit codes.

internal import ArgumentParser
internal import Kernel

@main
struct Claviger: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "claviger",
        abstract: "A reverse proxy that puts the right person's credential into an agent's MCP requests.",
        discussion: "Exit codes: 0 done, 1 failed, 64 usage, 69 daemon not reachable, 78 configuration.",
        version: Version.text,
        subcommands: [
            Serve.self, Check.self, Status.self, Reload.self, Key.self, LinkCommand.self, UserCommand.self, CredentialCommand.self, TokenCommand.self,
            SignIn.self, Audit.self, Backup.self, VersionCommand.self, ManualCommand.self,
        ])

    static func main() {
        do throws(SystemFault) { try ProcessHardening.apply() } catch {
            CommandFault.failed("this process cannot be kept from being dumped or traced: \(error)").end()
        }
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let fault as CommandFault {
            fault.end()
        } catch {
            exit(withError: error)
        }
    }
}
