// What a request says of itself, for its record and its trace.

internal import Gateway
internal import HTTP1
internal import Kernel

extension Worker {
    /// Notes what the head says, while it is there: the MCP operation, and the trace it belongs to. Only of a request whose key was accepted.
    @inline(never)
    func observe(_ client: Downstream) {
        let snapshot = client.exchange.snapshot
        guard snapshot.log.access || snapshot.trace != nil else { return }
        let inbox = client.channel.inbox
        client.exchange.operation = operations.operation(of: client.head, inbox.bytes)
        if client.head.has(.traceParent) { client.exchange.trace = TraceContext(of: client.head, inbox.bytes) }
        if let settings = snapshot.trace { beginSpan(of: client, settings) }
    }

    /// The trace goes on from the client's span, or begins here.
    private func beginSpan(of client: Downstream, _ settings: TraceSettings) {
        let context = client.exchange.trace ?? TraceContext(random: (requestIDs.value.word(), requestIDs.value.word()), sampling: settings)
        client.exchange.trace = context.with(span: requestIDs.value.word())
    }
}
