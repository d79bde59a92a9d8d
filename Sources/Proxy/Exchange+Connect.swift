// A connection to an upstream: an idle one, or resolve, connect, and TLS where the origin wants it.

internal import EventLoop
internal import Gateway
internal import HTTP1
internal import Kernel
internal import Metrics
internal import TLS
internal import Telemetry

/// The portal's private socket; its identity is its pool's key.
package final class PortalAddress: Sendable {
    let path: String

    package init(path: String) {
        self.path = path
    }
}

extension Worker {
    /// The target's pool. Most clients talk to one server, so each remembers the last.
    private func pool(of target: Target, for client: Downstream) -> UpstreamPool {
        let owner = target.owner
        if let last = client.pool, last.owner === owner { return last }
        let pool = pools.pool(of: owner)
        client.pool = pool
        return pool
    }

    /// An idle one.
    func pooledConnection(to target: Target, for client: Downstream) -> Upstream? {
        guard let pooled = pool(of: target, for: client).take(now: loop.now, turn: loop.turnCount) else { return nil }
        shard.add(.upstreamReused)
        pooled.begin(reused: true)
        return pooled
    }

    func newConnection(to target: Target, for client: Downstream) async throws(ExchangeEnd) -> Upstream {
        let deadline = loop.now.advanced(by: spans(of: target, for: client).connect)
        do throws(ExchangeEnd) {
            let channel = try await connect(to: target, for: client, until: deadline)
            let upstream = Upstream(channel, of: pool(of: target, for: client), shard: shard)
            upstream.begin(reused: false)
            shard.add(.upstreamOpened)
            return upstream
        } catch {
            shard.add(.upstreamFailed)
            throw error
        }
    }

    private func connect(to target: Target, for client: Downstream, until deadline: MonotonicTime) async throws(ExchangeEnd) -> Channel {
        switch target {
        case .portal(let portal):
            return try await open([.unix(portal.path)], for: client, until: deadline)
        case .server(let admission, _):
            let server = admission.instance.server
            let channel = try await open(addresses(of: server.origin, for: client, until: deadline), for: client, until: deadline)
            if server.origin.scheme == .https {
                try await encrypt(channel, to: server, for: client, until: deadline)
            }
            return channel
        }
    }

    private func addresses(of origin: Origin, for client: Downstream, until deadline: MonotonicTime) async throws(ExchangeEnd) -> [SocketAddress] {
        let resolver = services.resolver
        do throws(ResolveFault) {
            if let known = try resolver.knownAddresses(of: origin.host, port: origin.port) { return known }
        } catch {
            throw unresolved(origin, error)
        }
        let answer = try await reply(for: client) { () async throws(ResolveFault) in
            try await resolver.addresses(of: origin.host, port: origin.port, until: deadline)
        }
        switch answer {
        case .success(let found): return found
        case .failure(let fault): throw unresolved(origin, fault)
        }
    }

    private func unresolved(_ origin: Origin, _ fault: ResolveFault) -> ExchangeEnd {
        .refused(Refusal(fault == .late ? .upstreamTimeout : .upstreamUnreachable, "\(origin.host) does not resolve: \(fault)"))
    }

    /// Tries one address after the other, each with a fair share of the time that is left.
    private func open(_ addresses: [SocketAddress], for client: Downstream, until deadline: MonotonicTime) async throws(ExchangeEnd) -> Channel {
        var last = Refusal(.upstreamUnreachable, "the name has no address")
        // The administration's doors lead to the process itself.
        let end = client.door == .public ? services.descriptors.own : .max
        for (at, address) in addresses.enumerated() {
            let share = deadline.duration(since: loop.now) / (addresses.count - at)
            var made: Channel?
            while made == nil {
                do throws(SystemFault) {
                    made = try Channel(Socket.connect(to: address, below: end), on: loop, buffers: buffers)
                } catch {
                    last = Refusal(error.isOutOfDescriptors ? .overloaded : .upstreamUnreachable, "\(address): \(error.reason)")
                    guard error.isOutOfDescriptors, try await mayFindDescriptor(for: client, until: deadline) else { break }
                }
            }
            guard let channel = made else { continue }
            let shareEnd = loop.now.advanced(by: share)
            var wake = Wake.interrupted
            // Whoever interrupts says nothing of the connection.
            while wake == .interrupted {
                wake = await wait(client.waiter, for: channel.slot, .writable, or: client.channel.slot, .closed, until: shareEnd)
                if client.channel.isClosed { throw .clientGone }
                if isCutting { throw .cut(.cut, Worker.drained) }
            }
            if wake == .deadline {
                last = Refusal(.upstreamTimeout, "\(address): no connection in time")
            } else if let fault = Socket.connectFault(channel.number) {
                last = Refusal(.upstreamUnreachable, "\(address): \(fault.reason)")
            } else {
                Socket.setNoDelay(channel.number)
                Socket.setKeepAlive(channel.number)
                return channel
            }
        }
        throw .refused(last)
    }

    /// No descriptor is left: those of idle connections are given up, and then it is waited for who is done. False where the time is over.
    private func mayFindDescriptor(for client: Downstream, until deadline: MonotonicTime) async throws(ExchangeEnd) -> Bool {
        if pools.closeIdle() { return true }
        guard loop.now < deadline else { return false }
        let soon = loop.now.advanced(by: .milliseconds(20))
        _ = await wait(client.waiter, for: client.channel.slot, .closed, until: soon < deadline ? soon : deadline)
        if client.channel.isClosed { throw .clientGone }
        if isCutting { throw .cut(.cut, Worker.drained) }
        return true
    }

    /// The handshake. A failed verification says which and why, in the log, with access records and without; not a byte of HTTP has been sent then.
    private func encrypt(_ channel: Channel, to server: Server, for client: Downstream, until deadline: MonotonicTime) async throws(ExchangeEnd) {
        while let needs = try step(channel, to: server, client.exchange.provisions.tls) {
            let wake = await wait(client.waiter, for: channel.slot, needs, or: client.channel.slot, .closed, until: deadline)
            if client.channel.isClosed { throw .clientGone }
            if isCutting { throw .cut(.cut, Worker.drained) }
            if wake == .deadline { throw .refused(Refusal(.upstreamTimeout, "TLS with \(server.origin): not done in time")) }
        }
    }

    /// One step of the handshake, the first one included: nil when it is done, else what it waits for.
    private func step(_ channel: Channel, to server: Server, _ contexts: UpstreamContexts) throws(ExchangeEnd) -> Readiness? {
        guard let context = contexts.context(for: server.tls) else {
            throw .refused(Refusal(.upstreamUnreachable, "TLS with \(server.origin): its certificates were not loaded"))
        }
        do throws(TLSFault) {
            if !channel.isEncrypted {
                let name = server.tls.serverName ?? server.origin.host
                channel.encrypt(with: try TLSSession(context, descriptor: channel.number, serverName: name, now: loop.now))
            }
            return try channel.handshake()
        } catch {
            if let remedy = error.remedy {
                services.report(.warning, "servers.\(server.name): its certificate was refused, so nothing was sent to \(server.origin): \(error); \(remedy)")
            }
            throw .refused(Refusal(.upstreamUnreachable, "TLS with \(server.origin): \(error)"))
        }
    }
}

extension TLSFault {
    /// What is to be done about a server's certificate that did not pass; nil where it failed by something else.
    fileprivate var remedy: String? {
        switch cause {
        case .wrongName: "correct the server's `url`, or name in `tls.server_name` what the certificate is for"
        case .expired: "whoever runs the server has to renew it"
        case .notYetValid: "check this machine's clock, and the certificate"
        case .unknownAuthority: "if the authority is your own, name its file in the server's `tls.ca`"
        case .certificate: "whoever runs the server has to have another one issued"
        case .authorities, .ownCertificate, .ownKey, .serverName, .noCommonGround, .notTLS, .plainHTTP, .alert, .cut, .socket, .protocolBroken, .library: nil
        }
    }
}
