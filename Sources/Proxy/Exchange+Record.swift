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
        let now = loop.now
        let lasted = now.nanoseconds &- exchange.began.nanoseconds
        let upstream = exchange.upstreamNanoseconds
        let sent = client.channel.sent &- exchange.sentBefore
        let instance = exchange.route.instance
        let counts = shard.instance(
            instance?.digest.words.0 ?? 0, project: instance?.project.text ?? "", server: instance?.name.text ?? "")
        counts.record(
            status: exchange.status, refusal: exchange.refusal?.code.ordinal, nanoseconds: lasted, upstream: upstream,
            received: exchange.received, sent: sent)
        // What a server was asked: a refusal is nobody's use of it.
        if exchange.sentUpstream != nil, let user = exchange.route.user, let instance { uses.value.count(user, at: instance, now: now) }
        if let key = exchange.route.key { keyUses.value.count(key, now: now) }
        guard exchange.snapshot.log.access else { return }
        var record = AccessRecord(
            requestID: exchange.id, time: wallMilliseconds(exchange.began), client: exchange.address ?? client.address, method: exchange.method)
        record.project = exchange.route.key?.navigator.project
        record.navigator = exchange.route.key?.navigator.name
        record.server = instance?.name
        record.user = exchange.route.user
        record.status = exchange.status
        record.refusal = exchange.refusal?.code
        record.why = exchange.why
        record.ending = exchange.ending
        record.nanoseconds = lasted
        record.upstreamNanoseconds = upstream
        record.credentialNanoseconds = exchange.credentialNanoseconds
        record.received = exchange.received
        record.sent = sent
        record.reusedConnection = exchange.sentUpstream == nil ? nil : exchange.reusedUpstream
        record.isReplayed = exchange.isReplayed
        log.record(record)
    }
}

extension Exchange {
    var upstreamNanoseconds: UInt64? {
        guard let sentUpstream, let answeredUpstream else { return nil }
        return answeredUpstream.nanoseconds &- sentUpstream.nanoseconds
    }
}

extension RefusalCode {
    /// Its number in the metrics: its place among all.
    var ordinal: Int? { RefusalCode.allCases.firstIndex(of: self) }
}
