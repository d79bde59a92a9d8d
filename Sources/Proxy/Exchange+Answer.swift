// What the gateway answers itself: refusals, preflights, health; and how an exchange that failed is ended.

internal import EventLoop
internal import Gateway
internal import HTTP1
internal import Kernel
internal import Telemetry

/// What the gateway answers itself and that is no refusal.
enum OwnReply {
    case preflight(origin: String)
    case health
    case readiness
}

extension Worker {
    /// Whether the gateway takes another request on this connection.
    @inline(always)
    func mayGoOn(_ client: Downstream) -> Bool { !isDraining && client.entrance.isOpen }

    /// Ends an exchange that did not come to its end by itself.
    func conclude(_ client: Downstream, _ end: ExchangeEnd) async {
        client.exchange.persists = false
        switch end {
        case .clientGone:
            client.exchange.ending = .clientLeft
        case .cut(let ending, let why):
            cut(client, ending, why)
        case .drained:
            client.exchange.ending = .cut
            client.exchange.why = "\(Worker.drained): ended between two events"
            client.exchange.mustLinger = !client.upload.isDecoded
        case .refused(let refusal):
            guard !client.exchange.hasAnswered else { return cut(client, .cut, refusal.detail) }
            client.exchange.refusal = refusal
            client.exchange.why = refusal.detail
            await refuse(client, refusal)
        }
    }

    /// Closed without an end: the client sees a missing last chunk or a short body. Where the close itself would be the end, it sees a reset.
    private func cut(_ client: Downstream, _ ending: AccessRecord.Ending, _ why: String) {
        client.exchange.ending = ending
        client.exchange.why = why
        if client.exchange.endsWithClose { client.channel.resetOnClose() }
    }

    private func refuse(_ client: Downstream, _ refusal: Refusal) async {
        var form = RefusalForm.plain
        var keepsAlive = false
        if client.hasHead {
            if let (payload, end) = await gatherBody(client) {
                let inbox = client.channel.inbox
                if client.exchange.route.key != nil, client.head.isJSONPost(inbox.bytes) {
                    let glimpse = JSONRPCGlimpse.read(payload.bytes)
                    if let version = client.head.first(.mcpProtocolVersion) {
                        form = RefusalForm(glimpse, version: inbox.bytes[version.value])
                    } else {
                        form = RefusalForm(glimpse, version: nil)
                    }
                }
                keepsAlive = client.facts.keepAlive && mayGoOn(client) && !client.isTurnedAway
                client.channel.consume(end)
            }
        }
        let out = buffers.take()
        let frame = AnswerFrame(
            requestID: client.exchange.id, allowedOrigin: client.exchange.route.allowedOrigin, isHead: client.exchange.method == .head, keepsAlive: keepsAlive)
        let (status, goesOn) = RefusalAnswer.write(refusal, form: form, frame: frame, into: out)
        client.exchange.status = status
        client.exchange.persists = goesOn
        client.exchange.mustLinger = !goesOn
        do throws(ExchangeEnd) {
            try await send(out, to: client)
        } catch {
            client.exchange.ending = isCutting ? .cut : .clientLeft
            client.exchange.persists = false
            client.exchange.mustLinger = false
        }
    }

    /// Whether somebody looks in who does so again and again.
    func isProbe(_ client: Downstream) -> Bool {
        let inbox = client.channel.inbox
        let path = inbox.bytes[client.head.path]
        return path.equals("/healthz") || path.equals("/readyz") || path.equals("/metrics")
    }

    /// `/healthz` and `/readyz`, on the administration's doors.
    func health(_ client: Downstream) -> OwnReply? {
        guard client.exchange.method == .get || client.exchange.method == .head else { return nil }
        let inbox = client.channel.inbox
        let path = inbox.bytes[client.head.path]
        if path.equals("/healthz") { return .health }
        return path.equals("/readyz") ? .readiness : nil
    }

    /// Gives an answer that asks nobody and to which the request's body is of no interest.
    func answer(_ reply: OwnReply, to client: Downstream) async throws(ExchangeEnd) {
        let gathered = await gatherBody(client)
        client.exchange.persists = gathered != nil && client.facts.keepAlive && mayGoOn(client)
        client.exchange.mustLinger = gathered == nil
        let out = buffers.take()
        let frame = AnswerFrame(
            requestID: client.exchange.id, allowedOrigin: client.exchange.route.allowedOrigin, isHead: client.exchange.method == .head, keepsAlive: client.exchange.persists)
        switch reply {
        case .preflight(let origin):
            client.exchange.status = 204
            let inbox = client.channel.inbox
            CrossOrigin.writePreflight(
                client.head, inbox.bytes, origin: origin, requestID: client.exchange.id, keepAlive: client.exchange.persists, into: out)
        case .health:
            client.exchange.status = 200
            OwnAnswer.writeHealth(frame: frame, into: out)
        case .readiness:
            client.exchange.status = isDraining ? 503 : 200
            OwnAnswer.writeReadiness(isReady: !isDraining, frame: frame, into: out)
        }
        if let gathered { client.channel.consume(gathered.end) }
        client.exchange.hasAnswered = true
        try await send(out, to: client)
    }

    /// Sends `out` to its end and gives it back. A client that takes nothing for the body's time is gone.
    func send(_ out: ByteBuffer, to client: Downstream) async throws(ExchangeEnd) {
        defer { buffers.give(out) }
        while !out.isEmpty {
            switch client.channel.send(out.bytes) {
            case .bytes(let n): out.consume(n)
            case .failed: throw .clientGone
            case .notYet:
                let deadline = loop.now.advanced(by: client.exchange.provisions.spans.body)
                let wake = await wait(client.waiter, for: client.channel.slot, client.channel.toSend, until: deadline)
                if isCutting { throw .cut(.cut, Worker.drained) }
                guard wake != .deadline else { throw .clientGone }
            }
        }
    }
}
