// What all workers share: handed to each at its start.

package import Credentials
package import Gateway
internal import Kernel
package import Metrics
package import Telemetry
internal import TLS

/// Everything a worker uses that is not its own. All of it may be used from any thread.
package struct Services: Sendable {
    let broker: CredentialBroker
    let tokens: any TokenDesk
    let resolver: Resolver
    let metrics: Metrics
    let log: LogOutput
    let userLabel: UserLabel
    let uses: UseCounts
    let spans: SpanQueue
    let portal: PortalAddress
    let limits = ConnectionLimits()
    let streams = StreamSeats()
    let descriptors = DescriptorRoom(limit: OpenFiles.raiseLimit())
    /// A line for the operator: what is wrong and what to do.
    let report: @Sendable (LogSettings.Level, String) -> Void

    /// - Parameters:
    ///   - uses: where the workers leave how often users called.
    ///   - spans: where they leave what they traced.
    ///   - portal: path of the portal's private socket.
    ///   - report: writes one line of the log; called seldom, and from workers: it must not wait.
    package init(
        broker: CredentialBroker, tokens: any TokenDesk, resolver: Resolver, metrics: Metrics, log: LogOutput, userLabel: UserLabel,
        uses: UseCounts, spans: SpanQueue, portal: String, report: @escaping @Sendable (LogSettings.Level, String) -> Void
    ) {
        self.broker = broker
        self.tokens = tokens
        self.resolver = resolver
        self.metrics = metrics
        self.log = log
        self.userLabel = userLabel
        self.uses = uses
        self.spans = spans
        self.portal = PortalAddress(path: portal)
        self.report = report
    }
}
