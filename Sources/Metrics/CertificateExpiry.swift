// Until when a certificate lasts that the gateway shows: the metric of it, filled in by whoever has the certificate.

/// One listener's, or one server's; as it is at one moment.
package struct CertificateExpiry: Equatable, Sendable {
    package enum Owner: Equatable, Sendable {
        /// By its address. It may have several certificates: then it is the earliest.
        case listener(String)
        /// By its name: what is shown to it.
        case server(String)
    }

    package let owner: Owner
    /// Seconds since 1970.
    package let notAfter: Int64

    package init(_ owner: Owner, notAfter: Int64) {
        self.owner = owner
        self.notAfter = notAfter
    }

    fileprivate var labels: [(name: String, value: String)] {
        switch owner {
        case .listener(let address): [("listener", address), ("server", "")]
        case .server(let name): [("listener", ""), ("server", name)]
        }
    }
}

extension Family {
    static let certificateExpiry = Family(
        "claviger_certificate_expiry_timestamp_seconds", .gauge,
        "When a certificate expires that the gateway shows, in seconds since 1970: the earliest of a listener's, or the one for a server.",
        Label("listener", words: "its address, or empty"), Label("server", words: "its name, or empty"))
}

extension PrometheusText {
    mutating func write(_ expiries: [CertificateExpiry]) {
        head(.certificateExpiry)
        for expiry in expiries { sample(Family.certificateExpiry.name, expiry.labels, expiry.notAfter) }
    }
}
