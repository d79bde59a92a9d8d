// The daemon's three directories: from a flag, from systemd's environment, or the usual ones.

internal import ArgumentParser
internal import FoundationEssentials

enum Places {
    static func configuration(_ flag: String?) -> String { place(flag, "CONFIGURATION_DIRECTORY", "/etc/claviger/conf.d") }
    static func state(_ flag: String?) -> String { place(flag, "STATE_DIRECTORY", "/var/lib/claviger") }
    static func runtime(_ flag: String?) -> String { place(flag, "RUNTIME_DIRECTORY", "/run/claviger") }

    static var environment: [String: String] { ProcessInfo.processInfo.environment }

    /// systemd's variables may name several directories; the first is ours (systemd.exec(5)).
    static func place(_ flag: String?, _ variable: String, _ usual: String, in environment: [String: String] = environment) -> String {
        if let flag { return flag }
        guard let value = environment[variable]?.split(separator: ":").first else { return usual }
        return String(value)
    }
}

struct ConfigurationPlace: ParsableArguments {
    @Option(
        name: .customLong("config"),
        help: ArgumentHelp("The configuration's directory (default: $CONFIGURATION_DIRECTORY or /etc/claviger/conf.d).", valueName: "dir"),
        completion: .directory)
    var directory: String?

    var path: String { Places.configuration(directory) }
}

/// Of a daemon that runs.
struct RuntimePlace: ParsableArguments {
    @Option(
        name: .customLong("runtime"),
        help: ArgumentHelp("The daemon's runtime directory (default: $RUNTIME_DIRECTORY or /run/claviger).", valueName: "dir"),
        completion: .directory)
    var directory: String?

    var path: String { Places.runtime(directory) }
    var adminSocket: String { "\(path)/admin.sock" }
}
