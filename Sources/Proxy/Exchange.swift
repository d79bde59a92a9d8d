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
    /// An event stream was ended between two events, since the time to drain is over.
    case drained
}

/// Whose request it is: what is counted and written down of it goes by that.
enum Matter {
    /// An agent's, or of somebody who would be one.
    case exchange
    /// A person's at the pages, or a program's at the administration.
    case portal
    /// Health, readiness and metrics: asked every few seconds, and no record each.
    case probe
}

/// What is known of one exchange while it lasts; what its record is made of. It stands with its connection (`Downstream.exchange`) and not in the
/// task's frame, of which there are as many as connections, and which has room for every local that lives across a wait.
struct Exchange: ~Copyable {
    let id: RequestID
    /// The configuration it began with, and ends with: the one in force when its first byte came.
    var provisions: Provisions
    var began: MonotonicTime
    var route = RouteDetail()
    /// The client's address, where a trusted proxy named it; else it is the peer's.
    var address: String?
    /// What its headers say it asks for, once its key was accepted.
    var operation: Operation?
    /// Its place in a trace, once its key was accepted and where there is one.
    var trace: TraceContext?
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
    var matter = Matter.exchange
    /// Whether the portal knows who asks.
    var isKnown = false
    var isStream = false
    var reusedUpstream = false
    /// Whether it was sent again with another credential.
    var isReplayed = false
    var sentUpstream: MonotonicTime?
    /// When it was sent first, where it has been sent again since.
    var firstSentUpstream: MonotonicTime?
    var answeredUpstream: MonotonicTime?
    var credentialNanoseconds: UInt64?
    var received = 0
    var sentBefore = 0

    init(id: RequestID, provisions: Provisions, began: MonotonicTime) {
        self.id = id
        self.provisions = provisions
        self.began = began
    }

    var snapshot: Snapshot { provisions.snapshot }

    /// The request will be sent once more: what the gateway took itself ended before the first time, and no answer is there.
    mutating func noteResending() {
        if firstSentUpstream == nil { firstSentUpstream = sentUpstream }
        answeredUpstream = nil
    }
}

extension Worker {
    /// A connection's life: one exchange after the other, until one side has had enough.
    func serve(_ client: Downstream) async {
        while true {
            renewExchange(of: client)
            do throws(ExchangeEnd) {
                guard try await receiveHead(client) else { return }
                if client.door == .public { shard.add(.activeExchanges, 1) }
                defer { if client.door == .public { shard.add(.activeExchanges, -1) } }
                try await relay(client)
            } catch {
                await conclude(client, error)
            }
            record(client)
            guard client.exchange.persists else {
                if client.exchange.mustLinger { await linger(client) }
                return
            }
        }
    }

    /// A call, since room for a new exchange would be kept in every task.
    @inline(never)
    private func renewExchange(of client: Downstream) {
        client.exchange = nextExchange()
        if client.door != .public { client.exchange.matter = .portal }
        if !client.upload.isSpent { client.upload = BodyPump() }
        if !client.download.isSpent { client.download = BodyPump() }
    }

    /// One of which nothing is known.
    func nextExchange() -> Exchange {
        Exchange(id: requestIDs.value.next(), provisions: provisions, began: loop.now)
    }

    /// The straight line. What is at hand is taken in passing; `await` stands only where there is something to wait for, since each
    /// costs a look at the task's executor, which an exchange on a warm worker has no need of.
    @inline(always)
    private func relay(_ client: Downstream) async throws(ExchangeEnd) {
        let target: Target
        var way = try destination(of: client)
        if case .unproven(let rule, let token) = way {
            let vouched = try await vouch(for: token, by: rule, client)
            way = try destination(of: client, vouched: vouched)
        }
        switch way {
        case .answeredHere(let answer):
            return try await self.answer(answer, to: client)
        case .portal:
            target = .portal(services.portal)
        case .relay(let admission):
            let credential: RenderedCredential?
            if let known = try knownCredential(for: admission, client) {
                credential = known
            } else {
                credential = try await fetchCredential(for: admission, client)
            }
            target = .server(admission, credential)
        case .unproven:
            throw .refused(Refusal(.unauthenticated, "the user token was not verified"))
        }
        if client.facts.expectsContinue { try await inviteBody(client) }
        let upstream = try await obtainResponse(from: target, for: client)
        if upstream.facts.mayRejectCredential { return try await reconsider(upstream, target, for: client) }
        try await deliver(upstream, from: target, to: client)
    }

    /// The answer, to its end.
    @inline(always)
    func deliver(_ upstream: Upstream, from target: Target, to client: Downstream) async throws(ExchangeEnd) {
        defer { endDelivery(to: client) }
        if try !beginDelivery(of: upstream, from: target, to: client) { try await pump(upstream, target, client) }
        release(upstream, by: client)
    }

    private enum Way {
        case relay(Admission)
        case portal
        case answeredHere(OwnReply)
        /// The token that stands there says who the user is, and has to be verified first.
        case unproven(UserTokenRule, ByteRange)
    }

    /// Identify and route.
    /// - Parameter vouched: whom the request's token names, where that had to be asked.
    private func destination(of client: Downstream, vouched: VouchedUser? = nil) throws(ExchangeEnd) -> Way {
        if client.isTurnedAway { throw .refused(Refusal(.overloaded, "limits.connections or limits.per_address is reached")) }
        if loop.now >= strain.value.due { try takeSample(of: client) }
        guard client.door == .public else {
            if isProbe(client) { client.exchange.matter = .probe }
            if let health = health(client) { return .answeredHere(health) }
            do throws(Refusal) { try admitLength(client) } catch { throw .refused(error) }
            return .portal
        }
        let inbox = client.channel.inbox
        do throws(Refusal) {
            let snapshot = client.exchange.snapshot
            let found: Destination
            do throws(Refusal) {
                found = try snapshot.admit(
                    client.head, inbox.bytes, wallClock: wallClock, recalling: memo, at: loop.now, vouched: vouched, noting: &client.exchange.route)
            } catch {
                // It is counted, and learns why it is refused, whatever is left of the address's rate.
                if vouched == nil, let rates = client.exchange.provisions.addressRates { _ = addressWait(of: client, rates) }
                throw error
            }
            switch consume found {
            case .preflight(let origin):
                return .answeredHere(.preflight(origin: origin))
            case .portal:
                client.exchange.matter = .portal
                if let rates = client.exchange.provisions.addressRates { try admitAddress(of: client, rates) }
                try admitLength(client)
                return .portal
            case .relay(let admission):
                observe(client)
                // Where a token was asked about, the request was counted before that.
                if vouched == nil {
                    if let rates = client.exchange.provisions.addressRates { try admitAddress(of: client, rates) }
                    try admitRate(admission.caller.key, client)
                }
                try admitLength(client)
                return .relay(admission)
            case .unproven(let rule, let token):
                observe(client)
                if let rates = client.exchange.provisions.addressRates { try admitAddress(of: client, rates) }
                if let key = client.exchange.route.key { try admitRate(key, client) }
                return .unproven(rule, token)
            }
        } catch {
            // Strangers leave no words in records and traces.
            if client.exchange.route.key != nil { observe(client) }
            throw .refused(error)
        }
    }

    @inline(always)
    private func admitRate(_ key: KeyEntry, _ client: Downstream) throws(Refusal) {
        if let wait = client.exchange.provisions.rates.wait(for: key, now: loop.now) { throw Refusal(.rateLimited, "the key's rate is used up", retryAfter: wait) }
    }

    @inline(never)
    private func admitAddress(of client: Downstream, _ rates: AddressRates) throws(Refusal) {
        if let wait = addressWait(of: client, rates) { throw Refusal(.rateLimited, "the address's rate is used up", retryAfter: wait) }
    }

    /// One more request of the client's address: of the one that a trusted proxy names, else the peer's. What comes over a path has none.
    /// - Returns: how long it has to wait; nil = it may go on, and that is counted.
    @inline(never)
    private func addressWait(of client: Downstream, _ rates: AddressRates) -> Duration? {
        guard let address = client.exchange.address.flatMap({ IPAddress($0) }) ?? IPAddress(client.peer) else { return nil }
        return rates.wait(for: address, now: loop.now)
    }

    private func admitLength(_ client: Downstream) throws(Refusal) {
        if case .exactly(let length) = client.facts.body, length > client.exchange.snapshot.gateway.limits.body {
            throw Refusal(.tooLarge, "Content-Length is above limits.body")
        }
    }

    /// A hit: from this worker's own view, without suspension. Nil: the broker has to be asked. Of a server without an injector, nothing.
    private func knownCredential(for admission: Admission, _ client: Downstream) throws(ExchangeEnd) -> RenderedCredential?? {
        let instance = admission.instance
        if case .none = instance.server.injector { return .some(nil) }
        guard let known = view.value.lookup(CacheKey(instance, user: admission.caller.user), instance, now: loop.now) else { return nil }
        do throws(Refusal) {
            return try known.credential(at: instance, portalURL: client.exchange.snapshot.portalURL)
        } catch {
            throw .refused(error)
        }
    }

    /// Who the token names is asked once, and then known to this worker for a while.
    @inline(never)
    private func vouch(for token: ByteRange, by rule: UserTokenRule, _ client: Downstream) async throws(ExchangeEnd) -> VouchedUser {
        let secret = copy(of: token, client)
        let tokens = services.tokens
        switch try await reply(for: client, { () async throws(Refusal) in try await tokens.user(of: secret, by: rule) }) {
        case .success(let vouched):
            memo.note(vouched, provenBy: secret.bytes, rule, under: client.exchange.snapshot)
            return vouched
        case .failure(let refusal):
            throw .refused(refusal)
        }
    }

    private func copy(of range: ByteRange, _ client: Downstream) -> Secret {
        let inbox = client.channel.inbox
        return Secret(copying: inbox.bytes[range])
    }

    /// A miss is the broker's: it fetches once for all who ask.
    private func fetchCredential(for admission: Admission, _ client: Downstream) async throws(ExchangeEnd) -> RenderedCredential {
        let instance = admission.instance
        let asked = loop.now
        let (broker, user) = (services.broker, admission.caller.user)
        let key = CacheKey(instance, user: user)
        let found = try await reply(for: client) { () async throws(Refusal) in try await broker.credential(for: key, at: instance, user: user) }
        do throws(Refusal) {
            let cached = try found.get()
            client.exchange.credentialNanoseconds = loop.now.nanoseconds &- asked.nanoseconds
            return try view.value.insert(cached).credential(at: instance, portalURL: client.exchange.snapshot.portalURL)
        } catch {
            throw .refused(error)
        }
    }

    /// 100 Continue, once the credential is there and the body is not (RFC 9110, section 10.1.1).
    private func inviteBody(_ client: Downstream) async throws(ExchangeEnd) {
        guard client.channel.count == client.facts.length else { return }
        let out = buffers.take()
        out.append("HTTP/1.1 100 Continue\r\n\r\n")
        try await send(out, to: client)
    }
}
