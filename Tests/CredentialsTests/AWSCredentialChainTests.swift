// The chain: one asking for all, renewal ahead while the old ones serve, and what becomes of faults, rejections and odd expiries.

@testable import Credentials
import EventLoop
import Gateway
import Kernel
import Outbound
import Synchronization
import Testing

@Suite struct AWSCredentialChainTests {
    private let world: AWSWorld
    private let clock = TestClock()
    private let loop: TestLoop
    private let chain: AWSCredentialChain

    /// A container endpoint is the source; the wall clock stands at 1,700,000,000 seconds.
    init() throws {
        let world = AWSWorld(["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://localhost/creds"])
        let clock = clock
        self.world = world
        loop = try TestLoop()
        chain = AWSCredentialChain(world.around, on: loop.loop, clock: { clock.now }, random: { 0 })
    }

    private func advance(_ seconds: Int64) {
        clock.advance(.seconds(seconds))
        world.advance(seconds)
    }

    private func answer(_ key: String, life: Int64) {
        world.answer(metadataJSON(key, expiration: "\(world.state.withLock { $0.now } + life)"))
    }

    private func key() async throws -> String { try await chain.credentials().accessKey }

    /// Lets what runs on the chain's loop come to its end: an asking takes a turn or a few.
    private func settled(_ claim: () async throws -> Bool) async rethrows -> Bool {
        for _ in 0..<1000 {
            if try await claim() { return true }
            await Task.yield()
        }
        return false
    }

    @Test func `many who ask at once are answered by one asking, and the answer is kept`() async throws {
        let gate = Gate()
        world.change { $0.gate = gate }
        answer("ONE", life: 3600)
        let chain = chain
        try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<100 { group.addTask { try await chain.credentials().accessKey } }
            await gate.open()
            for try await key in group { #expect(key == "ONE") }
        }
        #expect(try await key() == "ONE")
        #expect(world.requests.count == 1)
        #expect(await chain.status() == AWSCredentialStatus(source: "container endpoint localhost", expires: 1_700_003_600))
    }

    @Test func `before the first use there is no status`() async {
        #expect(await chain.status() == nil)
    }

    @Test func `five minutes ahead they are renewed, once, and the old ones serve meanwhile`() async throws {
        answer("ONE", life: 3600)
        #expect(try await key() == "ONE")
        advance(3299)
        #expect(try await key() == "ONE")
        #expect(world.requests.count == 1)
        advance(1)
        let gate = Gate()
        world.change { $0.gate = gate }
        answer("TWO", life: 3600)
        for _ in 0..<20 { #expect(try await key() == "ONE") }
        await gate.open()
        #expect(try await settled { try await key() == "TWO" })
        #expect(world.requests.count == 2)
        #expect(world.warnings == [])
    }

    @Test func `short lives are renewed in their middle`() async throws {
        answer("ONE", life: 60)
        #expect(try await key() == "ONE")
        advance(29)
        _ = try await key()
        #expect(world.requests.count == 1)
        advance(1)
        answer("TWO", life: 60)
        #expect(try await key() == "ONE")
        #expect(try await settled { try await key() == "TWO" })
    }

    @Test func `jitter renews earlier, by a fifth at most`() async throws {
        let clock = clock
        let early = AWSCredentialChain(world.around, on: loop.loop, clock: { clock.now }, random: { 60 })
        answer("ONE", life: 3600)
        _ = try await early.credentials()
        advance(3239)
        _ = try await early.credentials()
        #expect(world.requests.count == 1)
        advance(1)
        answer("TWO", life: 3600)
        _ = try await early.credentials()
        #expect(try await settled { try await early.credentials().accessKey == "TWO" })
    }

    @Test func `a renewal that fails is tried again after a pause, with a warning, and nobody notices before the end`() async throws {
        answer("ONE", life: 3600)
        _ = try await key()
        advance(3300)
        for attempt in 1...4 {
            // Two attempts each; then the pause doubles, from half a second at least.
            world.fail(.timedOut)
            world.fail(.timedOut)
            #expect(try await key() == "ONE")
            #expect(await settled { world.warnings.count == attempt })
            for _ in 0..<10 { #expect(try await key() == "ONE") }
            #expect(world.requests.count == 1 + attempt * 2)
            advance(1 << (attempt - 1))
        }
        #expect(world.warnings.first?.contains("container endpoint localhost") == true)
        answer("TWO", life: 3600)
        #expect(try await key() == "ONE")
        #expect(try await settled { try await key() == "TWO" })
    }

    @Test func `after their end they are not used, and the fault says why`() async throws {
        answer("ONE", life: 3600)
        _ = try await key()
        advance(3590)
        world.fail(.unreachable)
        world.fail(.unreachable)
        await #expect { try await key() } throws: { error in
            guard let fault = error as? AWSCredentialFault else { return false }
            return fault.isPassing && fault.description.hasPrefix("container endpoint localhost: ")
        }
        // Within the pause nobody is asked; then again.
        await #expect(throws: AWSCredentialFault.self) { try await key() }
        #expect(world.requests.count == 3)
        advance(1)
        answer("TWO", life: 3600)
        #expect(try await key() == "TWO")
    }

    @Test func `the wall clock's steps move no end that is known`() async throws {
        answer("ONE", life: 3600)
        _ = try await key()
        world.advance(1_000_000)
        #expect(try await key() == "ONE")
        world.advance(-2_000_000)
        #expect(try await key() == "ONE")
        #expect(world.requests.count == 1)
    }

    @Test func `credentials without an end are kept, such as live for ever too, and such as have ended are a fault`() async throws {
        world.answer(metadataJSON("EVER", expiration: nil))
        #expect(try await key() == "EVER")
        advance(1_000_000_000)
        #expect(try await key() == "EVER")
        #expect(await chain.status()?.expires == .some(nil))
        let clock = clock
        for (expiration, isGood) in [("9999-12-31T23:59:59Z", true), ("1970-01-01T00:00:00Z", false), ("0000-01-01T00:00:00Z", false), ("soon", false), ("1e400", false)] {
            let fresh = AWSCredentialChain(world.around, on: loop.loop, clock: { clock.now }, random: { .max })
            world.answer(metadataJSON("ODD", expiration: expiration))
            if isGood {
                #expect(try await fresh.credentials().accessKey == "ODD")
            } else {
                await #expect(throws: AWSCredentialFault.self) { try await fresh.credentials() }
            }
        }
    }

    @Test(arguments: [("AK IA", "s", "t"), ("", "s", "t"), ("AKIA/x", "s", "t"), ("AKIA", "s\\r\\nX: y", "t"), ("AKIA", "s", "\\u0000t")])
    func `what cannot sign is refused`(key: String, secret: String, token: String) async throws {
        world.answer(#"{"AccessKeyId":"\#(key)","SecretAccessKey":"\#(secret)","Token":"\#(token)"}"#)
        await #expect(throws: AWSCredentialFault.self) { try await self.key() }
        #expect(await chain.status() == nil)
    }

    @Test func `what was rejected is asked for anew, once, and only if it is what is held`() async throws {
        answer("ONE", life: 3600)
        let one = try await chain.credentials()
        // Just fetched: the source has nothing newer.
        await chain.rejected(one)
        #expect(try await key() == "ONE")
        advance(10)
        await chain.rejected(one)
        answer("TWO", life: 3600)
        #expect(try await key() == "TWO")
        advance(10)
        await chain.rejected(one)
        #expect(try await key() == "TWO")
        #expect(world.requests.count == 2)
    }

    @Test func `after a rejection the source is chosen anew; otherwise it is kept`() async throws {
        answer("ONE", life: 600)
        let one = try await chain.credentials()
        advance(590)
        // Somebody writes a profile: still the container is asked.
        world.change { $0.files["/home/gate/.aws/credentials"] = "[default]\naws_access_key_id=FILE\naws_secret_access_key=s\n" }
        answer("TWO", life: 600)
        let two = try await chain.credentials()
        #expect(two.accessKey == "TWO")
        advance(10)
        await chain.rejected(one)
        #expect(try await key() == "TWO")
        await chain.rejected(two)
        #expect(try await key() == "FILE")
    }

    @Test func `what was configured wrongly is read again`() async throws {
        world.change { $0.files["/home/gate/.aws/config"] = "[default]\nrole_arn=r\n" }
        await #expect(throws: AWSCredentialFault.self) { try await key() }
        world.change { $0.files["/home/gate/.aws/config"] = "" }
        advance(1)
        answer("ONE", life: 3600)
        #expect(try await key() == "ONE")
    }

    @Test func `with nothing configured and no answer from instance metadata, everything is named; once it answered, only it`() async throws {
        let world = AWSWorld()
        let clock = clock
        let chain = AWSCredentialChain(world.around, on: loop.loop, clock: { clock.now }, random: { 0 })
        await #expect { try await chain.credentials() } throws: { error in
            let words = (error as? AWSCredentialFault)?.description ?? ""
            return words.hasPrefix("nothing is configured: AWS_ACCESS_KEY_ID is not set; ") && words.contains("instance metadata (http://169.254.169.254): no answer")
        }
        clock.advance(.seconds(1))
        for body in ["token", "gateway", metadataJSON(expiration: "1700000100")] { world.answer(body) }
        #expect(try await chain.credentials().accessKey == "ASIAMETA")
        #expect(await chain.status()?.source == "instance metadata (role gateway)")
        clock.advance(.seconds(100))
        await #expect { try await chain.credentials() } throws: { error in
            (error as? AWSCredentialFault)?.description.hasPrefix("instance metadata (http://169.254.169.254): no answer") == true
        }
    }
}
