// Outbound HTTP over libcurl, against a scripted server on loopback.

import EventLoop
import Foundation
import Gateway
import Kernel
import Outbound
import Testing

@Suite struct OutboundClientTests {
    private let peer: Peer
    private let client: OutboundClient

    init() throws {
        peer = try Peer()
        peer.start()
        client = OutboundClient(on: try .started(name: "outbound"), agent: "claviger/test", transfers: 8)
    }

    private func request(_ path: String, time: Duration = .seconds(20)) -> OutboundRequest {
        var request = OutboundRequest(.post, "\(peer.origin)/\(path)", body: Secret(copying: Array("the body".utf8).span.raw))
        request.limits.time = time
        return request
    }

    private func text(_ response: OutboundResponse) -> String {
        String(decoding: response.body.bytes.copied(), as: UTF8.self)
    }

    private func failure(of request: OutboundRequest) async -> OutboundFault? {
        do throws(OutboundFault) {
            _ = try await client.send(request)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a request arrives as it was made, and the whole answer comes back`() async throws {
        var request = request("a/echo")
        request.fields = [.init("X-Plain", "one"), .init("X-Hidden", Secret(copying: Array("two".utf8).span.raw)), .init("Content-Type", "application/json")]
        let response = try await client.send(request)
        #expect(response.status == 200)
        #expect(response["content-type"] == "text/plain")
        let sent = text(response)
        #expect(sent.hasPrefix("POST /a/echo HTTP/1.1\r\n"))
        for line in ["X-Plain: one", "X-Hidden: two", "User-Agent: claviger/test", "Content-Type: application/json", "Content-Length: 8"] {
            #expect(sent.contains("\r\n\(line)\r\n"), "\(line)")
        }
        #expect(!sent.contains("Expect:"))
        #expect(sent.hasSuffix("\r\n\r\nthe body"))
    }

    @Test(arguments: [OutboundRequest.Method.get, .delete]) func `what has no body sends none`(_ method: OutboundRequest.Method) async throws {
        let sent = text(try await client.send(OutboundRequest(method, "\(peer.origin)/echo")))
        #expect(sent.hasPrefix("\(method.rawValue) /echo HTTP/1.1\r\n"))
        #expect(!sent.contains("Content-Length"))
    }

    @Test func `an empty body is one`() async throws {
        let sent = text(try await client.send(OutboundRequest(.post, "\(peer.origin)/echo")))
        #expect(sent.contains("\r\nContent-Length: 0\r\n"))
    }

    @Test func `a refusal is an answer, with its fields`() async throws {
        let response = try await client.send(request("busy"))
        #expect(response.status == 503)
        #expect(response["retry-after"] == "7")
        #expect(response.fields.filter { $0.name == "x-two" }.map(\.value) == ["a", "b"])
    }

    @Test func `the connection is kept for the next request`() async throws {
        for _ in 0..<20 { _ = try await client.send(request("echo")) }
        #expect(await peer.connections == 1)
    }

    @Test func `what may not be sent twice has a connection of its own`() async throws {
        var request = request("echo")
        request.isRepeatable = false
        for _ in 0..<3 { _ = try await client.send(request) }
        #expect(await peer.connections == 3)
    }

    @Test func `a kept connection that the other side has closed does not fail the next request`() async throws {
        for _ in 0..<5 { #expect(text(try await client.send(request("once"))) == "once") }
    }

    @Test func `an answer that comes byte by byte is whole`() async throws {
        #expect(text(try await client.send(request("bytewise"))) == "slowly")
    }

    @Test func `a name that was looked up already is not looked up again`() async throws {
        let port = try #require(UInt16(peer.origin.split(separator: ":").last ?? ""))
        var request = OutboundRequest(.get, "http://nowhere.invalid:\(port)/echo")
        request.resolution = OutboundRequest.Resolution(
            host: "nowhere.invalid", port: port, addresses: [try #require(SocketAddress(numeric: "127.0.0.1", port: 0))])
        #expect(text(try await client.send(request)).contains("\r\nHost: nowhere.invalid:\(port)\r\n"))
    }

    @Test func `a redirect is an answer unless it is asked to follow`() async throws {
        var request = request("moved")
        #expect(try await client.send(request).status == 307)
        request.redirects = 1
        #expect(text(try await client.send(request)).hasPrefix("POST /echo HTTP/1.1\r\n"))
    }

    @Test func `an answer over the limit is refused, one at the limit is not`() async throws {
        var request = request("large")
        request.limits.answer = 300 << 10
        #expect(try await client.send(request).body.count == 300 << 10)
        request.limits.answer -= 1
        let fault = await failure(of: request)
        #expect(fault?.kind == .tooLarge)
        #expect(fault?.retry == .pointless)
    }

    @Test func `silence ends at the time limit, and may have been heard`() async throws {
        let fault = await failure(of: request("silent", time: .milliseconds(50)))
        #expect(fault?.kind == .timedOut)
        #expect(fault?.retry == .ifRepeatable)
        await peer.waitForDesertion()
    }

    @Test func `half an answer, a reset and noise are broken, and may have been carried out`() async throws {
        for path in ["half", "reset", "noise"] {
            let fault = await failure(of: request(path))
            #expect(fault?.kind == .broken, "\(path): \(String(describing: fault))")
            #expect(fault?.retry == .ifRepeatable, "\(path)")
        }
    }

    @Test func `where nobody listens nothing was sent`() async throws {
        let address = try #require(SocketAddress(numeric: "127.0.0.1", port: 0))
        let origin: String
        do {
            let listener = try Socket.listen(on: address, shared: false)
            origin = "http://\(try #require(Socket.localAddress(listener.number)))"
        }
        let fault = await failure(of: OutboundRequest(.get, "\(origin)/"))
        #expect(fault?.kind == .unreachable)
        #expect(fault?.retry == .safe)
        #expect(fault?.description.hasPrefix("127.0.0.1:") == true)
    }

    @Test func `a server without encryption is not trusted with an encrypted request`() async throws {
        let fault = await failure(of: OutboundRequest(.get, peer.origin.replacingOccurrences(of: "http:", with: "https:") + "/noise"))
        #expect(fault?.kind == .untrusted)
        #expect(fault?.retry == .safe)
    }

    @Test func `what cannot be sent is refused before anything is`() async throws {
        var broken = request("echo")
        broken.fields = [.init("X-Bad", "one\r\nX-Two: two")]
        for request in [broken, OutboundRequest(.get, "ftp://127.0.0.1/"), OutboundRequest(.get, "http://[half/"), OutboundRequest(.get, "")] {
            let fault = await failure(of: request)
            #expect(fault?.kind == .invalid, "\(request.url): \(String(describing: fault))")
            #expect(fault?.retry == .pointless)
        }
        #expect(await peer.requests.isEmpty)
    }

    @Test func `a fault names the host and nothing else of the request`() async throws {
        var request = OutboundRequest(.get, peer.origin.replacingOccurrences(of: "//", with: "//someone:hidden@") + "/x?token=hidden/silent")
        request.limits.time = .milliseconds(30)
        let fault = try #require(await failure(of: request))
        #expect(fault.description.hasPrefix("127.0.0.1:"))
        #expect(!fault.description.contains("hidden"))
    }

    @Test func `many at once all have their answers, over no more connections than may be`() async throws {
        try await withThrowingTaskGroup(of: String.self) { group in
            for n in 0..<300 { group.addTask { self.text(try await self.client.send(self.request("\(n)/echo"))) } }
            var paths: Set<Substring> = []
            for try await sent in group { paths.formUnion(sent.split(separator: " ").dropFirst().prefix(1)) }
            #expect(paths.count == 300)
        }
        #expect(await peer.connections <= 8)
    }

    @Test func `one that waits for a connection waits within its own time`() async throws {
        let blocking = (0..<8).map { _ in Task { await failure(of: request("silent")) } }
        _ = await peer.waitForRequests(8)
        let fault = await failure(of: request("echo", time: .milliseconds(30)))
        #expect(fault?.kind == .timedOut)
        #expect(fault?.retry == .safe)
        for task in blocking { task.cancel() }
        for task in blocking { #expect(await task.value?.kind == .cancelled) }
        #expect(try await client.send(request("echo")).status == 200)
    }

    @Test func `cancelling ends the exchange on the other side, too`() async throws {
        let task = Task { await failure(of: request("silent")) }
        _ = await peer.waitForRequests(1)
        task.cancel()
        let fault = await task.value
        #expect(fault?.kind == .cancelled)
        #expect(fault?.retry == .ifRepeatable)
        await peer.waitForDesertion()
        #expect(await client.count == 0)
    }

    @Test func `closing ends what is under way and takes no more`() async throws {
        let task = Task { await failure(of: request("silent")) }
        _ = await peer.waitForRequests(1)
        await client.close()
        #expect(await task.value?.kind == .cancelled)
        #expect(await failure(of: request("echo"))?.kind == .cancelled)
    }

    @Test func `a signed request bears AWS's signature, over the token, too`() async throws {
        var request = request("echo")
        request.url = "\(peer.origin)/echo"
        request.signature = OutboundRequest.Signature(
            region: "eu-west-1", service: "ssm", accessKey: "AKIDEXAMPLE", secretKey: Secret(copying: Array("hidden".utf8).span.raw),
            sessionToken: Secret(copying: Array("session".utf8).span.raw))
        let sent = text(try await client.send(request))
        #expect(sent.contains("\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"))
        #expect(sent.contains("/eu-west-1/ssm/aws4_request, SignedHeaders="))
        #expect(!sent.contains(";user-agent"))
        #expect(sent.contains("x-amz-security-token"))
        #expect(sent.contains("\r\nX-Amz-Security-Token: session\r\n"))
        #expect(!sent.contains("hidden"))
    }
}
