// Why a TLS connection was not made, or broke: a cause to decide by and words for the log.

internal import COpenSSL
package import Kernel

/// Nothing in it comes from a key or from what was sent; names from the peer's certificate are cut and printable ASCII.
package struct TLSFault: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Cause: Equatable, Sendable {
        /// The file of authorities could not be read, or holds no certificate.
        case authorities
        /// Our own certificate could not be read, or is none that may be used.
        case ownCertificate
        /// Our own private key could not be read, or does not belong to the certificate.
        case ownKey
        /// The server's name is none that can be asked for or verified.
        case serverName
        /// The certificate does not name the server that was asked for.
        case wrongName
        case expired
        case notYetValid
        /// No trusted authority vouches for the certificate.
        case unknownAuthority
        /// Any other check that the certificate did not pass.
        case certificate
        /// Version, cipher or protocol: the two sides have nothing in common.
        case noCommonGround
        /// What is at the other end speaks no TLS.
        case notTLS
        /// It speaks HTTP without TLS.
        case plainHTTP
        /// The peer ended it by an alert.
        case alert
        /// The connection ended before the handshake did.
        case cut
        /// The socket broke.
        case socket(SystemFault)
        /// The peer broke the protocol, or a record did not authenticate.
        case protocolBroken
        /// OpenSSL could not: out of memory, or not configured for it.
        case library
    }

    package let cause: Cause
    /// One clause, no capital, no full stop: "the certificate expired on 2026-01-01".
    package let words: String
    /// True where it failed before the handshake was over: not a byte given to `write` has left, so the request can go elsewhere.
    package let isBeforeRequest: Bool

    package var description: String { words }

    /// Whether the peer's certificate was refused: trying again does not help.
    package var isVerification: Bool {
        switch cause {
        case .wrongName, .expired, .notYetValid, .unknownAuthority, .certificate: true
        case .authorities, .ownCertificate, .ownKey, .serverName, .noCommonGround, .notTLS, .plainHTTP, .alert, .cut, .socket, .protocolBroken, .library: false
        }
    }
}

extension TLSFault {
    /// Empties this thread's error queue, of which SSL_get_error(3) takes what it finds for its own. Looking first costs a tenth of emptying.
    static func forgetErrors() {
        if ERR_peek_error() != 0 { ERR_clear_error() }
    }

    /// What this thread's error queue tells, and empties it.
    static func fromQueue(isBeforeRequest: Bool, peer: Wire.Peer = .server) -> TLSFault {
        let code = ERR_peek_error()
        let text = unsafe ERR_reason_error_string(code).map { unsafe String(cString: $0) }
        ERR_clear_error()
        let (cause, words) = reading(ERR_GET_REASON(code), text, of: peer)
        return TLSFault(cause: cause, words: words, isBeforeRequest: isBeforeRequest)
    }

    private static func reading(_ reason: Int32, _ text: String?, of peer: Wire.Peer) -> (Cause, String) {
        let who = peer.words
        switch reason {
        case SSL_R_HTTP_REQUEST where peer == .client:
            return (.plainHTTP, "\(who) sent plain HTTP; this port wants TLS: https://")
        case SSL_R_WRONG_VERSION_NUMBER, SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST, SSL_R_PACKET_LENGTH_TOO_LONG:
            return (.notTLS, "\(who) does not speak TLS on this port")
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, SSL_R_NO_PROTOCOLS_AVAILABLE, SSL_R_UNKNOWN_PROTOCOL,
            SSL_R_VERSION_TOO_LOW:
            return (.noCommonGround, "\(who) offers no TLS version from 1.2 on")
        case SSL_R_NO_APPLICATION_PROTOCOL:
            return (.noCommonGround, "\(who) does not offer http/1.1 (ALPN)")
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
            return (.certificate, "\(who) showed no certificate, which is required here")
        case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, SSL_R_TLSV1_ALERT_INSUFFICIENT_SECURITY, SSL_R_NO_CIPHERS_AVAILABLE,
            SSL_R_UNKNOWN_CIPHER_RETURNED, SSL_R_WRONG_CIPHER_RETURNED, SSL_R_DH_KEY_TOO_SMALL, SSL_R_NO_SHARED_CIPHER,
            SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, SSL_R_NO_SUITABLE_KEY_SHARE:
            return (.noCommonGround, "\(who) shares no cipher with this gateway, or asks for more (\(text ?? "handshake failure"))")
        case let alert where alert > SSL_AD_REASON_OFFSET && alert < SSL_AD_REASON_OFFSET + 256:
            return (.alert, "\(who) ended the connection: \(text ?? "alert \(alert - SSL_AD_REASON_OFFSET)")")
        case 0:
            return (.library, "OpenSSL gave no reason")
        case Int32(ERR_R_MALLOC_FAILURE), Int32(ERR_R_INTERNAL_ERROR):
            return (.library, text ?? "OpenSSL failed within")
        default:
            return (.protocolBroken, "\(who) broke the protocol: \(text ?? "reason \(reason)")")
        }
    }
}
