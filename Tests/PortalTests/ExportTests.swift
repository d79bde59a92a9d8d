// Moving credentials over the API: for who holds the socket, sealed under his key, each outcome told.

import Credentials
import Gateway
import HTTPTypes
import Hummingbird
import NIOCore
import Testing

@testable import Portal

@Suite struct ExportTests {
    private let key = String(repeating: "0f", count: 32)

    @Test(arguments: ["/api/v1/credentials", "/api/v1/credentials/export", "/api/v1/credentials/import"], ["public", "admin"])
    func `nobody but the socket's holders gets there`(path: String, door: String) async throws {
        let verb: HTTPRequest.Method = path.hasSuffix("credentials") ? .get : .post
        let answer = try await World().ask(verb, path, door: door, body: #"{"key":"\#(key)","references":"/acme/shared/crm"}"#)
        #expect(answer.status == (door == "public" ? 404 : 401) && !answer.body.contains("sealed"))
    }

    @Test func `references are listed`() async throws {
        let answer = try await World().ask(.get, "/api/v1/credentials", door: "socket")
        #expect(answer.status == 200 && answer.body == #"{"references":["/acme/shared/crm","/acme/shared/gone"]}"#)
    }

    @Test func `a batch is exported, with what is gone and what cannot be read`() async throws {
        let world = try World()
        let body = #"{"key":"\#(key)","references":"/acme/shared/crm\n/acme/shared/gone\n/acme/shared/bad"}"#
        let answer = await world.ask(.post, "/api/v1/credentials/export", door: "socket", body: body)
        #expect(answer.status == 200 && answer.body.contains(#""gone":1"#) && answer.body.contains(#""message":"damaged: deposit it again""#))
        #expect(answer.body.contains(#"\"sealed\":\"AA==\""#) && !answer.body.contains("stopped"))
        let log = world.log()
        #expect(log.contains("action=credentials_exported by=uid:1000") && !log.contains(key) && !log.contains("sealed"))
    }

    @Test(arguments: [("no", "conflicting"), ("yes", "imported")])
    func `a batch is imported, each line with what came of it, as far as it came`(replace: String, outcome: String) async throws {
        let body = #"{"key":"\#(key)","lines":"a\nb\nc\nd\ne","replace":"\#(replace)"}"#
        let answer = try await World().ask(.post, "/api/v1/credentials/import", door: "socket", body: body)
        #expect(answer.status == 200 && answer.body.contains(#""outcome":"\#(outcome)","reference":"c""#))
        #expect(answer.body.contains(#""outcome":"present","reference":"b""#) && answer.body.contains(#""message":"too long","outcome":"failed""#))
        #expect(answer.body.contains(#""stopped":"the disk is full""#) && !answer.body.contains("lasting"))
    }

    @Test(arguments: [
        (#"{"references":"/a/b"}"#, 400), (#"{"key":"short","references":"/a/b"}"#, 422), (#"{"key":"0f"}"#, 422), ("cnry", 400),
        (#"{"key":"\#(String(repeating: "0f", count: 32))"}"#, 400), (#"{"key":"\#(String(repeating: "0f", count: 32))","references":"../cnry"}"#, 400),
    ]) func `what is no request is said, and repeats nothing`(body: String, status: Int) async throws {
        let answer = try await World().ask(.post, "/api/v1/credentials/export", door: "socket", body: body)
        #expect(answer.status == status && !answer.body.contains("cnry") && !answer.body.contains("short"))
    }

    @Test func `a store that fails is told`() async throws {
        let world = try World(FakeDesk(fault: .store(StoreFault(.unavailable, "the disk is full"))))
        let listed = await world.ask(.get, "/api/v1/credentials", door: "socket")
        #expect(listed.status == 200 && listed.body == #"{"references":[],"stopped":"the disk is full"}"#)
        let answer = await world.ask(.post, "/api/v1/credentials/export", door: "socket", body: #"{"key":"\#(key)","references":"/a/b"}"#)
        #expect(answer.status == 200 && answer.body.contains(#""stopped":"the disk is full""#))
    }

    @Test(arguments: [StoreFault.Kind.denied, .misconfigured, .key, .rejected]) func `what stays so until it is mended is told as that`(kind: StoreFault.Kind) async throws {
        let world = try World(FakeDesk(fault: .store(StoreFault(kind, "not allowed"))))
        let listed = await world.ask(.get, "/api/v1/credentials", door: "socket")
        #expect(listed.body == #"{"lasting":true,"references":[],"stopped":"not allowed"}"#)
        for (path, what) in [("export", #""references":"/a/b""#), ("import", #""lines":"a\nb\nc\nd\ne""#)] {
            let answer = await world.ask(.post, "/api/v1/credentials/\(path)", door: "socket", body: #"{"key":"\#(key)",\#(what)}"#)
            #expect(answer.status == 200 && answer.body.contains(#""lasting":true"#) && answer.body.contains(#""stopped":"not allowed""#))
        }
    }

    @Test func `an answer that takes long is not silent until it comes`() async throws {
        let (steps, step) = AsyncStream.makeStream(of: String.self)
        let response = Response.patient(every: .milliseconds(1)) {
            // Until something was written three times.
            var seen: [String] = []
            for await text in steps.prefix(3) { seen.append(text) }
            return seen
        }
        #expect(response.status == .ok)
        let all = AsyncStream.makeStream(of: String.self)
        try await response.body.write(Steps(steps: [step, all.continuation]))
        all.continuation.finish()
        var written = ""
        for await text in all.stream { written += text }
        #expect(written.hasPrefix("\n\n\n") && written.drop { $0 == "\n" } == #"["\n","\n","\n"]"#)
    }

    @Test(arguments: ["export", "import"]) func `only POST moves anything`(path: String) async throws {
        #expect(try await World().ask(.get, "/api/v1/credentials/\(path)", door: "socket").status == 405)
        #expect(try await World().ask(.delete, "/api/v1/credentials", door: "socket").status == 405)
    }
}

/// Tells each write.
private struct Steps: ResponseBodyWriter {
    let steps: [AsyncStream<String>.Continuation]

    mutating func write(_ buffer: ByteBuffer) async throws {
        for step in steps { step.yield(String(buffer: buffer)) }
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
