// What the tests of AWS credentials share: surroundings in memory, and services that answer by a script.

@testable import Credentials
import EventLoop
import Gateway
import Kernel
import Outbound
import Synchronization
import Testing

/// Everything that sources look at, in memory.
final class AWSWorld: Sendable {
    struct State {
        var environment: [String: String] = ["HOME": "/home/gate"]
        var files: [String: String] = [:]
        var openFiles: Set<String> = []
        var unreadable: Set<String> = []
        var now: Int64 = 1_700_000_000
        var warnings: [String] = []
        var requests: [OutboundRequest] = []
        var answers: [Result<OutboundResponse, OutboundFault>] = []
        /// Passed by the next request, before its answer.
        var gate: Gate?
        var programs: [[String]] = []
        var programEnvironment: [String: String] = [:]
        var output: Result<String, AWSProgramFault> = .failure(AWSProgramFault("nobody wrote it"))
    }

    let state = Mutex(State())

    init(_ environment: [String: String] = [:], files: [String: String] = [:]) {
        state.withLock { state in
            state.environment.merge(environment) { $1 }
            state.files = files
        }
    }

    var requests: [OutboundRequest] { state.withLock { $0.requests } }
    var warnings: [String] { state.withLock { $0.warnings } }

    func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }

    func advance(_ seconds: Int64) { state.withLock { $0.now += seconds } }

    /// The next request that nothing was queued for yet is answered so.
    func answer(_ body: String, status: Int = 200) {
        state.withLock { $0.answers.append(.success(OutboundResponse(status: status, body: Secret(body)))) }
    }

    func fail(_ kind: OutboundFault.Kind) {
        state.withLock { $0.answers.append(.failure(OutboundFault(kind, .safe, "sts.test: no answer"))) }
    }

    var around: AWSSurroundings {
        AWSSurroundings(
            environment: state.withLock { $0.environment }, client: ScriptedClient(world: self),
            read: { (path) throws(AWSFileFault) in try self.file(path) },
            run: { (arguments, environment) async throws(AWSProgramFault) in try self.program(arguments, environment) },
            wallClock: { self.state.withLock { $0.now } }, warn: { line in self.state.withLock { $0.warnings.append(line) } })
    }

    /// What the source in force gives.
    func grant(region: String? = "eu-central-1") async throws -> AWSGrant {
        try await AWSSourceOrder(around, region: region).choose().grant()
    }

    /// Why there is none.
    func fault(region: String? = "eu-central-1") async -> AWSCredentialFault? {
        do {
            _ = try await grant(region: region)
            Issue.record("there are credentials")
            return nil
        } catch {
            return error as? AWSCredentialFault
        }
    }

    private func file(_ path: String) throws(AWSFileFault) -> AWSFile? {
        let (text, isOpen, isUnreadable) = state.withLock { ($0.files[path], $0.openFiles.contains(path), $0.unreadable.contains(path)) }
        if isUnreadable { throw AWSFileFault("Permission denied") }
        return text.map { AWSFile(content: Secret($0), isOpenToOthers: isOpen) }
    }

    private func program(_ arguments: [String], _ environment: [String: String]) throws(AWSProgramFault) -> Secret {
        let output = state.withLock { state in
            state.programs.append(arguments)
            state.programEnvironment = environment
            return state.output
        }
        return Secret(try output.get())
    }
}

private struct ScriptedClient: HTTPClient {
    let world: AWSWorld

    func send(_ request: OutboundRequest) async throws(OutboundFault) -> OutboundResponse {
        let (answer, gate) = world.state.withLock { state in
            state.requests.append(request)
            let gate = state.gate
            state.gate = nil
            return (state.answers.isEmpty ? nil : state.answers.removeFirst(), gate)
        }
        await gate?.pass()
        guard let answer else { throw OutboundFault(.timedOut, .ifRepeatable, "no answer in time") }
        return try answer.get()
    }
}

extension OutboundRequest {
    /// A field's value as text.
    func field(_ name: String) -> String? {
        fields.first { $0.name == name }.map { field in
            switch field.value {
            case .text(let text): text
            case .secret(let secret): secret.text
            }
        }
    }
}

/// STS's answer as it writes JSON, times as numbers.
func roleJSON(_ key: String = "ASIAROLE", expires: Int64 = 1_700_003_600, action: String = "AssumeRole") -> String {
    """
    {"\(action)Response":{"\(action)Result":{"AssumedRoleUser":{"Arn":"arn:aws:sts::1:assumed-role/r/s","AssumedRoleId":"AROA:s"},\
    "Credentials":{"AccessKeyId":"\(key)","Expiration":\(expires).0,"SecretAccessKey":"role-secret","SessionToken":"role-token"},\
    "PackedPolicySize":null},"ResponseMetadata":{"RequestId":"c0ffee"}}}
    """
}

/// As instance metadata and container endpoints answer.
func metadataJSON(_ key: String = "ASIAMETA", expiration: String? = "2023-11-14T23:13:20Z") -> String {
    let expiry = expiration.map { ",\"Expiration\":\"\($0)\"" } ?? ""
    return "{\"Code\":\"Success\",\"LastUpdated\":\"2023-11-14T22:00:00Z\",\"Type\":\"AWS-HMAC\",\"AccessKeyId\":\"\(key)\","
        + "\"SecretAccessKey\":\"meta\\/secret\",\"Token\":\"meta-token\"\(expiry)}"
}
