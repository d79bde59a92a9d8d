// A 401 to a credential of ours: whether there is another by now, and the request sent again with it. A 403 that asks a bearer for more scopes.

internal import Credentials
internal import EventLoop
internal import Gateway
internal import HTTP1
internal import Kernel
internal import Metrics

extension Worker {
    /// What becomes of an answer of 401. One to a credential of ours is not passed on: it says that this value no longer works, and that the
    /// request was not processed. So where the store has another by now, and all of the request that came is still there, it is sent once
    /// more with that; else it is refused. Any other is delivered.
    ///
    /// Takes the connection over, so that it ends, or goes to another exchange, before this one waits for the store.
    @inline(never)
    func reconsider(_ upstream: consuming Upstream, _ target: Target, for client: Downstream) async throws(ExchangeEnd) {
        guard case .server(let admission, let credential?) = target else { return try await deliver(upstream, from: target, to: client) }
        guard upstream.facts.status == 401 else { return try await passOrAskForMore(upstream, target, admission, for: client) }
        settle(consume upstream, of: client)
        let newer = try await another(for: credential, admission, client)
        guard client.upload.keeps, client.facts.body.isKept(client.upload.payload) else {
            throw rejection("the store has another value, but the request is too large to be sent again", admission, client)
        }
        if client.channel.isClosed { throw .clientGone }
        client.exchange.isReplayed = true
        client.exchange.noteResending()
        shard.add(.upstreamReplays)
        let again = Target.server(admission, newer)
        let second = try await obtainResponse(from: again, for: client)
        guard second.facts.status == 401 else { return try await deliver(second, from: again, to: client) }
        settle(consume second, of: client)
        // Noted, and asked no further: one replay it is.
        _ = try await another(for: newer, admission, client)
        throw rejection("the store has another value again", admission, client)
    }

    /// A 403 is the server's own answer, but for one: that the token of a person's grant does not reach far enough (RFC 6750, section 3.1). More can
    /// be asked of the person alone, who is told where; what the server wants is remembered for then.
    @inline(never)
    private func passOrAskForMore(
        _ upstream: consuming Upstream, _ target: Target, _ admission: Admission, for client: Downstream
    ) async throws(ExchangeEnd) {
        let (instance, user) = (admission.instance, admission.caller.user)
        let challenges = instance.server.oauth == nil ? [] : upstream.challenges
        guard challenges.contains(where: { $0.contains("insufficient_scope") }) else { return try await deliver(upstream, from: target, to: client) }
        settle(consume upstream, of: client)
        let broker = services.broker
        let words: String
        switch try await reply(for: client, { () async throws(Never) in await broker.needsMore(challenges, at: instance, user: user) }) {
        case .success(let given): words = given
        }
        var pointer = ConnectPointer(to: instance, portalURL: client.exchange.snapshot.portalURL)
        pointer.needsMore = true
        throw .refused(Refusal(.credentialRejected, words, connect: pointer))
    }

    /// The value that the store has in place of `rejected`.
    private func another(
        for rejected: RenderedCredential, _ admission: Admission, _ client: Downstream
    ) async throws(ExchangeEnd) -> RenderedCredential {
        let (instance, user) = (admission.instance, admission.caller.user)
        let (asked, broker) = (loop.now, services.broker)
        let said = try await reply(for: client) { () async throws(Refusal) in
            try await broker.rejected(rejected, for: CacheKey(instance, user: user), at: instance, user: user)
        }
        let outcome: Reconsideration
        do throws(Refusal) { outcome = try said.get() } catch { throw .refused(error) }
        client.exchange.credentialNanoseconds = (client.exchange.credentialNanoseconds ?? 0) &+ (loop.now.nanoseconds &- asked.nanoseconds)
        switch outcome {
        case .another(let cached):
            guard case .hit(let rendered) = view.value.insert(cached) else { throw rejection("there is no other value", admission, client) }
            return rendered
        case .nothing(let why): throw rejection(why, admission, client)
        }
    }

    private func rejection(_ why: String, _ admission: Admission, _ client: Downstream) -> ExchangeEnd {
        let pointer = ConnectPointer(to: admission.instance, portalURL: client.exchange.snapshot.portalURL)
        return .refused(Refusal(.credentialRejected, "the upstream answered 401: \(why)", connect: pointer))
    }

    /// Drops an answer that nobody gets. Its connection goes back to the pool if all of it is at hand and nothing behind it; else its end is said
    /// at once, and whatever is still said on it is nobody's.
    private func settle(_ upstream: consuming Upstream, of client: Downstream) {
        guard client.upload.isSent, upstream.facts.keepAlive, let length = bodyLength(of: upstream),
            upstream.channel.count == upstream.facts.length + length
        else { return upstream.channel.endSending() }
        upstream.channel.consume(upstream.channel.count)
        let hint = upstream.facts.keepAliveTimeout
        upstream.pool.give(upstream, now: loop.now, turn: loop.turnCount, hint: hint)
    }

    /// How many bytes behind the head are the answer's body; nil where its end is not among them.
    private func bodyLength(of upstream: Upstream) -> Int? {
        let inbox = upstream.channel.inbox
        var decoder = BodyDecoder(upstream.facts.body)
        var cursor = upstream.facts.length
        while let step = try? decoder.next(inbox.bytes.extracting(cursor..<inbox.count)) {
            switch step {
            case .payload(let n), .framing(let n): cursor += n
            case .complete: return cursor - upstream.facts.length
            case .needMore: return nil
            }
        }
        return nil
    }

    /// A server took a credential that is on record as rejected: the record is mended, while the answer goes its way.
    @inline(never)
    func noteAcceptance(of credential: RenderedCredential, _ admission: Admission, _ upstream: Upstream) {
        guard upstream.facts.status < 400 else { return }
        // Whatever comes of it, one answer says it for all that are under way.
        credential.isRejected = false
        let (services, instance, user) = (services, admission.instance, admission.caller.user)
        // One for a value that was rejected: a step of the ledger, which the agent does not wait for, and the drain does.
        run {
            do {
                try await services.broker.accepted(credential, for: CacheKey(instance, user: user), at: instance, user: user)
            } catch {
                services.report(.warning, "\(instance.name) in \(instance.project) takes a credential that stays on record as rejected: \(error)")
            }
        }
    }
}

extension Upstream {
    /// What the answer says of the credential it wants, a field each.
    fileprivate var challenges: [String] {
        let inbox = channel.inbox
        var values: [String] = []
        for line in head.fields where line.id == .wwwAuthenticate { values.append(String(decoding: inbox.bytes[line.value].copied(), as: UTF8.self)) }
        return values
    }
}

extension BodyLength {
    /// The most of a body that is sent again.
    static let mostReplayed = 64 << 10

    /// Whether a request body so framed, of which `payload` bytes have come, is small enough to be sent again.
    func isKept(_ payload: Int) -> Bool {
        if case .exactly(let length) = self { return length <= BodyLength.mostReplayed }
        return payload <= BodyLength.mostReplayed
    }
}
