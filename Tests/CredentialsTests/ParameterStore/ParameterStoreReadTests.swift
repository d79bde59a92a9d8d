// ParameterStore's reads: who travels with whom, how often it is asked, and that no answer breaks it.

@testable import Credentials
@testable import Gateway
import Kernel
import Metrics
import Outbound
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct ParameterStoreReadTests {
    private func names(_ range: Range<Int>) -> [String] { range.map { "/claviger/acme/users/u\($0)/crm" } }

    // MARK: Company

    @Test func `a miss waits two milliseconds for company, and those who came travel in one call`() async throws {
        let stage = try StoreStage()
        stage.fake.state.withLock { $0.values["/claviger/a"] = "1" }
        let first = try await stage.reading(["/claviger/a"])
        stage.sleeper.advance(.milliseconds(2) - .nanoseconds(1))
        let second = try await stage.reading(["/claviger/b"])
        #expect(stage.fake.count == 0)
        stage.sleeper.advance(.nanoseconds(1))
        #expect(try await first.value.values.first?.text == "1")
        #expect(try await second.value.isEmpty)
        #expect(stage.fake.names == [["/claviger/a", "/claviger/b"]])
    }

    @Test func `ten wait for nobody`() async throws {
        let stage = try StoreStage()
        let task = try await stage.reading(names(0..<10))
        _ = try await task.value
        #expect(stage.fake.names == [names(0..<10).sorted()])
    }

    @Test func `a thousand who ask for one reference make one call of one name`() async throws {
        let stage = try StoreStage()
        let reference = try #require(Reference(path: "/claviger/a"))
        stage.fake.state.withLock { $0.values["/claviger/a"] = "1" }
        let store = stage.store
        try await withThrowingTaskGroup(of: String?.self) { group in
            for _ in 0..<1000 { group.addTask { try await store.read([reference], .waiting)[reference]?.text } }
            try await settle { await store.seats(at: reference) == 1000 }
            stage.sleeper.advance(.milliseconds(2))
            for try await text in group { #expect(text == "1") }
        }
        #expect(stage.fake.names == [["/claviger/a"]])
    }

    @Test func `one who asks after a call has left does not get its answer`() async throws {
        let stage = try StoreStage()
        let gate = Gate()
        stage.fake.state.withLock { $0.values["/claviger/a"] = "old"; $0.gate = gate }
        let first = try await stage.reading(["/claviger/a"])
        stage.sleeper.advance(.milliseconds(2))
        try await settle { stage.fake.count == 1 }
        stage.fake.state.withLock { $0.values["/claviger/a"] = "new" }
        let second = try await stage.reading(["/claviger/a"])
        stage.sleeper.advance(.milliseconds(2))
        try await settle { stage.fake.count == 2 }
        await gate.open()
        #expect(try await first.value.values.first?.text == "old")
        #expect(try await second.value.values.first?.text == "new")
    }

    @Test func `what is read ahead waits a second for company`() async throws {
        let stage = try StoreStage()
        let first = try await stage.reading(names(0..<1), .ahead)
        stage.sleeper.advance(.milliseconds(999))
        let second = try await stage.reading(names(1..<2), .ahead)
        #expect(stage.fake.count == 0)
        stage.sleeper.advance(.milliseconds(1))
        _ = try await (first.value, second.value)
        #expect(stage.fake.names == [names(0..<2)])
    }

    @Test func `a miss takes along what is read ahead, and goes before it`() async throws {
        let stage = try StoreStage { $0.reads = Rate(count: 1, per: .seconds(1)) }
        _ = try await stage.read("/claviger/first")
        let ahead = try await stage.reading(names(0..<12), .ahead)
        let waiting = try await stage.reading(["/claviger/wanted"])
        stage.sleeper.advance(.seconds(1))
        _ = try await waiting.value
        #expect(stage.fake.names.count == 2)
        #expect(stage.fake.names[1].contains("/claviger/wanted") && stage.fake.names[1].count == 10)
        try await settle { await stage.store.inLine == 3 }
        stage.sleeper.advance(.seconds(1))
        _ = try await ahead.value
        #expect(stage.fake.names.count == 3)
    }

    @Test func `what was ahead becomes urgent when somebody waits for it`() async throws {
        let stage = try StoreStage()
        let ahead = try await stage.reading(["/claviger/a"], .ahead)
        let reference = try #require(Reference(path: "/claviger/a"))
        let waiting = Task { try await stage.store.read([reference], .waiting) }
        try await settle { await stage.store.seats(at: reference) == 2 }
        stage.sleeper.advance(.milliseconds(2))
        _ = try await (ahead.value, waiting.value)
        #expect(stage.fake.count == 1)
    }

    // MARK: Budget

    @Test func `a thousand references are a hundred calls, and never more than thirty a second`() async throws {
        let stage = try StoreStage()
        let task = try await stage.reading(names(0..<1000))
        while stage.fake.count < 100 {
            // Who has left has arrived, and the others wait for their time: only then it passes.
            try await settle {
                let inLine = await stage.store.inLine
                return stage.fake.count * 10 == 1000 - inLine && (stage.sleeper.count > 0 || inLine == 0)
            }
            stage.sleeper.advance(.milliseconds(10))
        }
        _ = try await task.value
        #expect(stage.fake.count == 100)
        // A call may arrive a step of the test's clock after it left; what leaves, `AllowanceTests` counts to the nanosecond.
        let times = stage.fake.times
        for first in times { #expect(times.filter { $0 >= first && $0 < first.advanced(by: .milliseconds(980)) }.count <= 30) }
        #expect(stage.metrics.value(.read, .ok) == 100)
    }

    @Test func `one who waited nine seconds for his turn is told why`() async throws {
        let stage = try StoreStage { $0.reads = Rate(count: 1, per: .seconds(3600)) }
        _ = try await stage.read("/claviger/first")
        let task = try await stage.reading(["/claviger/late"])
        stage.sleeper.advance(.milliseconds(2))
        try await settle { stage.sleeper.count > 0 }
        stage.sleeper.advance(.seconds(9))
        let fault = await #expect(throws: StoreFault.self) { try await task.value }
        #expect(fault?.kind == .throttled && fault?.retryAfter != nil)
        #expect(fault?.description.contains("secrets.parameter_store.reads") == true)
        #expect(stage.fake.count == 1)
    }

    @Test func `one who leaves before the call is not asked for`() async throws {
        let stage = try StoreStage()
        let gone = try await stage.reading(["/claviger/gone"])
        let stays = try await stage.reading(["/claviger/stays"])
        gone.cancel()
        try await settle { await stage.store.inLine == 1 }
        stage.sleeper.advance(.milliseconds(2))
        _ = try await stays.value
        await #expect(throws: StoreFault.self) { try await gone.value }
        #expect(stage.fake.names == [["/claviger/stays"]])
    }

    // MARK: Answers

    @Test func `a value comes as it was put, whatever is in it`() async throws {
        let stage = try StoreStage()
        let value = "{\"token\":\"a\\\\b\\\"c / \u{e9}\u{1F511} \\u00e9\"}\n\t"
        stage.fake.state.withLock { $0.values["/claviger/a"] = value }
        #expect(try await stage.read("/claviger/a")?.text == value)
    }

    @Test func `a parameter that is no SecureString is not used, and the others are`() async throws {
        let stage = try StoreStage()
        stage.fake.state.withLock { $0.values = ["/claviger/a": "1", "/claviger/b": "2"]; $0.types["/claviger/a"] = "String" }
        let task = try await stage.reading(["/claviger/a", "/claviger/b"])
        stage.sleeper.advance(.milliseconds(2))
        let found = try await task.value
        #expect(found.values.compactMap(\.text) == ["2"])
        #expect(found.values.compactMap(\.fault?.description).first?.contains("--type SecureString") == true)
    }

    @Test(arguments: [
        // Nothing said, said twice, said with two values, said to be there and not.
        #"{}"#, #"{"Parameters":[],"InvalidParameters":null}"#,
        #"{"Parameters":[{"Name":"/claviger/a","Type":"SecureString","Value":"1"},{"Name":"/claviger/a","Type":"SecureString","Value":"2"}]}"#,
        #"{"Parameters":[{"Name":"/claviger/a","Type":"SecureString","Value":"1"}],"InvalidParameters":["/claviger/a"]}"#,
        #"{"Parameters":[{"Type":"SecureString","Value":"1"},{"Name":"/other","Type":"SecureString","Value":"2"}]}"#,
        // Without a value or a type, with one of another form, with two.
        #"{"Parameters":[{"Name":"/claviger/a","Type":"SecureString","Value":null}]}"#,
        #"{"Parameters":[{"Name":"/claviger/a","Type":"SecureString","Value":1}]}"#,
        #"{"Parameters":[{"Name":"/claviger/a","Type":"SecureString"}]}"#,
        #"{"Parameters":[{"Name":"/claviger/a","Value":"1"}]}"#,
        #"{"Parameters":[{"Name":"/claviger/a","Type":7,"Value":"1"}]}"#,
        #"{"Parameters":[{"Name":"/claviger/a","Type":"SecureString","Value":"1","Value":"2"}]}"#,
        #"{"Parameters":[{"Name":"/claviger/a","Type":"SecureString","Value":"1","Value":null}]}"#,
        #"{"Parameters":[{"Name":"/claviger/a","Type":"String","Type":"SecureString","Value":"1"}]}"#,
        #"{"Parameters":[{"Name":"/claviger/b","Name":"/claviger/a","Type":"SecureString","Value":"1"}]}"#,
    ])
    func `a reference that is not answered once is asked for once more`(answer: String) async throws {
        let stage = try StoreStage()
        stage.fake.state.withLock { $0.values["/claviger/a"] = "right" }
        stage.fake.next(.success(.text(answer)))
        #expect(try await stage.read("/claviger/a")?.text == "right")
        #expect(stage.fake.count == 2)
    }

    @Test func `one that is never answered is not missing, it is a fault`() async throws {
        let stage = try StoreStage()
        stage.fake.next(.success(.text("{}")), .success(.text("{}")))
        let fault = await #expect(throws: StoreFault.self) { try await stage.read("/claviger/a") }
        #expect(fault?.kind == .unavailable && fault?.description.contains("is the endpoint Parameter Store's?") == true)
        #expect(stage.fake.count == 2)
    }

    @Test(arguments: ["", "<html>", "[]", "null", "{\"Parameters\":[", "{\"Parameters\":[{\"Name\":7}]}x", "{\"Parameters\":[\"a\"]}", "{\"Parameters\":[{\"Name\":\"\\ud800\"}]}"])
    func `an answer that is none is asked for again, and then a fault that names the endpoint`(answer: String) async throws {
        let stage = try StoreStage()
        for _ in 0..<4 { stage.fake.next(.success(.text(answer))) }
        let fault = await #expect(throws: StoreFault.self) { try await stage.read("/claviger/a") }
        #expect(fault?.description.contains("https://ssm.eu-west-1.amazonaws.com") == true)
        #expect(stage.fake.count == 4)
    }

    @Test func `what one of ten is denied keeps nothing from the others`() async throws {
        let stage = try StoreStage { $0.reads = Rate(count: 100, per: .seconds(1)) }
        stage.fake.state.withLock { state in
            for name in names(0..<10) { state.values[name] = name }
            state.denied = names(3..<4)[0]
        }
        let tasks = try names(0..<10).map { name in
            let reference = try #require(Reference(path: name))
            return (name, Task { try await stage.store.read([reference], .waiting)[reference]?.text })
        }
        for (name, task) in tasks {
            if name == names(3..<4)[0] {
                let fault = await #expect(throws: StoreFault.self) { try await task.value }
                #expect(fault?.kind == .denied)
            } else {
                #expect(try await task.value == name)
            }
        }
        #expect(stage.fake.count == 11)
    }

    // MARK: Proxies

    @Test(arguments: [
        (nil, true), ("https://ssm-fips.us-east-1.amazonaws.com", true), ("http://127.0.0.1:4566", false), ("http://localhost:1", false),
        ("https://localhost:4566", false), ("https://[::1]:4566", false), ("http://ssm.internal", false),
    ] as [(String?, Bool)])
    func `a proxy is on the way to https elsewhere only: it would read values in plain text`(endpoint: String?, uses: Bool) async throws {
        let stage = try StoreStage { $0.endpoint = endpoint }
        _ = try await stage.read("/claviger/a")
        #expect(stage.fake.calls.map(\.request.usesProxy) == [uses])
    }
}
