// ParameterStore when it is refused: what is tried again, when it is left alone, and what is said.

@testable import Credentials
@testable import Gateway
import Kernel
import Metrics
import Outbound
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct ParameterStoreFaultTests {
    private let throttled = OutboundResponse.error("ThrottlingException", "Rate exceeded")

    /// A read that comes to a fault; sleeps end at once.
    private func fault(_ answers: [OutboundResponse], stage: StoreStage? = nil) async throws -> StoreFault {
        let stage = try stage ?? StoreStage()
        for answer in answers { stage.fake.next(.success(answer)) }
        return try #require(await #expect(throws: StoreFault.self) { try await stage.read("/claviger/a") })
    }

    // MARK: Again

    @Test func `what may pass is tried three times more, within the budget`() async throws {
        let stage = try StoreStage()
        let fault = try await fault([throttled, throttled, throttled, throttled], stage: stage)
        #expect(fault.kind == .throttled && stage.fake.count == 4)
        #expect(stage.metrics.value(.read, .throttled) == 4)
    }

    @Test func `one that passes is nobody's business`() async throws {
        let stage = try StoreStage()
        stage.fake.state.withLock { $0.values["/claviger/a"] = "1" }
        stage.fake.next(.success(throttled), .failure(OutboundFault(.broken, .ifRepeatable, "reset")), .success(.text("", status: 503)))
        #expect(try await stage.read("/claviger/a")?.text == "1")
    }

    @Test func `a wish to be left alone is kept to the second`() async throws {
        let stage = try StoreStage()
        stage.fake.next(.success(.error("ThrottlingException", status: 429, fields: [("retry-after", "3")])))
        let task = try await stage.reading(["/claviger/a"])
        stage.sleeper.advance(.milliseconds(2))
        try await settle { stage.fake.count == 1 && stage.sleeper.count == 1 }
        stage.sleeper.advance(.seconds(3) - .nanoseconds(1))
        try await Task.sleep(for: .zero)
        #expect(stage.fake.count == 1)
        stage.sleeper.advance(.nanoseconds(1))
        _ = try await task.value
        #expect(stage.fake.count == 2)
    }

    @Test func `a wish that lasts longer than anybody waits is the end`() async throws {
        let stage = try StoreStage()
        let fault = try await fault([.error("ThrottlingException", status: 429, fields: [("retry-after", "30")])], stage: stage)
        #expect(fault.kind == .throttled && stage.fake.count == 1)
    }

    // MARK: The circuit

    @Test func `five failures in a row, and everybody is refused at once until a try succeeds`() async throws {
        let stage = try StoreStage()
        for _ in 0..<5 { stage.fake.next(.success(.text("", status: 500))) }
        _ = try await fault([], stage: stage)
        let opening = try await fault([], stage: stage)
        #expect(opening.retryAfter != nil && stage.fake.count == 5)
        #expect(stage.metrics.value(.storeCircuit) == 2)
        let refused = await #expect(throws: StoreFault.self) { try await stage.store.read([#require(Reference(path: "/claviger/a"))], .waiting) }
        #expect(refused?.description.contains("try again in 1 s") == true)
        #expect(refused?.retryAfter == .milliseconds(500) && refused?.description.contains("status 500") == true)
        await #expect(throws: StoreFault.self) { try await stage.store.write(Secret("v"), to: #require(Reference(path: "/claviger/a"))) }
        #expect(stage.fake.count == 5)
        stage.sleeper.advance(.milliseconds(500))
        #expect(await stage.store.isFailing, "nothing is known to have got better")
        #expect(try await stage.read("/claviger/a") == nil)
        #expect(await !stage.store.isFailing)
        #expect(stage.fake.count == 6 && stage.metrics.value(.storeCircuit) == 0)
        #expect(stage.reported.lines.withLock { $0.count } == 2)
    }

    @Test func `a request is told when the store may be asked again`() async throws {
        let stage = try Stage()
        stage.store.state.withLock { $0.fault = StoreFault(.unavailable, "left alone", retryAfter: .seconds(7)) }
        let crm = try instance(of: try server())
        let ann = try user("ann@acme.com")
        let refusal = await #expect(throws: Refusal.self) { try await stage.ask(crm, ann) }
        #expect(refusal?.code == .storeUnavailable && refusal?.retryAfter == .seconds(7))
    }

    @Test func `a try that fails is not made again, and is reported once in all`() async throws {
        let stage = try StoreStage()
        for _ in 0..<6 { stage.fake.next(.success(.text("", status: 500))) }
        _ = try await fault([], stage: stage)
        _ = try await fault([], stage: stage)
        stage.sleeper.advance(.milliseconds(500))
        let fault = try await fault([], stage: stage)
        #expect(fault.retryAfter == .seconds(1) && stage.fake.count == 6)
        #expect(stage.reported.lines.withLock { $0.count } == 1)
    }

    @Test func `those in line when it opens are let go`() async throws {
        let stage = try StoreStage()
        for _ in 0..<5 { stage.fake.next(.success(.text("", status: 500))) }
        _ = try await fault([], stage: stage)
        let ahead = try await stage.reading(["/claviger/ahead"], .ahead)
        let reference = try #require(Reference(path: "/claviger/a"))
        await #expect(throws: StoreFault.self) { try await stage.store.delete(reference) }
        let fault = await #expect(throws: StoreFault.self) { try await ahead.value }
        #expect(fault?.retryAfter != nil)
        #expect(await stage.store.inLine == 0)
    }

    @Test func `a denial tells nothing of the store's health`() async throws {
        let stage = try StoreStage { $0.reads = Rate(count: 100, per: .seconds(1)) }
        for _ in 0..<12 { _ = try await fault([.denied("ssm:GetParameters", on: "arn:aws:ssm:eu-west-1:1:parameter/claviger/a")], stage: stage) }
        #expect(stage.fake.count == 12 && stage.metrics.value(.storeCircuit) == 0)
        #expect(stage.metrics.value(.read, .denied) == 12)
    }

    @Test func `the end lets everybody go`() async throws {
        let stage = try StoreStage()
        let gate = Gate()
        stage.fake.state.withLock { $0.gate = gate }
        let flying = try await stage.reading(["/claviger/a"])
        stage.sleeper.advance(.milliseconds(2))
        try await settle { stage.fake.count == 1 }
        let inLine = try await stage.reading(["/claviger/b"])
        await stage.store.close()
        await #expect(throws: StoreFault.self) { try await inLine.value }
        await gate.open()
        _ = try? await flying.value
    }

    // MARK: Credentials

    @Test(arguments: ["ExpiredTokenException", "UnrecognizedClientException", "InvalidSignatureException", "com.amazon.coral.service#ExpiredTokenException"])
    func `credentials that are not taken are asked for once more`(code: String) async throws {
        let stage = try StoreStage()
        stage.fake.state.withLock { $0.values["/claviger/a"] = "1" }
        stage.fake.next(.success(.error(code)))
        #expect(try await stage.read("/claviger/a")?.text == "1")
        #expect(stage.provider.rejections.value == 1)
        #expect(stage.fake.calls.map(\.request.signature?.accessKey) == ["AKIA0", "AKIA1"])
    }

    @Test func `and not a second time`() async throws {
        let stage = try StoreStage()
        let fault = try await fault([.error("ExpiredTokenException"), .error("ExpiredTokenException")], stage: stage)
        #expect(fault.kind == .denied && fault.description.contains("expired") && stage.fake.count == 2)
    }

    @Test func `without credentials nothing is sent, and it is said`() async throws {
        let stage = try StoreStage(provider: ScriptedProvider(fault: AWSCredentialFault(isPassing: false, "environment: AWS_ACCESS_KEY_ID is not set")))
        let fault = try await fault([], stage: stage)
        #expect(fault.kind == .denied && fault.description.contains("AWS_ACCESS_KEY_ID") && stage.fake.count == 0)
    }

    // MARK: Words

    @Test func `a denial names action, resource and who asked`() async throws {
        let fault = try await fault([.denied("ssm:GetParameters", on: "arn:aws:ssm:eu-west-1:1:parameter/claviger/a")])
        #expect(fault.kind == .denied)
        for words in ["ssm:GetParameters", "arn:aws:ssm:eu-west-1:1:parameter/claviger/a", "arn:aws:sts::1:assumed-role/gw/i-1", "IAM policy"] {
            #expect(fault.description.contains(words))
        }
    }

    @Test func `a denial by KMS names the key and its policy`() async throws {
        let fault = try await fault([.denied("kms:Decrypt", on: "arn:aws:kms:eu-west-1:1:key/1234")])
        #expect(fault.kind == .denied && fault.description.contains("kms:Decrypt on arn:aws:kms:eu-west-1:1:key/1234") && fault.description.contains("key's own policy"))
    }

    @Test(arguments: [
        (.error("AccessDeniedException"), .denied, "ssm:GetParameters"),
        (.text("<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: arn:aws:iam::1:user/x is not authorized to perform: ssm:GetParameters on resource: *</Message></Error></ErrorResponse>", status: 403), .denied, "arn:aws:iam::1:user/x"),
        (.text("<Response><Errors><Error><Code>SignatureDoesNotMatch</Code></Error></Errors></Response>", status: 403), .denied, "secret access key"),
        (.text("", status: 400, fields: [("x-amzn-errortype", "AccessDeniedException:http://internal.amazon.com/")]), .denied, "ssm:GetParameters"),
        (.error("InvalidSignatureException", "Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z"), .denied, "clock"),
        (.error("RequestTimeTooSkewed", fields: [("date", "Tue, 14 Nov 2023 22:20:00 GMT")]), .denied, "by 400 s"),
        (.error("RequestTimeTooSkewed", fields: [("date", "Tue, 14 Nov 2023 22:13:20 GMT")]), .denied, "agree now"),
        (.error("InvalidSignatureException", "Credential should be scoped to a valid region, not 'eu-west-1'."), .misconfigured, "`region` and `endpoint`"),
        (.error("InvalidKeyId"), .misconfigured, "kms_key"),
        (.error("UnknownOperationException"), .misconfigured, "endpoint"),
        (.text("<html>Not Found</html>", status: 404), .misconfigured, "status 404"),
        (.text("<html>Forbidden by proxy</html>", status: 403), .denied, "status 403"),
        (.text("<html>Forbidden by proxy</html>", status: 403), .denied, "/claviger/a"),
        (.text("not json", status: 400), .unavailable, "is the endpoint Parameter Store's"),
        (.text("not json", status: 500), .unavailable, "health dashboard"),
        (.error("AccessDeniedException", "No access to reserved parameter name: /awsome/a."), .misconfigured, "another `prefix`"),
        (.error("ValidationException", "Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive)."), .misconfigured, "another `prefix`"),
        (.error("ParameterMaxVersionLimitExceeded"), .rejected, "label"),
        (.error("SomethingNew"), .unavailable, "SomethingNew"),
        (.text("not json", status: 500), .unavailable, "status 500"),
    ] as [(OutboundResponse, StoreFault.Kind, String)])
    func `an error of any form has its kind and its remedy`(answer: OutboundResponse, kind: StoreFault.Kind, words: String) async throws {
        let fault = try await fault([answer, answer, answer, answer])
        #expect(fault.kind == kind && fault.description.contains(words), "\(fault)")
        #expect(fault.description.contains("eu-west-1") && fault.description.contains("https://ssm.eu-west-1.amazonaws.com"))
    }

    @Test(arguments: [
        "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access. (Service: AWSKMS; Status Code: 400; Error Code: AccessDeniedException; Request ID: 1)",
        "User: arn:aws:sts::1:assumed-role/gw/i-1 is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext (Service: AWSKMS; Status Code: 400)",
    ])
    func `a denial by KMS is known by its words, and names parameter, key policy and setting`(message: String) async throws {
        let fault = try await fault([.error("AccessDeniedException", message)])
        for words in ["kms:Decrypt on /claviger/a", "key's own policy", "`kms_key`", "eu-west-1"] { #expect(fault.description.contains(words), "\(fault)") }
        #expect(fault.kind == .denied && !fault.description.contains("ssm:GetParameters"))
    }

    @Test func `a denial by KMS of a write names what a write needs`() async throws {
        let stage = try StoreStage()
        stage.fake.next(.success(.error("KMSAccessDeniedException", "no")))
        let fault = await #expect(throws: StoreFault.self) { try await stage.store.write(Secret("v"), to: #require(Reference(path: "/claviger/a"))) }
        #expect(fault?.description.contains("kms:Encrypt and kms:GenerateDataKey on /claviger/a") == true)
    }

    @Test(arguments: [
        OutboundResponse.error("AccessDeniedException"),
        .error("AccessDeniedException", "User: arn:aws:iam::1:user/x is not authorized to perform: ssm:GetParameters on resource: *"),
    ])
    func `a denial that names no resource names what was asked for`(answer: OutboundResponse) async throws {
        #expect(try await fault([answer]).description.contains("ssm:GetParameters on /claviger/a"))
        let stage = try StoreStage()
        stage.fake.next(.success(.error("AccessDeniedException")))
        let listing = await #expect(throws: StoreFault.self) { try await stage.store.list(under: "/claviger/acme/") }
        #expect(listing?.description.contains("ssm:GetParametersByPath on /claviger/acme") == true)
    }

    @Test(arguments: [
        (.unreachable, "127.0.0.1:9: Failed to connect to 127.0.0.1 port 9 after 0 ms: Could not connect to server", "Could not connect to server: does something listen there"),
        (.unresolved, "127.0.0.1:9: Could not resolve host: 127.0.0.1", "its name does not resolve: is `region` right"),
    ] as [(OutboundFault.Kind, String, String)])
    func `no answer says the address once, and what to look at`(kind: OutboundFault.Kind, words: String, expected: String) async throws {
        let stage = try StoreStage { $0.endpoint = "http://127.0.0.1:9" }
        for _ in 0..<4 { stage.fake.next(.failure(OutboundFault(kind, .safe, words))) }
        let fault = try await fault([], stage: stage)
        #expect(fault.description.contains("at http://127.0.0.1:9: \(expected)"), "\(fault)")
        #expect(fault.description.split(separator: "127.0.0.1", omittingEmptySubsequences: false).count == 2)
    }

    @Test func `an answer of no form counts as invalid`() async throws {
        let stage = try StoreStage()
        let page = OutboundResponse.text("<html>Sign in</html>")
        let fault = try await fault([page, page, page, page], stage: stage)
        #expect(fault.kind == .unavailable && fault.description.contains("is the endpoint one?"))
        #expect(stage.metrics.value(.read, .invalid) == 4 && stage.metrics.value(.read, .unavailable) == 0)
    }

    @Test(arguments: [
        (.unresolved, .safe, .unavailable, "region"), (.timedOut, .ifRepeatable, .timedOut, "h"), (.unreachable, .safe, .unavailable, "h"),
        (.untrusted, .pointless, .unavailable, "h"), (.tooLarge, .pointless, .unavailable, "h"), (.invalid, .pointless, .misconfigured, "h"),
    ] as [(OutboundFault.Kind, OutboundFault.Retry, StoreFault.Kind, String)])
    func `no answer has its kind, and is tried again where that may help`(kind: OutboundFault.Kind, retry: OutboundFault.Retry, expected: StoreFault.Kind, words: String) async throws {
        let stage = try StoreStage()
        for _ in 0..<4 { stage.fake.next(.failure(OutboundFault(kind, retry, "h: it failed"))) }
        let fault = try await fault([], stage: stage)
        #expect(fault.kind == expected && fault.description.contains(words) && fault.description.contains("h: it failed"))
        #expect(stage.fake.count == (retry == .pointless ? 1 : 4))
    }

    @Test func `no message of AWS's is repeated: its validation quotes values`() async throws {
        let quoted = "1 validation error detected: Value 'cnry-quoted' at 'value' failed to satisfy constraint: Member must have length less than or equal to 4096"
        let stage = try StoreStage()
        stage.fake.next(.success(.error("ValidationException", quoted)))
        let fault = await #expect(throws: StoreFault.self) { try await stage.store.write(Secret("cnry-quoted"), to: #require(Reference(path: "/claviger/a"))) }
        #expect(fault?.kind == .rejected && fault?.description.contains("4 KB") == true)
        #expect(fault?.description.contains("cnry") == false)
    }
}
