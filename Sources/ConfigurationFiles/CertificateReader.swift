// Certificates that settings name: the files are read here once, so that what could not be served is found before it has to be.

internal import FoundationEssentials
internal import Gateway
internal import TLS

struct CertificateReader {
    let reading: Reading

    private enum Clients: String { case required, optional }

    /// `tls` of a listener. Nil when anything of it is wrong; that is reported.
    func listener(_ section: Section) -> ListenerTLS? {
        guard section.has("certificates") else {
            reading.error(section.position, "`tls` needs `certificates`: \(section.declared("certificates").form.words)")
            return nil
        }
        let elements = section.list("certificates") ?? []
        if elements.isEmpty, section.list("certificates") != nil {
            reading.error(section.position(of: "certificates"), "`certificates` must name one at least; for plain HTTP take `tls` out")
        }
        let place = "gateway.listen[].tls.certificates[]"
        let pairs = elements.compactMap { element in
            Section(element, at: place, named: place, reading).flatMap { pair($0, certificate: "certificate", key: "private_key", isNeeded: true) }
        }
        let clients = clients(section)
        guard !pairs.isEmpty, pairs.count == elements.count, let clients else { return nil }
        return tried(pairs, clients, section)
    }

    /// Who wants a client's certificate; nil when it is wrong, which is reported.
    private func clients(_ section: Section) -> ListenerTLS.Clients? {
        let choice = section.choice("client_certificates", Clients.self)
        guard section.has("client_ca") else {
            guard section.has("client_certificates") else { return .ignored }
            reading.error(section.position(of: "client_certificates"), "`client_certificates` needs `client_ca`, the authorities they are of")
            return nil
        }
        guard let authorities = section.path("client_ca")?.text else { return nil }
        _ = reading.contents(authorities)
        guard choice != nil || !section.has("client_certificates") else { return nil }
        return choice == .optional ? .optional(authorities: authorities) : .required(authorities: authorities)
    }

    /// All of it together, as the daemon will make it.
    private func tried(_ pairs: [(files: CertificateFiles, loaded: KeyedCertificate)], _ clients: ListenerTLS.Clients, _ section: Section) -> ListenerTLS? {
        let tls = ListenerTLS(certificates: pairs.map(\.files), clients: clients)
        do throws(TLSFault) {
            _ = try ServerContext(pairs.map(\.loaded), clients: ServerContext.ClientCertificates(clients))
            return tls
        } catch {
            let key = error.cause == .authorities ? "client_ca" : "certificates"
            reading.error(section.position(of: key), "`\(key)`: \(error)")
            return nil
        }
    }

    /// A certificate and its key. Nil when there is none, or it cannot be used; that is reported.
    func pair(_ section: Section, certificate: String, key: String, isNeeded: Bool = false) -> (files: CertificateFiles, loaded: KeyedCertificate)? {
        let (hasCertificate, hasKey) = (section.has(certificate), section.has(key))
        guard hasCertificate || hasKey || isNeeded else { return nil }
        for (name, isThere) in [(certificate, hasCertificate), (key, hasKey)] where !isThere {
            reading.error(section.position, "`\(name)` is missing; a certificate and its key are named together")
        }
        guard let certificateFile = section.path(certificate), let keyFile = section.path(key) else { return nil }
        // The key need not be noted: another one belongs to another certificate.
        _ = reading.contents(certificateFile.text)
        do throws(TLSFault) {
            let loaded = try KeyedCertificate(certificate: certificateFile.text, privateKey: keyFile.text)
            warn(of: loaded, certificateFile, keyFile)
            return (CertificateFiles(certificate: certificateFile.text, privateKey: keyFile.text), loaded)
        } catch {
            let (name, scalar) = error.cause == .ownKey ? (key, keyFile) : (certificate, certificateFile)
            reading.error(scalar.position, "`\(name)`: \(error)")
            return nil
        }
    }

    private func warn(of loaded: KeyedCertificate, _ certificate: Scalar, _ key: Scalar) {
        if loaded.notAfter <= reading.wallClock {
            reading.warning(certificate.position, "the certificate \(certificate.text) expired on \(day(loaded.notAfter)); nobody will accept it: renew it")
        } else if loaded.notBefore > reading.wallClock {
            reading.warning(certificate.position, "the certificate \(certificate.text) is not valid before \(day(loaded.notBefore)); check it, and this machine's clock")
        } else if loaded.notAfter - reading.wallClock < CertificateFiles.warningSpan {
            reading.warning(
                certificate.position, "the certificate \(certificate.text) expires on \(day(loaded.notAfter)): renew it; a new one in its place is taken without a reload")
        }
        if RegularFile.isReadableByOthers(key.text) {
            reading.warning(key.position, "everyone may read the private key \(key.text); take that away: chmod o-r \(key.text)")
        }
    }

    private func day(_ time: Int64) -> String {
        Date(timeIntervalSince1970: TimeInterval(time)).formatted(.iso8601.year().month().day())
    }
}
