// What the listeners encrypt with: one TLS context for each that does.

package import Gateway
package import Kernel
package import Metrics
package import TLS

/// The TLS contexts of a snapshot's listeners. Reading the files takes long: made off the workers.
package final class ListenerContexts: Sendable {
    private let settings: [ListenAddress: ListenerTLS]
    private let contexts: RenewedContexts<ListenerTLS, ServerContext>

    /// - Parameter former: what is in force until now: what has not changed stays, with its sessions.
    /// - Throws: the first listener's whose files cannot be used.
    package init(for snapshot: Snapshot, after former: ListenerContexts? = nil, now: MonotonicTime = .now()) throws(TLSFault) {
        settings = snapshot.gateway.tls
        var recipes: [ListenerTLS: RenewedContexts<ListenerTLS, ServerContext>.Recipe] = [:]
        for address in snapshot.gateway.listen {
            guard let tls = settings[address], recipes[tls] == nil else { continue }
            let files = tls.certificates.flatMap { [$0.certificate, $0.privateKey] } + [tls.clients.authorities].compactMap { $0 }
            recipes[tls] = .init(owner: address.text, files: files) { () throws(TLSFault) in try ServerContext(tls) }
        }
        contexts = try RenewedContexts(recipes, after: former?.contexts, now: now)
    }

    /// Reads anew what changed; to be called every few seconds, off the workers, by one at a time.
    package func renew(now: MonotonicTime = .now()) -> [CertificateRenewal] {
        contexts.renew(now: now)
    }

    /// Until when what is shown lasts, listener by listener.
    package var expiries: [CertificateExpiry] {
        settings.keys.sorted { $0.text < $1.text }.compactMap { address in
            context(at: address)?.certificates.map(\.notAfter).min().map { CertificateExpiry(.listener(address.text), notAfter: $0) }
        }
    }

    /// Nil where the listener speaks plain HTTP.
    func context(at address: ListenAddress) -> ServerContext? {
        settings[address].flatMap { contexts.context(for: $0) }
    }
}

extension ServerContext {
    /// - Throws: the first file's that cannot be used.
    package convenience init(_ settings: ListenerTLS) throws(TLSFault) {
        var certificates: [KeyedCertificate] = []
        for files in settings.certificates { certificates.append(try KeyedCertificate(files)) }
        try self.init(certificates, clients: ClientCertificates(settings.clients))
    }
}

extension KeyedCertificate {
    convenience init(_ files: CertificateFiles) throws(TLSFault) {
        try self.init(certificate: files.certificate, privateKey: files.privateKey)
    }
}

extension ListenAddress {
    /// As the configuration has it.
    fileprivate var text: String {
        switch self {
        case .tcp(let host, let port): host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        case .activated(let name): "systemd:\(name)"
        }
    }
}
