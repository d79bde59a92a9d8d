// The life of a request: read head → identify → route → credential → connect → send → relay → record.

internal import Credentials
internal import EventLoop
internal import Gateway
internal import HTTP1
internal import Kernel
internal import Metrics
internal import Telemetry

/// What ends an exchange before its answer is whole. Indirect, since room for one is kept in every task that might be thrown one.
indirect enum ExchangeEnd: Error {
    /// The gateway says no. Before a byte of an answer has left, it says so in words; after that the connection breaks.
    case refused(Refusal)
    /// The client left: nobody is there to answer.
    case clientGone
    /// The answer began and cannot be finished: it must not look complete.
    case cut(AccessRecord.Ending, String)
}

/// What is known of one exchange while it lasts; what its record is made of. A connection has one, and begins it anew for each request: it is
/// where an exchange keeps what it must not lose while it waits, so that the task itself, of which there are as many as connections, stays small.
final class Exchange {
    private(set) var id: RequestID
    /// The configuration it began with, and ends with.
    private(set) var snapshot: Snapshot
    var began: MonotonicTime
    private let ownRoute = Own(RouteDetail())
    /// The two bodies on their way; of the request, what is left where the server answered before it had all of it.
    private let ownUpload = Own(BodyPump())
    private let ownDownload = Own(BodyPump())
    /// The event stream's place among its user's.
    var seat: StreamSeats.Seat?
    var method = Method.other
    /// Whether a first byte of an answer has left.
    var hasAnswered = false
    /// Whether only the close of the connection ends this answer.
    var endsWithClose = false
    /// Whether the connection takes another request after this one.
    var persists = false
    /// Whether bytes may still come in that nobody will read: the close waits for them a moment, or they would erase the answer.
    var mustLinger = false
    var status = 0
    var refusal: Refusal?
    var ending = AccessRecord.Ending.complete
    /// Which of the refusal's cases it was, or why the answer broke off.
    var why: String?
    var isStream = false
    var reusedUpstream = false
    var sentUpstream: MonotonicTime?
    var answeredUpstream: MonotonicTime?
    var credentialNanoseconds: UInt64?
    var received = 0
    var sentBefore = 0

    init(id: RequestID, snapshot: Snapshot, began: MonotonicTime) {
        self.id = id
        self.snapshot = snapshot
        self.began = began
    }

    var route: RouteDetail {
        @inline(always) _read { yield ownRoute.value }
        @inline(always) _modify { yield &ownRoute.value }
    }

    var upload: BodyPump {
        @inline(always) _read { yield ownUpload.value }
        @inline(always) _modify { yield &ownUpload.value }
    }

    var download: BodyPump {
        @inline(always) _read { yield ownDownload.value }
        @inline(always) _modify { yield &ownDownload.value }
    }

    /// Everything as it was at first, for the connection's next request.
    func renew(id: RequestID, snapshot: Snapshot, began: MonotonicTime) {
        self.id = id
        self.snapshot = snapshot
        self.began = began
        route.reset()
        if !upload.isSpent { upload = BodyPump() }
        if !download.isSpent { download = BodyPump() }
        seat = nil
        method = .other
        hasAnswered = false
        endsWithClose = false
        persists = false
        mustLinger = false
        status = 0
        refusal = nil
        ending = .complete
        why = nil
        isStream = false
        reusedUpstream = false
        sentUpstream = nil
        answeredUpstream = nil
        credentialNanoseconds = nil
        received = 0
        sentBefore = 0
    }
}

extension Worker {
    /// A connection's life: one exchange after the other, until one side has had enough.
    func serve(_ client: Downstream) async {
        let exchange = Exchange(id: nextRequestID(), snapshot: snapshot, began: loop.now)
        while true {
            do throws(ExchangeEnd) {
                guard try await receiveHead(client, exchange) else { return }
                shard.add(.activeExchanges, 1)
                defer { shard.add(.activeExchanges, -1) }
                try await relay(client, exchange)
            } catch {
                await conclude(client, exchange, error)
            }
            record(exchange, of: client)
            if exchange.mustLinger { await linger(client) }
            guard exchange.persists else { return }
            exchange.renew(id: nextRequestID(), snapshot: snapshot, began: loop.now)
        }
    }

    /// The straight line. What is at hand is taken in passing; `await` stands only where there is something to wait for, since each
    /// costs a look at the task's executor, which an exchange on a warm worker has no need of.
    @inline(always)
    private func relay(_ client: Downstream, _ exchange: Exchange) async throws(ExchangeEnd) {
        let target: Target
        switch try destination(of: client, exchange) {
        case .answeredHere(let answer):
            return try await self.answer(answer, to: client, exchange)
        case .portal:
            target = .portal(services.portal)
        case .relay(let admission):
            let credential: RenderedCredential?
            if let known = try knownCredential(for: admission, exchange) {
                credential = known
            } else {
                credential = try await fetchCredential(for: admission, exchange)
            }
            target = .server(admission, credential)
        }
        let upstream = try await obtainResponse(from: target, for: client, exchange)
        if upstream.facts.status == 401 { try await judge(target, exchange) }
        defer { endDelivery(exchange) }
        if try !beginDelivery(of: upstream, from: target, to: client, exchange) { try await pump(upstream, target, client, exchange) }
        release(upstream, exchange)
    }

    private enum Way {
        case relay(Admission)
        case portal
        case answeredHere(OwnReply)
    }

    /// Identify and route.
    private func destination(of client: Downstream, _ exchange: Exchange) throws(ExchangeEnd) -> Way {
        if client.isTurnedAway { throw .refused(Refusal(.overloaded, "limits.connections or limits.per_address is reached")) }
        guard client.door == .public else {
            if let health = health(client, exchange) { return .answeredHere(health) }
            do throws(Refusal) { try admitLength(client, exchange) } catch { throw .refused(error) }
            return .portal
        }
        let inbox = client.channel.inbox
        do throws(Refusal) {
            let found = try exchange.snapshot.admit(
                client.head, inbox.bytes, wallClock: wallClock, recalling: memo, noting: &exchange.route)
            switch consume found {
            case .preflight(let origin):
                return .answeredHere(.preflight(origin: origin))
            case .portal:
                try admitLength(client, exchange)
                return .portal
            case .relay(let admission):
                if let wait = rates.wait(for: admission.caller.key, now: loop.now) {
                    throw Refusal(.rateLimited, "the key's rate is used up", retryAfter: wait)
                }
                try admitLength(client, exchange)
                return .relay(admission)
            }
        } catch {
            throw .refused(error)
        }
    }

    private func admitLength(_ client: Downstream, _ exchange: Exchange) throws(Refusal) {
        if case .exactly(let length) = client.facts.body, length > exchange.snapshot.gateway.limits.body {
            throw Refusal(.tooLarge, "Content-Length is above limits.body")
        }
    }

    /// A hit: from this worker's own view, without suspension. Nil: the broker has to be asked. Of a server without an injector, nothing.
    private func knownCredential(for admission: Admission, _ exchange: Exchange) throws(ExchangeEnd) -> RenderedCredential?? {
        let instance = admission.instance
        if case .none = instance.server.injector { return .some(nil) }
        guard let known = view.value.lookup(CacheKey(instance, user: admission.caller.user), instance, now: loop.now) else { return nil }
        do throws(Refusal) {
            return try known.credential(at: instance, portalURL: exchange.snapshot.portalURL)
        } catch {
            throw .refused(error)
        }
    }

    /// A miss is the broker's: it fetches once for all who ask.
    private func fetchCredential(for admission: Admission, _ exchange: Exchange) async throws(ExchangeEnd) -> RenderedCredential {
        let instance = admission.instance
        let asked = loop.now
        do throws(Refusal) {
            let key = CacheKey(instance, user: admission.caller.user)
            let found = try await services.broker.credential(for: key, at: instance, user: admission.caller.user)
            exchange.credentialNanoseconds = loop.now.nanoseconds &- asked.nanoseconds
            return try view.value.insert(found).credential(at: instance, portalURL: exchange.snapshot.portalURL)
        } catch {
            throw .refused(error)
        }
    }

    /// 100 Continue, once the credential is there and the body is not (RFC 9110, section 10.1.1).
    func inviteBody(_ client: Downstream) async throws(ExchangeEnd) {
        guard client.channel.count == client.facts.length else { return }
        let out = buffers.take()
        out.append("HTTP/1.1 100 Continue\r\n\r\n")
        try await send(out, to: client)
    }
}
