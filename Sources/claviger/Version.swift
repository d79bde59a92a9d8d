// Which version this is.

internal import ArgumentParser

enum Version {
    static let text = "0.1.0"
}

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Prints the version.")

    @Flag(help: "Print JSON.") var json = false

    func run() {
        print(json ? #"{"version":"\#(Version.text)"}"# : "claviger \(Version.text)")
    }
}
