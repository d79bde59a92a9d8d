// A session over a real socket: what it carries, how it ends, and that it asks the kernel nothing it knows already.

internal import COpenSSL
internal import Kernel
internal import TLS
import Testing

@Suite struct TLSSessionTests {
    let identity: Identity
    let context: ClientContext

    init() throws {
        let authority = try Identity(name: "Test Authority")
        identity = try Identity(name: "x", names: "DNS:crm.example.com,DNS:docs.example.com", issuer: authority)
        context = try TemporaryFile.with(authority.pem()) { path in try ClientContext(authorities: path) }
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION]) func `a megabyte goes both ways at once`(version: Int32) throws {
        let pair = try open(versions: version...version)
        let request = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        let answer = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 17 >> 2) }
        var (sent, answered) = (0, 0)
        var (received, read): ([UInt8], [UInt8]) = ([], [])
        while received.count < request.count || read.count < answer.count {
            sent += pair.clientWrites(request[sent...]).1
            answered += pair.serverWrites(answer[answered...].prefix(50_000))
            while let bytes = pair.serverReads() { received += bytes }
            pair.client.isSocketReadable = true
            pair.client.isSocketWritable = true
            reading: while true {
                let (step, bytes) = pair.clientReads(10_000)
                read += bytes
                switch step {
                case .bytes: continue
                case .wantsRead: break reading
                case .wantsWrite, .closed, .failed: Issue.record("\(step)"); return
                }
            }
        }
        #expect(received == request)
        #expect(read == answer)
    }

    @Test func `it speaks HTTP/1.1 and says so`() throws {
        #expect(try open().agreedProtocol == "http/1.1")
    }

    @Test func `a peer that dribbles is borne with, in the handshake and after`() throws {
        let pair = try Pair(context, to: "crm.example.com", identity: identity, tickets: 2)
        #expect(pair.client.handshake() == .wantsRead)
        pair.serverHandshake()
        let flight = pair.takeRaw()
        for (at, byte) in flight.enumerated() {
            pair.giveRaw([byte])
            pair.client.isSocketReadable = true
            let step = pair.client.handshake()
            #expect(step == (at == flight.count - 1 ? .done : .wantsRead))
        }
        pair.serverHandshake()
        #expect(pair.serverWrites([1, 2, 3]) == 3)
        let record = pair.takeRaw()
        for (at, byte) in record.enumerated() {
            pair.giveRaw([byte])
            pair.client.isSocketReadable = true
            let (step, bytes) = pair.clientReads()
            #expect(step == (at == record.count - 1 ? .bytes(3) : .wantsRead))
            #expect(bytes == (at == record.count - 1 ? [1, 2, 3] : []))
        }
    }

    @Test func `an answer costs one read, and nothing is asked of a drained socket`() throws {
        let pair = try Pair(context, to: "crm.example.com", identity: identity)
        #expect(pair.client.handshake() == .wantsRead)
        #expect(pair.client.socketReads == 0)
        #expect(pair.handshake() == .done)
        #expect(pair.client.socketReads == 1)
        #expect(pair.client.socketWrites == 2)
        #expect(!pair.client.isSocketReadable || pair.client.socketReads == 1)

        pair.client.isSocketReadable = false
        #expect(pair.clientReads().0 == .wantsRead)
        #expect(pair.client.socketReads == 1)

        #expect(pair.serverWrites([UInt8](repeating: 7, count: 1000)[...]) == 1000)
        pair.client.isSocketReadable = true
        #expect(pair.clientReads().0 == .bytes(1000))
        #expect(pair.client.socketReads == 2)
        #expect(!pair.client.isSocketReadable)
        #expect(pair.clientReads().0 == .wantsRead)
        #expect(pair.client.socketReads == 2)
    }

    @Test func `what is left in the session comes without the socket`() throws {
        let pair = try open()
        #expect(pair.serverWrites([UInt8](repeating: 7, count: 100)[...]) == 100)
        #expect(pair.serverWrites([UInt8](repeating: 8, count: 50)[...]) == 50)
        pair.client.isSocketReadable = true
        let before = pair.client.socketReads
        #expect(pair.clientReads(60).0 == .bytes(60))
        #expect(pair.client.hasBufferedBytes)
        #expect(pair.clientReads(60).0 == .bytes(40))
        #expect(pair.client.hasBufferedBytes)
        #expect(pair.clientReads(60).0 == .bytes(50))
        #expect(!pair.client.hasBufferedBytes)
        #expect(pair.clientReads(60).0 == .wantsRead)
        #expect(pair.client.socketReads == before + 1)
    }

    @Test func `a request is one write, and a full socket is not tried again`() throws {
        let pair = try open()
        let before = pair.client.socketWrites
        #expect(pair.clientWrites([UInt8](repeating: 1, count: 4000)[...]).0 == .bytes(4000))
        #expect(pair.client.socketWrites == before + 1)

        let much = [UInt8](repeating: 2, count: 4 << 20)
        let (step, taken) = pair.clientWrites(much[...])
        #expect(step == .wantsWrite)
        #expect(!pair.client.isSocketWritable)
        let full = pair.client.socketWrites
        #expect(pair.clientWrites(much[taken...]).0 == .wantsWrite)
        #expect(pair.client.socketWrites == full)

        // Room again: the same bytes, from another place, and nothing is lost or doubled.
        var received = 0
        var sent = taken
        while received < 4000 + much.count {
            while let bytes = pair.serverReads() { received += bytes.count }
            pair.client.isSocketWritable = true
            sent += pair.clientWrites(much[sent...]).1
        }
        #expect(received == 4000 + much.count)
        #expect(sent == much.count)
    }

    @Test func `nothing to write is no work`() throws {
        let pair = try open()
        let before = pair.client.socketWrites
        #expect(pair.clientWrites([]).0 == .bytes(0))
        #expect(pair.client.write(RawSpan()) == .bytes(0))
        #expect(pair.client.socketWrites == before)
    }

    @Test func `a peer that says good-bye closes cleanly, after its last bytes`() throws {
        let pair = try open()
        #expect(pair.serverWrites([1, 2]) == 2)
        pair.serverSaysGoodBye()
        pair.cut()
        pair.client.isSocketReadable = true
        #expect(pair.clientReads().0 == .bytes(2))
        pair.client.isSocketReadable = true
        #expect(pair.clientReads().0 == .closed(clean: true))
        #expect(pair.clientReads().0 == .closed(clean: true))
    }

    @Test func `an end without good-bye is a cut, and stays one`() throws {
        let pair = try open()
        #expect(pair.serverWrites([1, 2]) == 2)
        pair.cut()
        pair.client.isSocketReadable = true
        #expect(pair.clientReads().0 == .bytes(2))
        pair.client.isSocketReadable = true
        #expect(pair.clientReads().0 == .closed(clean: false))
        #expect(pair.clientReads().0 == .closed(clean: false))
        guard case .failed(let fault) = pair.client.write([UInt8]("x".utf8).span.raw) else { Issue.record("written"); return }
        #expect(!fault.isBeforeRequest)
    }

    @Test func `half a record and then the end is a cut`() throws {
        let pair = try open()
        #expect(pair.serverWrites([UInt8](repeating: 1, count: 500)[...]) == 500)
        let record = pair.takeRaw()
        pair.giveRaw(record.prefix(100))
        pair.cut()
        pair.client.isSocketReadable = true
        #expect(pair.clientReads().0 == .wantsRead)
        pair.client.isSocketReadable = true
        #expect(pair.clientReads().0 == .closed(clean: false))
    }

    @Test func `a changed bit breaks the session`() throws {
        let pair = try open()
        #expect(pair.serverWrites([UInt8](repeating: 1, count: 500)[...]) == 500)
        var record = pair.takeRaw()
        record[300] ^= 1
        pair.giveRaw(record)
        pair.client.isSocketReadable = true
        let (first, bytes) = pair.clientReads()
        guard case .failed(let fault) = first else { Issue.record("\(first)"); return }
        #expect(bytes.isEmpty)
        #expect(fault.cause == .protocolBroken)
        #expect(!fault.isBeforeRequest)
        #expect(pair.clientReads().0 == first)
    }

    @Test func `a connection that breaks on writing is a fault, not a signal`() throws {
        let pair = try open()
        pair.cut()
        guard case .failed(let fault) = pair.clientWrites([1, 2, 3]).0 else { Issue.record("written"); return }
        #expect(fault.cause == .socket(SystemFault("send", EPIPE)))
        #expect(fault.words == "the connection broke: Broken pipe")
    }

    @Test func `closing says good-bye`() throws {
        let pair = try open()
        pair.client.close()
        #expect(pair.serverReads() == nil)
        #expect(pair.serverWasTold)
        pair.client.close()
        #expect(pair.clientReads().0 == .closed(clean: false))
    }

    @Test func `a server of TLS 1.1 is refused`() throws {
        let pair = try Pair(context, to: "crm.example.com", identity: identity, versions: TLS1_1_VERSION...TLS1_1_VERSION)
        guard case .failed(let fault) = pair.handshake() else { Issue.record("accepted"); return }
        #expect(fault.cause == .noCommonGround)
        #expect(fault.words == "the server offers no TLS version from 1.2 on")
        #expect(fault.isBeforeRequest)
    }

    @Test func `a server without a certificate shares no cipher`() throws {
        let pair = try Pair(context, to: "crm.example.com", identity: nil)
        guard case .failed(let fault) = pair.handshake() else { Issue.record("accepted"); return }
        #expect(fault.cause == .noCommonGround)
    }

    @Test(arguments: ["HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "220 mail ready\r\n"])
    func `what speaks no TLS is told apart`(greeting: String) throws {
        let pair = try Pair(context, to: "crm.example.com", identity: identity)
        #expect(pair.client.handshake() == .wantsRead)
        pair.giveRaw(Array(greeting.utf8))
        pair.client.isSocketReadable = true
        guard case .failed(let fault) = pair.client.handshake() else { Issue.record("accepted"); return }
        #expect(fault.cause == .notTLS)
        #expect(fault.isBeforeRequest)
    }

    @Test func `an end during the handshake is a cut before the request`() throws {
        let pair = try Pair(context, to: "crm.example.com", identity: identity)
        #expect(pair.client.handshake() == .wantsRead)
        pair.cut()
        pair.client.isSocketReadable = true
        guard case .failed(let fault) = pair.client.handshake() else { Issue.record("accepted"); return }
        #expect(fault.cause == .cut)
        #expect(fault.words == "the server closed the connection during the handshake")
        #expect(fault.isBeforeRequest)
    }

    @Test func `tickets on an idle connection leave it good`() throws {
        let pair = try open(tickets: 2)
        pair.serverHandshake()
        pair.client.isSocketReadable = true
        #expect(pair.clientReads().0 == .wantsRead)
        #expect(pair.serverWrites([9]) == 1)
        pair.client.isSocketReadable = true
        #expect(pair.clientReads().0 == .bytes(1))
    }

    private func open(versions: ClosedRange<Int32> = TLS1_2_VERSION...TLS1_3_VERSION, tickets: Int = 0) throws -> Pair {
        let pair = try Pair(context, to: "crm.example.com", identity: identity, versions: versions, tickets: tickets)
        try #require(pair.handshake() == .done)
        pair.serverHandshake()
        return pair
    }
}
