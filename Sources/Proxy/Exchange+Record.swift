// What is written down of an exchange when it is over: metrics and the access record.

internal import EventLoop
internal import Gateway
internal import HTTP1
internal import Kernel
internal import Metrics
internal import Telemetry
internal import TLS

extension Worker {
    /// Writes down the exchange that `client` just had.
    @inline(never)
    func record(_ client: Downstream) {
        record(client.exchange, of: client)
    }

    private func record(_ exchange: borrowing Exchange, of client: Downstream) {
        guard exchange.matter == .exchange else { return recordPortal(exchange, of: client) }
        let now = loop.now
        let lasted = now.nanoseconds &- exchange.began.nanoseconds
        let upstream = exchange.upstreamNanoseconds
        let sent = client.channel.sent &- exchange.sentBefore
        let instance = exchange.route.instance
        let counts = shard.instance(
            instance?.digest.words.0 ?? 0, project: instance?.project.text ?? "", server: instance?.name.text ?? "")
        counts.record(
            status: exchange.status, refusal: exchange.refusal?.code.ordinal, nanoseconds: lasted,
            own: (exchange.firstSentUpstream ?? exchange.sentUpstream ?? now).nanoseconds &- exchange.began.nanoseconds,
            upstream: upstream ?? exchange.sentUpstream.map { now.nanoseconds &- $0.nanoseconds },
            received: exchange.received, sent: sent)
        // What a server was asked: a refusal is nobody's use of it.
        if exchange.sentUpstream != nil, let user = exchange.route.user, let instance { uses.value.count(user, at: instance, now: now) }
        if let key = exchange.route.key { keyUses.value.count(key, now: now) }
        let isLogged = exchange.snapshot.log.access
        let isTraced = exchange.trace?.isKept ?? false
        guard isLogged || isTraced else { return }
        var record = AccessRecord(
            requestID: exchange.id, time: wallMilliseconds(exchange.began), client: exchange.address ?? client.address, method: exchange.method)
        record.project = exchange.route.key?.navigator.project
        record.navigator = exchange.route.key?.navigator.name
        record.key = exchange.route.key?.id ?? exchange.route.claimedKey
        record.server = instance?.name
        record.user = exchange.route.user
        record.naming = exchange.snapshot.log.user
        record.operation = exchange.operation
        record.trace = exchange.trace?.trace
        record.status = exchange.status
        record.refusal = exchange.refusal?.code
        record.why = exchange.why
        record.ending = exchange.ending
        record.nanoseconds = lasted
        record.upstreamNanoseconds = upstream
        record.credentialNanoseconds = exchange.credentialNanoseconds
        if exchange.sentUpstream != nil, let instance { record.use = instance.levelOfUse }
        record.received = exchange.received
        record.sent = sent
        record.reusedConnection = exchange.sentUpstream == nil ? nil : exchange.reusedUpstream
        record.isReplayed = exchange.isReplayed
        if isLogged { log.record(record) }
        if isTraced, let context = exchange.trace {
            traced.value.add(Span(context, began: wallNanoseconds(exchange.began), record: record), to: services.spans)
        }
    }
}

extension Worker {
    /// What is no agent's exchange is counted apart.
    @inline(never)
    private func recordPortal(_ exchange: borrowing Exchange, of client: Downstream) {
        shard.addPortalRequest(at: client.door.counted, status: exchange.status)
        guard exchange.matter == .portal, exchange.snapshot.log.access else { return }
        var record = AccessRecord(
            requestID: exchange.id, time: wallMilliseconds(exchange.began), client: exchange.address ?? client.address, method: exchange.method)
        // Who may open `admin.sock` is known by that.
        record.portal = (client.door.rawValue, isKnown: exchange.isKnown || client.door == .socket)
        record.status = exchange.status
        record.refusal = exchange.refusal?.code
        record.why = exchange.why
        record.ending = exchange.ending
        record.nanoseconds = loop.now.nanoseconds &- exchange.began.nanoseconds
        record.received = exchange.received
        record.sent = client.channel.sent &- exchange.sentBefore
        log.record(record)
    }
}

extension Door {
    /// As the metrics name it.
    var counted: PortalDoor {
        switch self {
        case .public: .public
        case .admin: .admin
        case .socket: .socket
        }
    }
}

extension Exchange {
    var upstreamNanoseconds: UInt64? {
        guard let sentUpstream, let answeredUpstream else { return nil }
        return answeredUpstream.nanoseconds &- sentUpstream.nanoseconds
    }
}

extension ServerInstance {
    /// Whose credential a request to it carries; nil where it needs none.
    var levelOfUse: Level? {
        if case .none = server.injector { nil } else { level }
    }
}

extension RefusalCode {
    /// Its number in the metrics: its place among all.
    var ordinal: Int? { RefusalCode.allCases.firstIndex(of: self) }
}
