// What servers are recognised by, and what they are shown: one TLS context for each kind of trust.

package import Gateway
package import Kernel
package import Metrics
package import TLS

/// The TLS contexts of a snapshot's servers. Reading authorities takes long: made with the snapshot, off the workers.
package final class UpstreamContexts: Sendable {
    /// What two servers must have in common to share a context, and with it resumed sessions.
    private struct Trust: Hashable {
        let authorities: String?
        let certificate: CertificateFiles?

        init(_ settings: UpstreamTLS) {
            authorities = settings.authorities
            certificate = settings.certificate
        }

        /// What decides whom to trust, and what is shown.
        var files: [String] { (authorities.map { [$0] } ?? SystemAuthorities.paths) + shown }

        /// For a line of the log.
        var owner: String { "servers that use \(([authorities ?? "the system's authorities"] + shown).joined(separator: ", "))" }

        private var shown: [String] { certificate.map { [$0.certificate, $0.privateKey] } ?? [] }

        func context() throws(TLSFault) -> ClientContext {
            var shown: KeyedCertificate?
            if let certificate { shown = try KeyedCertificate(certificate) }
            return try ClientContext(authorities: authorities, certificate: shown)
        }
    }

    private let contexts: RenewedContexts<Trust, ClientContext>
    /// Servers that are shown a certificate where they ask for one.
    private let showing: [ServerName: Trust]

    /// - Parameter former: what is in force until now: what has not changed stays, with its sessions.
    /// - Throws: the first server's whose files cannot be used.
    package init(for snapshot: Snapshot, after former: UpstreamContexts? = nil, now: MonotonicTime = .now()) throws(TLSFault) {
        var recipes: [Trust: RenewedContexts<Trust, ClientContext>.Recipe] = [:]
        var showing: [ServerName: Trust] = [:]
        for server in snapshot.servers.values where server.origin.scheme == .https {
            let trust = Trust(server.tls)
            recipes[trust] = .init(owner: trust.owner, files: trust.files) { () throws(TLSFault) in try trust.context() }
            if trust.certificate != nil { showing[server.name] = trust }
        }
        self.showing = showing
        contexts = try RenewedContexts(recipes, after: former?.contexts, now: now)
    }

    /// Reads anew what changed; to be called every few seconds, off the workers.
    package func renew(now: MonotonicTime = .now()) -> [CertificateRenewal] {
        contexts.renew(now: now)
    }

    /// Until when what is shown lasts, server by server.
    package var expiries: [CertificateExpiry] {
        showing.sorted { $0.key < $1.key }.compactMap { name, trust in
            contexts.context(for: trust)?.certificate.map { CertificateExpiry(.server(name.text), notAfter: $0.notAfter) }
        }
    }

    func context(for settings: UpstreamTLS) -> ClientContext? {
        contexts.context(for: Trust(settings))
    }
}
