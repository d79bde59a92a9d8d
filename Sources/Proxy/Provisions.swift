// A snapshot with all that was made for it: what workers adopt as one, and an exchange keeps from its first byte to its end.

package import Gateway
internal import HTTP1
internal import Kernel
package import Metrics
package import TLS

/// Made off the workers, since reading authorities takes long. Whoever holds it has everything the snapshot's exchanges need, whatever was
/// adopted since; with the last of its exchanges it goes.
package final class Provisions: Sendable {
    package let snapshot: Snapshot
    let tls: UpstreamContexts
    let listenerTLS: ListenerContexts
    let rates: KeyRates
    /// Nil where addresses have no rate.
    let addressRates: AddressRates?
    /// The snapshot's, as they are used for every request.
    let spans: Spans
    let headLimits: HeadLimits
    let answerLimits: HeadLimits

    private let metrics: SharedShard

    /// - Parameters:
    ///   - former: what is in force until now: what stays as it was is taken from it, used-up rates and TLS sessions with it.
    ///   - metrics: counts the snapshots that are held.
    /// - Throws: the first server's or listener's whose certificates cannot be used.
    package init(_ snapshot: Snapshot, after former: Provisions? = nil, metrics: SharedShard) throws(TLSFault) {
        self.snapshot = snapshot
        self.metrics = metrics
        tls = try UpstreamContexts(for: snapshot, after: former?.tls)
        listenerTLS = try ListenerContexts(for: snapshot, after: former?.listenerTLS)
        rates = KeyRates(snapshot, after: former?.rates)
        addressRates = AddressRates.of(snapshot.gateway.limits, after: former?.addressRates)
        spans = Spans(snapshot.gateway.timeouts)
        headLimits = HeadLimits(snapshot.gateway.limits)
        answerLimits = HeadLimits(line: 8 << 10, head: snapshot.gateway.limits.head, fields: 256)
        metrics.add(.snapshotsHeld, 1)
    }

    deinit {
        metrics.add(.snapshotsHeld, -1)
    }

    /// Whose connections a worker keeps.
    func owners(with portal: PortalAddress) -> [AnyObject] {
        snapshot.projects.values.flatMap(\.instances.values) + [portal]
    }

    /// How large a worker's blocks of memory have to be: room for a head and for the 64 KiB of a body that is kept.
    var blockSize: Int { headLimits.longest + (96 << 10) }
}

/// The gateway's own time-outs, as deadlines are reckoned.
struct Spans: Sendable {
    let head: Nanoseconds
    let idle: Nanoseconds
    let body: Nanoseconds
    /// Toward the portal.
    let upstream: UpstreamTimeouts.Spans

    init(_ timeouts: Timeouts) {
        head = Nanoseconds(timeouts.head)
        idle = Nanoseconds(timeouts.idle)
        body = Nanoseconds(timeouts.body)
        upstream = UpstreamTimeouts(
            connect: timeouts.connect, response: timeouts.response, body: timeouts.body, streamIdle: timeouts.streamIdle
        ).spans
    }
}
