// What the sources of AWS credentials look at and reach out with: the daemon's own, or a test's.

package import Gateway
package import Outbound
internal import Kernel

/// Every value is read when it is needed: files and programs may change while the daemon runs, the environment does not.
package struct AWSSurroundings: Sendable {
    package let environment: [String: String]
    package let client: any HTTPClient
    /// A file by its path, links followed, at most 64 KiB of it; nil where there is none.
    package let read: @Sendable (_ path: String) throws(AWSFileFault) -> AWSFile?
    /// What a program writes to its standard output.
    package let run: @Sendable (_ arguments: [String], _ environment: [String: String]) async throws(AWSProgramFault) -> Secret
    /// Seconds since 1970.
    package let wallClock: @Sendable () -> Int64
    /// What an operator should mend although it works.
    package let warn: @Sendable (String) -> Void

    package init(
        environment: [String: String], client: any HTTPClient, read: @escaping @Sendable (String) throws(AWSFileFault) -> AWSFile?,
        run: @escaping @Sendable ([String], [String: String]) async throws(AWSProgramFault) -> Secret,
        wallClock: @escaping @Sendable () -> Int64, warn: @escaping @Sendable (String) -> Void
    ) {
        self.environment = environment
        self.client = client
        self.read = read
        self.run = run
        self.wallClock = wallClock
        self.warn = warn
    }

    /// The same, warning nobody.
    var silent: AWSSurroundings {
        AWSSurroundings(environment: environment, client: client, read: read, run: run, wallClock: wallClock, warn: { _ in })
    }

    /// A variable's value; nil also where it is empty, as AWS has it.
    func variable(_ name: String) -> String? {
        guard let value = environment[name], !value.isEmpty else { return nil }
        return value
    }
}

package struct AWSFile: Sendable {
    package let content: Secret
    /// Whether more than its owner and his group may read it.
    package let isOpenToOthers: Bool

    package init(content: Secret, isOpenToOthers: Bool) {
        self.content = content
        self.isOpenToOthers = isOpenToOthers
    }
}

/// Why a file that is there could not be read.
package struct AWSFileFault: Error, Sendable {
    package let reason: String

    package init(_ reason: String) {
        self.reason = reason
    }
}

/// Why a program gave nothing. Nothing of what it wrote is in it.
package struct AWSProgramFault: Error, Sendable {
    package let reason: String

    package init(_ reason: String) {
        self.reason = reason
    }
}

extension AWSSurroundings {
    /// This machine's files, programs and time.
    package init(environment: [String: String], client: any HTTPClient, warn: @escaping @Sendable (String) -> Void) {
        self.init(
            environment: environment, client: client,
            read: { (path) throws(AWSFileFault) in try AWSSurroundings.file(at: path) },
            run: { (arguments, environment) async throws(AWSProgramFault) in try await AWSSurroundings.output(of: arguments, environment) },
            wallClock: { WallClock.milliseconds() / 1000 }, warn: warn)
    }

    private static func file(at path: String) throws(AWSFileFault) -> AWSFile? {
        do throws(SystemFault) {
            guard let content = try Files.read(path, atMost: 64 << 10) else { return nil }
            return AWSFile(content: Secret(copying: content.bytes), isOpenToOthers: content.status.mode & 0o004 != 0)
        } catch {
            throw AWSFileFault(error.reason)
        }
    }

    /// On a thread of its own, which waits for the program.
    private static func output(of arguments: [String], _ environment: [String: String]) async throws(AWSProgramFault) -> Secret {
        let program = Program(arguments: arguments, environment: environment, time: .seconds(60), output: 64 << 10)
        let result: Result<Secret, ProgramFault> = await withCheckedContinuation { continuation in
            do throws(SystemFault) {
                try Thread.start(name: "program") {
                    let result: Result<Secret, ProgramFault>
                    do throws(ProgramFault) { result = .success(Secret(try program.run())) } catch { result = .failure(error) }
                    continuation.resume(returning: result)
                }
            } catch {
                continuation.resume(returning: .failure(.notStarted(error)))
            }
        }
        do { return try result.get() } catch { throw AWSProgramFault("\(error)") }
    }
}
