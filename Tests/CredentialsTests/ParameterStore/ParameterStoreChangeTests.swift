// ParameterStore's writes, deletions and listings, and where it is.

@testable import Credentials
import Foundation
@testable import Gateway
import Kernel
import Metrics
import Outbound
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct ParameterStoreChangeTests {
    private let a: Reference

    init() throws {
        a = try #require(Reference(path: "/claviger/acme/shared/crm"))
    }

    @Test func `a value is put as it is, with key, tier and overwriting`() async throws {
        let stage = try StoreStage {
            $0.kmsKey = "alias/claviger"
            $0.tier = .intelligent
        }
        let value = "{\"token\":\"a\\\\b\\\"c\u{1}/\u{e9}\"}"
        try await stage.store.write(Secret(value), to: a)
        let call = try #require(stage.fake.calls.first)
        #expect(call.body as NSDictionary == ["Name": a.path, "Value": value, "Type": "SecureString", "Overwrite": true, "Tier": "Intelligent-Tiering", "KeyId": "alias/claviger"])
        #expect(call.request.url == "https://ssm.eu-west-1.amazonaws.com/" && call.request.method == .post)
        let signature = try #require(call.request.signature)
        #expect(signature.region == "eu-west-1" && signature.service == "ssm" && signature.sessionToken?.text == "token")
        #expect(stage.metrics.value(.write, .ok) == 1)
    }

    @Test func `without a key the account's own is AWS's to choose`() async throws {
        let stage = try StoreStage()
        try await stage.store.write(Secret("v"), to: a)
        let call = try #require(stage.fake.calls.first)
        #expect(call.body["KeyId"] == nil && call.body["Tier"] as? String == "Standard")
    }

    @Test(arguments: [(ParameterTier.standard, 4096), (.advanced, 8192), (.intelligent, 8192)])
    func `a value that is too long is not sent, and the setting is named`(tier: ParameterTier, limit: Int) async throws {
        let stage = try StoreStage { $0.tier = tier }
        try await stage.store.write(Secret(String(repeating: "x", count: limit)), to: a)
        let fault = await #expect(throws: StoreFault.self) { try await stage.store.write(Secret(String(repeating: "x", count: limit + 1)), to: a) }
        #expect(fault?.kind == .rejected && stage.fake.count == 1)
        #expect(fault?.description.contains("tier: intelligent") == (tier == .standard))
    }

    @Test func `writes and deletions share a budget, and deletions in line travel together`() async throws {
        let stage = try StoreStage { $0.writes = Rate(count: 9, per: .seconds(1)) }
        for number in 0..<3 { try await stage.store.write(Secret("v"), to: try #require(Reference(path: "/claviger/w\(number)"))) }
        let store = stage.store
        stage.fake.state.withLock { $0.values["/claviger/d3"] = "v" }
        let tasks = try (0..<12).map { number in
            let reference = try #require(Reference(path: "/claviger/d\(number)"))
            return Task { try await store.delete(reference) }
        }
        try await settle { await store.deletionsInLine == 12 }
        #expect(stage.fake.count == 3)
        stage.sleeper.advance(.seconds(1))
        for (number, task) in tasks.enumerated() { #expect(try await task.value == (number == 3)) }
        #expect(stage.fake.operations == Array(repeating: "PutParameter", count: 3) + Array(repeating: "DeleteParameters", count: 2))
    }

    @Test func `a deletion that is denied is no other's trouble`() async throws {
        let stage = try StoreStage { $0.writes = Rate(count: 30, per: .seconds(1)) }
        stage.fake.state.withLock { $0.values = ["/claviger/d0": "v", "/claviger/d1": "v", "/claviger/d2": "v"]; $0.denied = "/claviger/d1" }
        for number in 0..<10 { try await stage.store.write(Secret("v"), to: try #require(Reference(path: "/claviger/w\(number)"))) }
        let store = stage.store
        let tasks = try (0..<3).map { number in
            let reference = try #require(Reference(path: "/claviger/d\(number)"))
            return Task { try await store.delete(reference) }
        }
        try await settle { await store.deletionsInLine == 3 }
        for count in 11...14 {
            stage.sleeper.advance(.seconds(1))
            if count < 14 { try await settle { stage.fake.count >= count } }
        }
        for number in [0, 2] { #expect(try await tasks[number].value) }
        let fault = await #expect(throws: StoreFault.self) { try await tasks[1].value }
        #expect(fault?.kind == .denied && fault?.description.contains("ssm:DeleteParameters") == true && fault?.description.contains("parameter/claviger/d1") == true)
        #expect(stage.fake.names.suffix(4) == [["/claviger/d0", "/claviger/d1", "/claviger/d2"], ["/claviger/d0"], ["/claviger/d1"], ["/claviger/d2"]])
    }

    @Test func `a write whose turn does not come in nine seconds is told why`() async throws {
        let stage = try StoreStage { $0.writes = Rate(count: 1, per: .seconds(3600)) }
        try await stage.store.write(Secret("v"), to: a)
        let (store, a) = (stage.store, a)
        let late = Task { try await store.write(Secret("v"), to: a) }
        try await settle { stage.sleeper.count == 1 }
        stage.sleeper.advance(.seconds(9))
        let fault = await #expect(throws: StoreFault.self) { try await late.value }
        #expect(fault?.kind == .throttled && fault?.description.contains("secrets.parameter_store.writes") == true && stage.fake.count == 1)
    }

    @Test func `a full account says what to set`() async throws {
        let stage = try StoreStage()
        stage.fake.next(.success(.error("ParameterLimitExceeded")))
        let fault = await #expect(throws: StoreFault.self) { try await stage.store.write(Secret("v"), to: a) }
        #expect(fault?.kind == .rejected && fault?.description.contains("10,000") == true && stage.fake.count == 1)
    }

    @Test func `a listing goes through its pages, decrypts nothing, and takes what begins with the root`() async throws {
        let stage = try StoreStage()
        stage.fake.state.withLock { state in
            for number in 0..<25 { state.values["/claviger/acme/users/u\(number)/crm"] = "v" }
            state.values["/claviger/acme2/shared/crm"] = "v"
            state.values["/claviger/acme/users/not a reference"] = "v"
        }
        let found = try await stage.store.list(under: "/claviger/acme/")
        #expect(found.count == 25 && found == found.sorted())
        #expect(stage.fake.operations == ["GetParametersByPath", "GetParametersByPath", "GetParametersByPath"])
        #expect(stage.fake.calls.allSatisfy { $0.body["Path"] as? String == "/claviger/acme" && $0.body["WithDecryption"] as? Bool == false })
    }

    @Test func `a listing that does not end is ended`() async throws {
        let stage = try StoreStage()
        let page = OutboundResponse.text(#"{"Parameters":[],"NextToken":"again"}"#)
        stage.fake.next(.success(page), .success(page))
        await #expect(throws: StoreFault.self) { try await stage.store.list(under: "/claviger/acme/") }
        #expect(stage.fake.count == 2)
    }

    // MARK: Place

    private func place(_ region: String? = nil, _ environment: [String: String] = [:]) throws -> ParameterStorePlace {
        var settings = ParameterStoreSettings()
        settings.region = region
        return try CredentialsTests.place(settings, environment)
    }

    @Test func `the region is the configuration's, then the environment's`() throws {
        let both = ["AWS_REGION": "us-east-2", "AWS_DEFAULT_REGION": "us-west-1"]
        #expect(try place("eu-west-1", both).region == "eu-west-1")
        #expect(try place(nil, both).region == "us-east-2")
        #expect(try place(nil, ["AWS_REGION": "", "AWS_DEFAULT_REGION": "us-west-1"]).region == "us-west-1")
        #expect(try place("cn-north-1").endpoint == "https://ssm.cn-north-1.amazonaws.com.cn")
        #expect(try place("us-gov-west-1").endpoint == "https://ssm.us-gov-west-1.amazonaws.com")
    }

    @Test func `no region is said, with what names one`() {
        let fault = #expect(throws: StoreFault.self) { try place() }
        #expect(fault?.kind == .misconfigured && fault?.description.contains("AWS_REGION") == true)
    }
}
