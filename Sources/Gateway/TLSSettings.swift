// What TLS is spoken with, as it is configured: files by their paths. Reading them is the TLS target's.

package import TLS

/// A certificate of our own and its key: PEM files, absolute paths.
package struct CertificateFiles: Hashable, Sendable {
    package let certificate: String
    package let privateKey: String

    /// How long before its end a certificate is warned of, in seconds: 14 days, as the alert `ClavigerCertificateEnds` has it.
    package static let warningSpan: Int64 = 14 * 86_400

    package init(certificate: String, privateKey: String) {
        self.certificate = certificate
        self.privateKey = privateKey
    }
}

/// Of a listener that speaks TLS.
package struct ListenerTLS: Hashable, Sendable {
    /// Whether agents show certificates; the path is of a PEM file of authorities.
    package enum Clients: Hashable, Sendable {
        case ignored
        case optional(authorities: String)
        case required(authorities: String)

        package var authorities: String? {
            switch self {
            case .ignored: nil
            case .optional(let path), .required(let path): path
            }
        }
    }

    /// Chosen by the name a client asks for; the first is for all other clients. Never empty.
    package let certificates: [CertificateFiles]
    package let clients: Clients

    package init(certificates: [CertificateFiles], clients: Clients = .ignored) {
        self.certificates = certificates
        self.clients = clients
    }
}

/// How a server is recognised, and what it is shown.
package struct UpstreamTLS: Hashable, Sendable {
    /// PEM file of the authorities to trust instead of the system's.
    package let authorities: String?
    /// Of what stood in that file when it was read: other authorities are another trust.
    package let authoritiesDigest: Digest256?
    /// Name to send and to verify instead of the origin's host.
    package let serverName: String?
    /// Shown where the server asks for one.
    package let certificate: CertificateFiles?

    package init(
        authorities: String? = nil, authoritiesDigest: Digest256? = nil, serverName: String? = nil, certificate: CertificateFiles? = nil
    ) {
        self.authorities = authorities
        self.authoritiesDigest = authoritiesDigest
        self.serverName = serverName
        self.certificate = certificate
    }
}

extension ServerContext.ClientCertificates {
    package init(_ clients: ListenerTLS.Clients) {
        self =
            switch clients {
            case .ignored: .ignored
            case .optional(let authorities): .optional(authorities: authorities)
            case .required(let authorities): .required(authorities: authorities)
            }
    }
}
