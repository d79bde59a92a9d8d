// A mail server we hand messages to, and how it is spoken with.

internal import Curl
package import Gateway
internal import Kernel

package struct MailServer: Sendable {
    package enum Encryption: Sendable, Hashable {
        /// `smtps://`: from the first byte on.
        case implicit
        /// `smtp://`: by STARTTLS, and where the server has none, nothing is sent.
        case demanded
        /// None, for a server of this machine.
        case absent
    }

    /// A name, an IPv4 address, or an IPv6 address in brackets.
    package let host: String
    package let port: UInt16
    package let encryption: Encryption
    package let user: String?
    package let password: Secret?
    /// A file of certificates that vouch for it, in place of the system's.
    package let authorities: String?
    package var time: Duration = .seconds(20)
    package var connecting: Duration = .seconds(10)

    package init(host: String, port: UInt16, encryption: Encryption, user: String? = nil, password: Secret? = nil, authorities: String? = nil) {
        self.host = host
        self.port = port
        self.encryption = encryption
        self.user = user
        self.password = password
        self.authorities = authorities
    }

    var party: Party { Party(name: "\(host):\(port)") }

    func transfer(of mail: Mail) throws(OutboundFault) -> CurlTransfer {
        do throws(CurlFault) {
            let bytes = mail.bytes
            let encryption: CurlTransfer.MailEncryption =
                switch self.encryption {
                case .implicit: .implicit
                case .demanded: .demanded
                case .absent: .absent
                }
            let transfer = try CurlTransfer(
                mailBy: "\(host):\(port)", encryption, as: String(decoding: mail.sender.address.domain.copied(), as: UTF8.self),
                from: mail.sender.address.text, to: mail.recipient.text, message: LockedBuffer(copying: bytes.span.raw))
            if let user, let password { try transfer.authenticate(user, password.bytes) }
            if let authorities { try transfer.trust(authorities: authorities) }
            try transfer.avoidProxies()
            return transfer
        } catch {
            throw party.fault(error, isSent: false)
        }
    }
}

/// Why a message was not handed over. Holds no address but the server's.
package struct MailFault: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
        /// No connection, or none that may be trusted, or it broke.
        case transport(OutboundFault.Kind)
        /// The server does not take our name and password.
        case denied
        /// The server takes no message from this sender or for this recipient, now (4xx) or ever (5xx).
        case refused(Int)
    }

    package let kind: Kind
    /// Server and cause, in words for a log.
    package let description: String

    init(_ fault: OutboundFault, status: Int) {
        switch (fault.kind, status) {
        case (.broken, 400..<600), (.crowded, 400..<600):
            // libcurl names the step that failed; the number says whose no it is (RFC 4954, section 6).
            kind = [530, 534, 535, 538].contains(status) ? .denied : .refused(status)
            description = "\(fault.description) (the server answered \(status))"
        default:
            kind = .transport(fault.kind)
            description = fault.description
        }
    }
}
