// The answer's way back: its head rewritten, its body streamed as it comes, and what becomes of both connections.

internal import Credentials
internal import EventLoop
internal import Gateway
internal import HTTP1
internal import Kernel
internal import Metrics
internal import Telemetry

extension Worker {
    /// Begins to relay an answer whose head is there; what of it is at hand leaves with its head.
    /// - Returns: whether that was all.
    func beginDelivery(of upstream: Upstream, from target: Target, to client: Downstream) throws(ExchangeEnd) -> Bool {
        if case .server(let admission, let credential?) = target, credential.isRejected { noteAcceptance(of: credential, admission, upstream) }
        let isStream = upstream.facts.isEventStream
        if isStream { client.exchange.seat = try takeSeat(at: target, for: client) }
        let rewriter = isStream ? endpointRelay(target, for: client) : nil
        let framing = answerFraming(upstream.facts.body, isRewritten: rewriter != nil, client)
        client.exchange.status = upstream.facts.status
        client.exchange.endsWithClose = framing == .untilClose
        client.exchange.persists = client.facts.keepAlive && framing != .untilClose && mayGoOn(client) && client.upload.isDecoded
        let out = buffers.take()
        writeHead(of: upstream, target, framing, to: client, keepAlive: client.exchange.persists, into: out)
        upstream.channel.consume(upstream.facts.length)
        if isStream {
            client.exchange.isStream = true
            shard.add(.activeStreams, 1)
        }
        client.download = BodyPump(upstream.facts.body, as: framing, after: out, rewriter: rewriter, isEventStream: isStream && !upstream.facts.isCompressed && framing.hasOpenEnd)
        let sentBefore = client.channel.sent
        do throws(ExchangeEnd) {
            let isComplete = try advanceDownload(from: upstream, to: client) == .complete
            client.exchange.hasAnswered = true
            // From here on nobody looks at the request again.
            client.upload.letGo(of: client.channel)
            return isComplete
        } catch {
            client.exchange.hasAnswered = client.channel.hasSent(since: sentBefore)
            // While nothing has left, an answer that cannot be one is refused in words.
            guard case .cut(.upstreamBroke, let why) = error, !client.exchange.hasAnswered else { throw error }
            throw .refused(Refusal(.upstreamInvalid, why))
        }
    }

    /// Gives back what a delivery holds; to be called once, however it ended.
    func endDelivery(to client: Downstream) {
        client.exchange.received += client.upload.payload
        if client.exchange.isStream { shard.add(.activeStreams, -1) }
        if let seat = client.exchange.seat { services.streams.leave(seat) }
    }

    /// Moves the answer, and what is left of the request, until the answer is whole.
    func pump(_ upstream: Upstream, _ target: Target, _ client: Downstream) async throws(ExchangeEnd) {
        let spans = spans(of: target, for: client)
        let patience = client.exchange.isStream ? spans.streamIdle : spans.body
        var sending: BodyPump.State = .yielded
        var lastMove = loop.now
        while true {
            let before = client.download.progress &+ client.upload.progress
            let receiving = try advanceDownload(from: upstream, to: client)
            if receiving == .complete {
                if client.download.endsEarly { throw .drained }
                return
            }
            // A server that has answered may have stopped reading: that ends the sending, not the answer.
            if sending != .complete {
                sending = (try? client.upload.advance(from: client.channel, to: upstream.channel, buffers: buffers)) ?? .complete
            }
            if client.download.progress &+ client.upload.progress != before { lastMove = loop.now }
            var ofUpstream: Readiness = []
            var ofClient: Readiness = .closed
            // A client that does not read has the body's time, also on a stream.
            var deadline = lastMove.advanced(by: patience)
            if receiving == .waitsForSource { ofUpstream.formUnion(upstream.channel.toReceive) }
            if receiving == .waitsForSink {
                ofClient.formUnion(client.channel.toSend)
                deadline = lastMove.advanced(by: spans.body)
            }
            if sending == .waitsForSink { ofUpstream.formUnion(upstream.channel.toSend) }
            if sending == .waitsForSource { ofClient.formUnion(client.channel.toReceive) }
            if isCutting { deadline = min(deadline, eventsEnd) }
            let wake: Wake
            if receiving == .yielded || sending == .yielded {
                wake = await client.waiter.yield()
            } else {
                wake = await wait(client.waiter, for: upstream.channel.slot, ofUpstream, or: client.channel.slot, ofClient, until: deadline)
            }
            if client.channel.isClosed { throw .clientGone }
            if isCutting, !client.download.endBetweenEvents(buffers) { throw .cut(.cut, Worker.drained) }
            if client.isRevoked { throw .cut(.cut, Worker.revocation) }
            if wake == .deadline {
                if isCutting { throw .cut(.cut, Worker.drained) }
                throw .cut(.cut, receiving == .waitsForSink ? "the client did not read" : "no byte came in time")
            }
        }
    }

    private func advanceDownload(from upstream: Upstream, to client: Downstream) throws(ExchangeEnd) -> BodyPump.State {
        do throws(BodyFault) {
            return try client.download.advance(from: upstream.channel, to: client.channel, buffers: buffers)
        } catch {
            switch error {
            case .sinkBroke: throw .clientGone
            case .sourceEnded: throw .cut(.upstreamBroke, "the upstream ended within its answer")
            case .sourceMalformed(let fault): throw .cut(.upstreamBroke, "the upstream's body: \(fault)")
            case .streamRefused(let refusal): throw .cut(.upstreamBroke, refusal.detail)
            case .tooLarge: throw .cut(.upstreamBroke, "the upstream's body is above every limit")
            }
        }
    }

    /// How the answer's body is framed for this client. A length is kept; what ends with the connection is chunked where the client knows chunks.
    private func answerFraming(_ length: BodyLength, isRewritten: Bool, _ client: Downstream) -> BodyLength {
        switch length {
        case .none: .none
        case .exactly where !isRewritten: length
        case .exactly, .chunked, .untilClose: client.facts.minorVersion == 1 ? .chunked : .untilClose
        }
    }

    func writeHead(
        of upstream: Upstream, _ target: Target, _ framing: BodyLength, to client: Downstream, keepAlive: Bool, into out: ByteBuffer
    ) {
        let inbox = upstream.channel.inbox
        switch target {
        case .server(let admission, let credential):
            DownstreamHead.write(
                upstream.head, inbox.bytes, from: admission.instance, redacting: credential, body: framing,
                keepAlive: keepAlive, requestID: client.exchange.id, allowedOrigin: client.exchange.route.allowedOrigin, into: out)
        case .portal:
            client.exchange.isKnown = upstream.head.has(.clavigerDoor)
            PortalHead.writeAnswer(upstream.head, inbox.bytes, body: framing, keepAlive: keepAlive, requestID: client.exchange.id, into: out)
        }
    }

    /// The upstream goes back to its pool if both sides know where its next answer begins; the client goes on if its whole body was taken in.
    func release(_ upstream: Upstream, by client: Downstream) {
        if client.upload.isSent, upstream.facts.keepAlive, !upstream.channel.hasBytes {
            upstream.pool.give(upstream, now: loop.now, turn: loop.turnCount, hint: upstream.facts.keepAliveTimeout)
        }
        if !client.upload.isDecoded {
            client.exchange.persists = false
            client.exchange.mustLinger = true
        }
    }

    /// For the old HTTP+SSE transport: its stream says first where to POST.
    private func endpointRelay(_ target: Target, for client: Downstream) -> EndpointRelay? {
        guard case .server(let admission, let credential) = target else { return nil }
        guard admission.instance.server.transport == .sse, client.exchange.method == .get else { return nil }
        return EndpointRelay(admission.instance, credential)
    }

    /// A place among the user's event streams (`limits.streams_per_user`); nil where the answer is the portal's.
    private func takeSeat(at target: Target, for client: Downstream) throws(ExchangeEnd) -> StreamSeats.Seat? {
        guard case .server(let admission, _) = target else { return nil }
        // A reload looks at the streams that it finds; this one begins only now.
        guard client.exchange.provisions === provisions || isStillAdmitted(client.exchange) else { throw .refused(Refusal(.unknownServer, Worker.revocation)) }
        let seat = StreamSeats.Seat(project: admission.instance.project, user: admission.caller.user.digest)
        guard services.streams.enter(seat, limit: client.exchange.snapshot.gateway.limits.streamsPerUser) else {
            throw .refused(Refusal(.rateLimited, "limits.streams_per_user is reached"))
        }
        return seat
    }
}

extension ResponseHead {
    /// `Content-Type: text/event-stream`, with or without parameters.
    borrowing func isEventStream(_ bytes: RawSpan) -> Bool {
        guard let type = first(.contentType) else { return false }
        return bytes[type.value].isMediaType("text/event-stream")
    }
}

extension RawSpan {
    /// Whether a Content-Type's value names this type, given in lower case (RFC 9110, section 8.3.1); parameters do not matter.
    func isMediaType(_ type: StaticString) -> Bool {
        let length = type.utf8CodeUnitCount
        guard byteCount >= length else { return false }
        var at = 0
        for byte in type.description.utf8 {
            let own = self[at]
            guard own == byte || (own | 0x20 == byte && own >= 0x41 && own <= 0x5A) else { return false }
            at += 1
        }
        guard byteCount > length else { return true }
        let next = self[length]
        return next == UInt8(ascii: ";") || next == 0x20 || next == 0x09
    }
}
