// The way to the upstream: a connection from the pool or a new one, the request sent, the answer's head received.

internal import EventLoop
internal import Gateway
internal import HTTP1
internal import Kernel
internal import Telemetry

/// Where an exchange goes, with what it needs there.
enum Target {
    case server(Admission, RenderedCredential?)
    case portal(PortalAddress)

    /// Whose connections these are.
    var owner: AnyObject {
        switch self {
        case .server(let admission, _): admission.instance
        case .portal(let portal): portal
        }
    }
}

/// Why no answer's head came.
private indirect enum AttemptEnd: Error {
    /// The connection ended before a byte was answered.
    case died(String)
    case ended(ExchangeEnd)
}

extension Worker {
    /// Sends the request and waits for the head of its answer. It may be called again for the same request while `client.upload.keeps`.
    ///
    /// A pooled connection may have been closed by its server just as it was taken. Where such a one dies without a byte of
    /// an answer, the request goes out once more on a new connection, if the server cannot have read it or may read it twice.
    @inline(always)
    func obtainResponse(from target: Target, for client: Downstream) async throws(ExchangeEnd) -> Upstream {
        var mayReuse = true
        while true {
            let upstream: Upstream
            if mayReuse, let pooled = pooledConnection(to: target, for: client) {
                upstream = pooled
            } else {
                upstream = try await newConnection(to: target, for: client)
            }
            client.exchange.reusedUpstream = upstream.isReused
            client.exchange.sentUpstream = loop.now
            try startUpload(to: target, from: client)
            do throws(AttemptEnd) {
                try await awaitHead(upstream, target, client)
                // Of a body too large to be kept, and of the head before it, nothing is left to look into.
                client.hasHead = client.upload.keeps
                client.exchange.answeredUpstream = loop.now
                return upstream
            } catch {
                client.hasHead = client.upload.keeps
                switch error {
                case .ended(let end): throw end
                case .died(let detail):
                    let isSafe = upstream.nothingArrived || client.exchange.method.isRepeatable
                    guard upstream.isReused, isSafe, client.upload.keeps else {
                        throw .refused(Refusal(.upstreamUnreachable, detail))
                    }
                    mayReuse = false
                    client.exchange.noteResending()
                }
            }
        }
    }

    /// The request as the upstream is to get it: its head is written, its body will follow.
    private func startUpload(to target: Target, from client: Downstream) throws(ExchangeEnd) {
        let head = buffers.take()
        let body = client.facts.body
        let inbox = client.channel.inbox
        switch target {
        case .server(let admission, let credential):
            do throws(Refusal) {
                try UpstreamHead.write(
                    client.head, inbox.bytes, to: admission.instance, suffix: admission.suffix, with: credential, body: body,
                    requestID: client.exchange.id, trace: client.exchange.trace, into: head)
            } catch {
                buffers.give(head)
                throw .refused(error)
            }
        case .portal:
            PortalHead.write(client, body: body, requestID: client.exchange.id, into: head)
        }
        client.upload = BodyPump(
            body, as: body, keeping: client.facts.length, limit: client.exchange.snapshot.gateway.limits.body, after: head)
    }

    /// Sends, and reads the answer's head; whichever side moves first. While it waits it watches the client: one that leaves
    /// (or ends its sending side, which no MCP client does before it has its answer) ends the exchange at once.
    @inline(always)
    private func awaitHead(_ upstream: Upstream, _ target: Target, _ client: Downstream) async throws(AttemptEnd) {
        let spans = spans(of: target, for: client)
        var scan = HeadScan()
        var sending = BodyPump.State.waitsForSink
        var deadline = loop.now.advanced(by: spans.body)
        var sinkBroke = false
        var interims = 0
        while true {
            switch try readHead(upstream, &scan, client) {
            case .final: return
            case .interim:
                interims += 1
                guard interims <= Worker.mostInterims else {
                    throw .ended(.refused(Refusal(.upstreamInvalid, "interim answers without end")))
                }
                try await passInterim(upstream, target, client)
                continue
            case .notYet: break
            }
            if sending != .complete, !sinkBroke {
                let before = client.upload.progress
                do throws(BodyFault) {
                    sending = try client.upload.advance(from: client.channel, to: upstream.channel, buffers: buffers)
                } catch {
                    // A server may answer early and close; its answer may still be on the way.
                    guard case .sinkBroke = error else { throw .ended(end(for: error)) }
                    sinkBroke = true
                }
                if sending == .complete || sinkBroke {
                    deadline = loop.now.advanced(by: spans.response)
                } else if client.upload.progress != before {
                    deadline = loop.now.advanced(by: spans.body)
                }
            }
            var ofUpstream = upstream.channel.toReceive
            var ofClient: Readiness = .closed
            if !sinkBroke {
                if sending == .waitsForSink { ofUpstream.formUnion(upstream.channel.toSend) }
                if sending == .waitsForSource { ofClient.formUnion(client.channel.toReceive) }
            }
            let wake: Wake
            if sending == .yielded, !sinkBroke {
                wake = await client.waiter.yield()
            } else {
                wake = await wait(client.waiter, for: upstream.channel.slot, ofUpstream, or: client.channel.slot, ofClient, until: deadline)
            }
            if client.channel.isClosed { throw .ended(.clientGone) }
            if isCutting { throw .ended(.cut(.cut, Worker.drained)) }
            // A side that always has something to say never lets the deadline itself end the wait.
            if wake == .deadline || loop.now >= deadline { throw .ended(.refused(lateness(sending))) }
        }
    }

    @inline(never)
    private func lateness(_ sending: BodyPump.State) -> Refusal {
        switch sending {
        case .waitsForSource: Refusal(.requestTimeout, "the client's body made no progress")
        case .waitsForSink: Refusal(.upstreamTimeout, "the upstream took no more of the body")
        case .complete, .yielded: Refusal(.upstreamTimeout, "no response head came in time")
        }
    }

    @inline(never)
    private func end(for fault: BodyFault) -> ExchangeEnd {
        switch fault {
        case .sourceEnded, .sinkBroke: .clientGone
        case .sourceMalformed(let fault): .refused(Refusal(fault))
        case .streamRefused(let refusal): .refused(refusal)
        case .tooLarge: .refused(Refusal(.tooLarge, "the body is above limits.body"))
        }
    }

    /// How many interim answers are taken for one request.
    private static let mostInterims = 16

    private enum HeadStep { case notYet, interim, final }

    /// Reads as far as the next head of the answer.
    private func readHead(_ upstream: Upstream, _ scan: inout HeadScan, _ client: Downstream) throws(AttemptEnd) -> HeadStep {
        let inbox = upstream.channel.inbox
        while true {
            if upstream.channel.hasBytes {
                let isComplete: Bool
                do throws(MessageFault) {
                    isComplete = try upstream.head.parse(inbox.bytes, scan: &scan, limits: client.exchange.provisions.answerLimits, answering: client.exchange.method)
                } catch {
                    throw .ended(.refused(Refusal(.upstreamInvalid, "the response head: \(error)")))
                }
                if isComplete {
                    upstream.facts = ResponseFacts(upstream.head, inbox.bytes)
                    if upstream.facts.status == 101 { throw .ended(.refused(Refusal(.upstreamInvalid, "it switches protocols unasked"))) }
                    return upstream.facts.isInterim ? .interim : .final
                }
            }
            switch upstream.channel.receive() {
            case .bytes: continue
            case .notYet: return .notYet
            case .end, .failed:
                if upstream.channel.hasBytes { throw .ended(.refused(Refusal(.upstreamInvalid, "the response head breaks off"))) }
                throw .died("the connection ended without an answer")
            }
        }
    }

    /// Hands on an interim answer (RFC 9110, section 15.2), but for a 100: that one the gateway has said itself, or was not asked for.
    private func passInterim(_ upstream: Upstream, _ target: Target, _ client: Downstream) async throws(AttemptEnd) {
        if upstream.facts.status != 100, client.facts.minorVersion == 1 {
            let out = buffers.take()
            writeHead(of: upstream, target, .none, to: client, keepAlive: true, into: out)
            do throws(ExchangeEnd) {
                try await send(out, to: client)
            } catch {
                throw .ended(error)
            }
        }
        upstream.channel.consume(upstream.facts.length)
    }
}

extension Method {
    /// Whether a request that may have been processed may be sent again unasked (RFC 9110, section 9.2.2).
    var isRepeatable: Bool {
        switch self {
        case .get, .head, .options, .put, .delete: true
        case .post, .patch, .trace, .connect, .other: false
        }
    }
}
