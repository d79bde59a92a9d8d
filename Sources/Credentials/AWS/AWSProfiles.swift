// The profiles of the shared configuration and credentials files, found where AWS's tools look for them, and the one that is in force.

internal import Gateway
internal import Kernel

struct AWSProfiles: Sendable {
    /// Both files' paths; nil where there is no home directory to look in.
    let configurationPath: String?
    let credentialsPath: String?
    /// The profile in force: AWS_PROFILE, else `default`.
    let name: String
    /// The variable that asks for it; nil also where that asks for what is the default.
    let namedBy: String?
    private let configuration: AWSProfileFile
    private let credentials: AWSProfileFile

    /// Reads both files anew.
    ///
    /// - Throws: where a file is malformed, or is named by a variable and cannot be read. One that is not there is as good as empty.
    init(_ around: AWSSurroundings) throws(AWSCredentialFault) {
        let variable = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"].first { around.variable($0) != nil }
        name = variable.flatMap(around.variable) ?? "default"
        namedBy = name == "default" ? nil : variable
        (configurationPath, configuration) = try AWSProfiles.file("AWS_CONFIG_FILE", "config", .configuration, around)
        (credentialsPath, credentials) = try AWSProfiles.file("AWS_SHARED_CREDENTIALS_FILE", "credentials", .credentials, around)
    }

    /// Nil where neither file has it.
    subscript(name: String) -> AWSProfile? {
        let (configured, secrets) = (configuration.profiles[name], credentials.profiles[name])
        guard configured != nil || secrets != nil else { return nil }
        return AWSProfile(name: name, configured: configured ?? [:], secrets: secrets ?? [:], in: self)
    }

    /// The profile in force, nil where there is none by that name.
    var current: AWSProfile? { self[name] }

    func endpoint(of service: String, named services: String) -> String? {
        configuration.services[services]?[service]
    }

    /// For words: where profiles were looked for.
    var places: String {
        let paths = [configurationPath, credentialsPath].compactMap(\.self)
        return paths.isEmpty ? "the home directory (HOME is not set)" : paths.joined(separator: " or ")
    }

    private static func file(
        _ variable: String, _ name: String, _ form: AWSProfileFile.Form, _ around: AWSSurroundings
    ) throws(AWSCredentialFault) -> (String?, AWSProfileFile) {
        let named = around.variable(variable)
        guard let path = expanded(named ?? "~/.aws/\(name)", around) else { return (named, AWSProfileFile()) }
        let file: AWSFile?
        do throws(AWSFileFault) {
            file = try around.read(path)
        } catch {
            // Nobody asked for it: a home that is closed to the daemon is as good as empty.
            guard named != nil else { return ("\(path) (cannot be read: \(error.reason))", AWSProfileFile()) }
            throw AWSCredentialFault(isPassing: false, "\(path) (\(variable)) cannot be read: \(error.reason)")
        }
        guard let file else { return (path, AWSProfileFile()) }
        if form == .credentials, file.isOpenToOthers { around.warn("\(path): everyone may read these AWS credentials: chmod 600 \(path)") }
        do throws(AWSProfileFile.Malformed) {
            return (path, try AWSProfileFile(file.content.bytes, form))
        } catch {
            throw AWSCredentialFault(isPassing: false, "\(path):\(error.line): neither a [section] nor a setting: write NAME = VALUE, or remove the line")
        }
    }

    private static func expanded(_ path: String, _ around: AWSSurroundings) -> String? {
        guard path.utf8.starts(with: "~/".utf8) else { return path }
        return around.variable("HOME").map { "\($0)/\(path.dropFirst(2))" }
    }
}

/// A profile, both files' settings taken together.
struct AWSProfile: Sendable {
    let name: String
    private let configured: AWSProfileFile.Section
    private let secrets: AWSProfileFile.Section
    private let configurationPath: String
    private let credentialsPath: String

    init(name: String, configured: AWSProfileFile.Section, secrets: AWSProfileFile.Section, in files: AWSProfiles) {
        self.name = name
        self.configured = configured
        self.secrets = secrets
        configurationPath = files.configurationPath ?? ""
        credentialsPath = files.credentialsPath ?? ""
    }

    /// The credentials file's counts before the configuration file's. Nil also where nothing stands behind the `=`.
    subscript(setting: AWSSetting) -> String? {
        secret(setting).map { String(decoding: $0.bytes.copied(), as: UTF8.self) }
    }

    private func secret(_ setting: AWSSetting) -> Secret? {
        guard let value = secrets[setting] ?? configured[setting], value.count > 0 else { return nil }
        return value
    }

    /// Keys that stand in the credentials file.
    func keysOfCredentialsFile() throws(AWSCredentialFault) -> AWSGrant? {
        try keys(secrets, credentialsPath)
    }

    /// Keys that stand in the configuration file.
    func keysOfConfigurationFile() throws(AWSCredentialFault) -> AWSGrant? {
        try keys(configured, configurationPath)
    }

    private func keys(_ section: AWSProfileFile.Section, _ path: String) throws(AWSCredentialFault) -> AWSGrant? {
        func value(_ setting: AWSSetting) -> Secret? { section[setting].flatMap { $0.count > 0 ? $0 : nil } }
        guard let access = value(.accessKey) else { return nil }
        guard let secret = value(.secretKey) else {
            throw AWSCredentialFault(isPassing: false, "profile \(name) of \(path): \(AWSSetting.accessKey.rawValue) without \(AWSSetting.secretKey.rawValue)")
        }
        return AWSGrant(
            AWSCredentials(
                accessKey: String(decoding: access.bytes.copied(), as: UTF8.self), secretKey: secret, sessionToken: value(.sessionToken), expires: nil),
            from: "profile \(name) of \(path)")
    }
}
