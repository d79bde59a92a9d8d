// The client's side of an exchange: reading its head, what is left of its body, and the close that does not erase an answer.

internal import EventLoop
internal import Gateway
internal import HTTP1
internal import Kernel

extension Worker {
    /// Reads until a whole request head is there.
    /// - Returns: false where the connection ended between requests, or where the time to drain was over before the head was whole.
    @inline(always)
    func receiveHead(_ client: Downstream) async throws(ExchangeEnd) -> Bool {
        let waitsSince = loop.now
        var begunAt: MonotonicTime? = client.exchanges == 0 || client.isTurnedAway ? waitsSince : nil
        client.scan = HeadScan()
        client.hasHead = false
        while true {
            if client.channel.hasBytes {
                if begunAt == nil {
                    begunAt = loop.now
                    client.exchange.began = loop.now
                }
                if try parseHead(client) {
                    client.hasHead = true
                    client.facts = RequestFacts(client.head)
                    client.exchange.begin(with: client, at: loop.now)
                    if !client.exchange.snapshot.gateway.trustedProxies.isEmpty { noteAddress(of: client, client.exchange.snapshot) }
                    client.exchanges += 1
                    if client.exchanges == 1 { newcomers.value.leave() }
                    return true
                }
            }
            switch client.channel.receive() {
            case .bytes: continue
            case .end, .failed: return false
            case .notYet: break
            }
            let hasBegun = client.channel.hasBytes
            var deadline = if let begunAt { begunAt.advanced(by: provisions.spans.head) } else { waitsSince.advanced(by: provisions.spans.idle) }
            if isDraining, !hasBegun {
                deadline = min(deadline, lastWait(since: waitsSince))
                if loop.now >= deadline { return false }
            }
            client.isIdle = !hasBegun
            let wake = await wait(client.waiter, for: client.channel.slot, client.channel.toReceive, until: deadline)
            client.isIdle = false
            if isCutting { return false }
            if wake == .deadline || loop.now >= deadline {
                guard hasBegun else { return false }
                throw .refused(Refusal(.requestTimeout, "the head did not come in time"))
            }
        }
    }

    @inline(never)
    private func parseHead(_ client: Downstream) throws(ExchangeEnd) -> Bool {
        let inbox = client.channel.inbox
        do throws(MessageFault) {
            return try client.head.parse(inbox.bytes, scan: &client.scan, limits: client.exchange.provisions.headLimits)
        } catch {
            throw .refused(Refusal(error))
        }
    }

    /// Whom a trusted proxy says it speaks for.
    @inline(never)
    private func noteAddress(of client: Downstream, _ snapshot: Snapshot) {
        guard let peer = IPAddress(client.peer) else { return }
        var walk = ClientAddress(peer: peer, trusted: snapshot.gateway.trustedProxies)
        let inbox = client.channel.inbox
        for field in client.head.fields.reversed() where field.id == .forwardedFor && !field.hasUnderscore {
            walk.read(inbox.bytes[field.value])
        }
        let bytes = walk.address.bytes
        client.exchange.address = (walk.address.isV4 ? SocketAddress.v4(bytes, port: 0) : .v6(bytes, port: 0, scope: 0)).host
    }

    /// The rest of a request's body that is refused: so that the connection can go on, and for the id of a JSON-RPC request.
    ///
    /// Reads 64 KiB and two seconds at most. The head is still in front; head and body are consumed only by the caller.
    /// - Returns: the payload, and how many bytes head and body take; nil where the end was not reached.
    func gatherBody(_ client: Downstream) async -> (payload: ByteBuffer, end: Int)? {
        let most = JSONRPCGlimpse.bodyLimit
        if case .exactly(let length) = client.facts.body, length > most { return nil }
        // A client that still waits for 100 Continue will not send, and need not.
        if client.facts.expectsContinue, client.channel.count == client.facts.length { return nil }
        let deadline = loop.now.advanced(by: .seconds(2))
        guard client.facts.length <= client.channel.count else { return nil }
        var decoder = BodyDecoder(client.facts.body)
        let payload = ByteBuffer(capacity: 1024)
        var cursor = client.facts.length
        let inbox = client.channel.inbox
        while true {
            guard let step = try? decoder.next(inbox.bytes.extracting(cursor..<inbox.count)) else { return nil }
            switch step {
            case .payload(let n):
                guard payload.count + n <= most else { return nil }
                payload.append(inbox.bytes.extracting(cursor..<cursor + n))
                cursor += n
            case .framing(let n): cursor += n
            case .complete: return (payload, cursor)
            case .needMore:
                guard await receiveMore(client, until: deadline) else { return nil }
            }
        }
    }

    private func receiveMore(_ client: Downstream, until deadline: MonotonicTime) async -> Bool {
        while true {
            switch client.channel.receive() {
            case .bytes: return true
            case .end, .failed: return false
            case .notYet: break
            }
            guard !client.channel.isFull else { return false }
            let wake = await wait(client.waiter, for: client.channel.slot, client.channel.toReceive, until: deadline)
            guard wake != .deadline, loop.now < deadline, !isCutting else { return false }
        }
    }

    /// Ends our side and drops what still comes in, 64 KiB and a second at most: bytes that meet a closed socket would make it
    /// reset the connection, and the answer would be lost on its way (RFC 9112, section 9.6).
    func linger(_ client: Downstream) async {
        client.channel.endSending()
        let deadline = loop.now.advanced(by: .seconds(1))
        var dropped = 0
        while dropped < 64 << 10 {
            client.channel.consume(client.channel.count)
            switch client.channel.receive() {
            case .bytes(let n): dropped += n
            case .end, .failed: return
            case .notYet:
                let wake = await wait(client.waiter, for: client.channel.slot, client.channel.toReceive, until: deadline)
                guard wake != .deadline, loop.now < deadline, !isCutting else { return }
            }
        }
    }
}

extension Exchange {
    mutating func begin(with client: Downstream, at now: MonotonicTime) {
        began = now
        method = client.facts.method
        received = client.facts.length
        sentBefore = client.channel.sent
    }
}

extension HeadLimits {
    init(_ limits: Limits) {
        self.init(line: limits.line, head: limits.head, fields: limits.headers)
    }
}

extension Refusal {
    /// What a head that cannot be read is refused with.
    init(_ fault: MessageFault) {
        switch fault {
        case .malformed(let malformation): self.init(.badRequest, malformation.rawValue)
        case .unsupportedVersion: self.init(.badRequest, "a version other than HTTP/1.0 and HTTP/1.1")
        case .lineTooLong: self.init(.lineTooLong, "the request line is above limits.line")
        case .headTooLarge: self.init(.headTooLarge, "the head is above limits.head or limits.headers")
        case .methodNotAllowed: self.init(.methodNotAllowed, "TRACE or CONNECT")
        case .expectationFailed: self.init(.expectationFailed, "an Expect other than 100-continue")
        case .truncated: self.init(.badRequest, "the body breaks off")
        }
    }
}

extension RequestHead {
    /// A POST of `application/json`, whose body was not held back.
    borrowing func isJSONPost(_ bytes: RawSpan) -> Bool {
        guard method == .post, !expectsContinue, let type = first(.contentType) else { return false }
        return bytes[type.value].isMediaType("application/json")
    }
}

extension IPAddress {
    /// Nil for a path's.
    init?(_ address: SocketAddress) {
        switch address {
        case .v4(let bytes, _), .v6(let bytes, _, _): self.init(bytes: bytes)
        case .unix: return nil
        }
    }
}
