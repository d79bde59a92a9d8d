// What all workers share: handed to each at its start.

package import Credentials
package import Gateway
package import Metrics
package import Telemetry
package import TLS

/// Everything a worker uses that is not its own. All of it may be used from any thread.
package struct Services: Sendable {
    let broker: CredentialBroker
    let tokens: any TokenDesk
    let resolver: Resolver
    let metrics: Metrics
    let log: LogOutput
    let userLabel: UserLabel
    let uses: UseCounts
    let portal: PortalAddress
    let limits = ConnectionLimits()
    let streams = StreamSeats()
    /// A line for the operator: what is wrong and what to do.
    let report: @Sendable (LogSettings.Level, String) -> Void

    /// - Parameters:
    ///   - uses: where the workers leave how often users called.
    ///   - portal: path of the portal's private socket.
    ///   - report: writes one line of the log; called seldom, and from workers: it must not wait.
    package init(
        broker: CredentialBroker, tokens: any TokenDesk, resolver: Resolver, metrics: Metrics, log: LogOutput, userLabel: UserLabel,
        uses: UseCounts, portal: String, report: @escaping @Sendable (LogSettings.Level, String) -> Void
    ) {
        self.broker = broker
        self.tokens = tokens
        self.resolver = resolver
        self.metrics = metrics
        self.log = log
        self.userLabel = userLabel
        self.uses = uses
        self.portal = PortalAddress(path: portal)
        self.report = report
    }
}

/// The TLS contexts of a snapshot's servers, one for each kind of trust. Reading authorities takes long: made with the snapshot, off the workers.
package final class UpstreamContexts: Sendable {
    private let contexts: [Trust: ClientContext]

    private struct Trust: Hashable {
        let authorities: String?
        let digest: Digest256?

        init(_ settings: UpstreamTLS) {
            (authorities, digest) = (settings.authorities, settings.authoritiesDigest)
        }
    }

    /// - Parameter former: what is in force until now; a server that stayed as it was keeps its context.
    /// - Throws: the first server's whose authorities cannot be used.
    package init(for snapshot: Snapshot, after former: UpstreamContexts? = nil) throws(TLSFault) {
        var contexts: [Trust: ClientContext] = [:]
        for server in snapshot.servers.values where server.origin.scheme == .https && contexts[Trust(server.tls)] == nil {
            if let known = former?.contexts[Trust(server.tls)] {
                contexts[Trust(server.tls)] = known
            } else {
                contexts[Trust(server.tls)] = try ClientContext(authorities: server.tls.authorities)
            }
        }
        self.contexts = contexts
    }

    func context(for settings: UpstreamTLS) -> ClientContext? {
        contexts[Trust(settings)]
    }
}
