// credential_process: a program of the operator's that prints credentials.

internal import Gateway
internal import Kernel
internal import Outbound

/// Nothing that the program writes is ever said: not its standard error either, which may hold secrets.
struct AWSProcessSource: AWSSource {
    let arguments: [String]
    /// Of the profile that says it.
    let place: String
    let around: AWSSurroundings

    /// - Parameter command: as in the profile.
    init(_ command: String, of profile: String, around: AWSSurroundings) throws(AWSCredentialFault) {
        place = "credential_process of profile \(profile)"
        guard let arguments = AWSCommandLine.split(command), !arguments.isEmpty else {
            throw AWSCredentialFault(isPassing: false, "\(place): a quote is not closed, or a backslash stands at the end")
        }
        self.arguments = arguments
        self.around = around
    }

    func grant() async throws(AWSCredentialFault) -> AWSGrant {
        let output: Secret
        do throws(AWSProgramFault) {
            output = try await around.run(arguments, environment)
        } catch {
            throw AWSCredentialFault(isPassing: true, "\(place): \(error.reason): run it by hand, as the daemon's user, to see why")
        }
        guard let answer = AWSAnswer(output.bytes) else { throw fault("what it prints is no JSON") }
        guard answer.text("Version") == "1" else { throw fault("it prints no Version 1") }
        guard let access = answer.text("AccessKeyId"), let secret = answer["SecretAccessKey"] else { throw fault("it prints no AccessKeyId and SecretAccessKey") }
        var expires: Int64?
        if let expiry = answer.text("Expiration") {
            guard let time = AWSTime.seconds(expiry) else { throw fault("its Expiration is no time such as 2026-01-31T12:00:00Z") }
            expires = time
        }
        return AWSGrant(
            AWSCredentials(accessKey: access, secretKey: secret, sessionToken: answer["SessionToken"], expires: expires), from: place)
    }

    /// The daemon's own, but for what only concerns the daemon's supervisor.
    private var environment: [String: String] {
        var environment = around.environment
        for name in ["NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { environment[name] = nil }
        return environment
    }

    private func fault(_ words: String) -> AWSCredentialFault {
        AWSCredentialFault(isPassing: false, "\(place): \(words)")
    }
}
