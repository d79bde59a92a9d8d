// A Parameter Store in memory that speaks the protocol, and a store in front of it whose time stands still.

@testable import Credentials
import EventLoop
import Foundation
@testable import Gateway
import Kernel
import Metrics
import Outbound
import Synchronization
import Testing

/// Sleeps end when the test's clock comes to their time.
final class Sleeper: Sendable {
    let clock = TestClock()
    private let sleeping = Mutex<[(time: MonotonicTime, seat: Seat<Void>)]>([])

    var count: Int { sleeping.withLock { $0.count } }

    func sleep(until time: MonotonicTime) async {
        let seat = Seat<Void>()
        sleeping.withLock { $0.append((time, seat)) }
        wake()
        _ = await seat.outcome()
        sleeping.withLock { $0.removeAll { $0.seat === seat } }
    }

    func advance(_ duration: Duration) {
        clock.advance(duration)
        wake()
    }

    private func wake() {
        let now = clock.now
        let woken = sleeping.withLock { sleeping in
            let woken = sleeping.filter { $0.time <= now }
            sleeping.removeAll { $0.time <= now }
            return woken
        }
        for (_, seat) in woken { seat.resume(.success(())) }
    }
}

/// Answers the four operations out of a dictionary, unless it is told what to answer next.
final class FakeParameterStore: HTTPClient {
    struct Call: Sendable {
        let operation: String
        let request: OutboundRequest
        let at: MonotonicTime

        var body: [String: Any] {
            (try? JSONSerialization.jsonObject(with: Data(request.body?.octets ?? [])) as? [String: Any]) ?? [:]
        }

        var names: [String] { (body["Names"] as? [String] ?? []).sorted() }
    }

    struct State {
        var values: [String: String] = [:]
        var types: [String: String] = [:]
        var calls: [Call] = []
        var answers: [Result<OutboundResponse, OutboundFault>] = []
        /// Where a batch with this name is denied.
        var denied: String?
        var gate: Gate?
        var pageSize = 10
    }

    let state = Mutex(State())
    let clock: TestClock

    init(clock: TestClock) {
        self.clock = clock
    }

    var calls: [Call] { state.withLock { $0.calls } }
    var count: Int { state.withLock { $0.calls.count } }
    var operations: [String] { calls.map(\.operation) }
    var names: [[String]] { calls.map(\.names) }
    var times: [MonotonicTime] { calls.map(\.at) }

    func next(_ answers: Result<OutboundResponse, OutboundFault>...) {
        state.withLock { $0.answers += answers }
    }

    func send(_ request: OutboundRequest) async throws(OutboundFault) -> OutboundResponse {
        let gate = state.withLock { $0.gate }
        let answer = take(request)
        await gate?.pass()
        return try answer.get()
    }

    private func take(_ request: OutboundRequest) -> Result<OutboundResponse, OutboundFault> {
        let target = request.fields.first { $0.name == "X-Amz-Target" }
        guard case .text(let name)? = target?.value else { return .failure(OutboundFault(.invalid, .pointless, "no target")) }
        let operation = name.replacingOccurrences(of: "AmazonSSM.", with: "")
        let call = Call(operation: operation, request: request, at: clock.now)
        return state.withLock { state in
            let body = call.body
            state.calls.append(call)
            if !state.answers.isEmpty { return state.answers.removeFirst() }
            if let denied = state.denied, (body["Names"] as? [String])?.contains(denied) == true {
                return .success(.denied("ssm:\(operation)", on: "arn:aws:ssm:eu-west-1:1:parameter\(denied)"))
            }
            return .success(.json(FakeParameterStore.answer(operation, body, &state)))
        }
    }

    private static func answer(_ operation: String, _ body: [String: Any], _ state: inout State) -> [String: Any] {
        let names = body["Names"] as? [String] ?? []
        switch operation {
        case "GetParameters":
            let found = names.filter { state.values[$0] != nil }
            return [
                "Parameters": found.map { ["Name": $0, "Type": state.types[$0] ?? "SecureString", "Value": state.values[$0] ?? "", "Version": 1] },
                "InvalidParameters": names.filter { state.values[$0] == nil },
            ]
        case "DeleteParameters":
            let found = names.filter { state.values.removeValue(forKey: $0) != nil }
            return ["DeletedParameters": found, "InvalidParameters": names.filter { !found.contains($0) }]
        case "PutParameter":
            if let name = body["Name"] as? String { state.values[name] = body["Value"] as? String }
            return ["Version": 1, "Tier": "Standard"]
        default:
            let path = (body["Path"] as? String ?? "") + "/"
            let all = state.values.keys.filter { $0.hasPrefix(path) }.sorted()
            let start = (body["NextToken"] as? String).flatMap(Int.init) ?? 0
            let page = all.dropFirst(start).prefix(state.pageSize)
            var answer: [String: Any] = ["Parameters": page.map { ["Name": $0, "Type": "SecureString", "Value": "AQICAH=="] }]
            if start + page.count < all.count { answer["NextToken"] = String(start + page.count) }
            return answer
        }
    }
}

extension OutboundResponse {
    static func json(_ body: [String: Any], status: Int = 200, fields: [(name: String, value: String)] = []) -> OutboundResponse {
        let data = (try? JSONSerialization.data(withJSONObject: body)) ?? Data()
        return OutboundResponse(status: status, fields: fields, body: Secret(copying: Array(data).span.raw))
    }

    static func text(_ body: String, status: Int = 200, fields: [(name: String, value: String)] = []) -> OutboundResponse {
        OutboundResponse(status: status, fields: fields, body: Secret(body))
    }

    static func error(_ code: String, _ message: String = "", status: Int = 400, fields: [(name: String, value: String)] = []) -> OutboundResponse {
        .json(["__type": code, "message": message], status: status, fields: fields)
    }

    static func denied(_ action: String, on resource: String) -> OutboundResponse {
        .error(
            "AccessDeniedException",
            "User: arn:aws:sts::1:assumed-role/gw/i-1 is not authorized to perform: \(action) on resource: \(resource) because no identity-based policy allows the \(action) action")
    }
}

/// Gives one pair of credentials after the other, the next when one was rejected.
final class ScriptedProvider: AWSCredentialProvider {
    let rejections = SharedNumber()
    private let fault: AWSCredentialFault?

    init(fault: AWSCredentialFault? = nil) {
        self.fault = fault
    }

    func credentials() async throws(AWSCredentialFault) -> AWSCredentials {
        if let fault { throw fault }
        return AWSCredentials(accessKey: "AKIA\(rejections.value)", secretKey: Secret("secret"), sessionToken: Secret("token"), expires: nil)
    }

    func rejected(_ credentials: AWSCredentials) async {
        rejections.set(rejections.value + 1)
    }

    func status() async -> AWSCredentialStatus? { AWSCredentialStatus(source: "script", expires: nil) }
}

/// Where the settings and this environment say; no file is read.
func place(_ settings: ParameterStoreSettings, _ environment: [String: String] = [:]) throws -> ParameterStorePlace {
    let around = AWSSurroundings(
        environment: environment, client: FakeParameterStore(clock: TestClock()), read: { (_) throws(AWSFileFault) in nil },
        run: { (_, _) async throws(AWSProgramFault) in throw AWSProgramFault("nothing is run") }, wallClock: { 1_700_000_000 }, warn: { _ in })
    return try ParameterStorePlace(settings, try AWSSettings(around))
}

/// A store with everything that belongs to it.
final class StoreStage: Sendable {
    let sleeper = Sleeper()
    let fake: FakeParameterStore
    let provider: ScriptedProvider
    let metrics = Metrics(workers: 1, refusals: [], version: "test")
    let store: ParameterStore
    private let loop: TestLoop

    init(_ change: (inout ParameterStoreSettings) -> Void = { _ in }, provider: ScriptedProvider = ScriptedProvider(), random: UInt64 = 0) throws {
        var settings = ParameterStoreSettings()
        settings.region = "eu-west-1"
        change(&settings)
        loop = try TestLoop()
        fake = FakeParameterStore(clock: sleeper.clock)
        self.provider = provider
        let (sleeper, reported) = (sleeper, Reported())
        store = ParameterStore(
            settings, at: try place(settings), on: loop.loop, client: fake, credentials: provider,
            metrics: metrics.shared, clock: { sleeper.clock.now }, wallClock: { 1_700_000_000 }, random: { random },
            sleep: { await sleeper.sleep(until: $0) }, report: { _, line in reported.lines.withLock { $0.append(line) } })
        self.reported = reported
    }

    final class Reported: Sendable {
        let lines = Mutex<[String]>([])
    }

    let reported: Reported

    /// Starts a read, and returns when it is in line.
    func reading(_ names: [String], _ urgency: ReadUrgency = .waiting) async throws -> Task<[Reference: StoredSecret], any Error> {
        let references = try names.map { try #require(Reference(path: $0)) }
        let before = await store.inLine
        let (store, calls) = (store, fake.count)
        let task = Task<[Reference: StoredSecret], any Error> { try await store.read(references, urgency) }
        try await settle { await store.inLine > before || self.fake.count > calls }
        return task
    }

    /// A read by itself: its company's time passes.
    func read(_ name: String) async throws -> StoredSecret? {
        let task = try await reading([name])
        try await settle { self.sleeper.count > 0 || self.fake.count > 0 }
        sleeper.advance(.milliseconds(2))
        return try await task.value.values.first
    }
}

struct NotSettled: Error {}

/// Lets others run until `claim` is true.
func settle(_ claim: () async -> Bool) async throws {
    for _ in 0..<200_000 {
        if await claim() { return }
        await Task.yield()
    }
    Issue.record("what was waited for did not come")
    throw NotSettled()
}

extension StoredSecret {
    var text: String? {
        if case .value(let secret) = self { secret.text } else { nil }
    }

    var fault: StoreFault? {
        if case .damaged(let fault) = self { fault } else { nil }
    }
}
