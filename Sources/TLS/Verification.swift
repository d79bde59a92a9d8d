// What is said of a certificate that did not pass: which check, and what stood in the certificate.

internal import COpenSSL

/// OpenSSL decides, in X509_verify_cert(3); this only writes down the first refusal for the log.
enum Verification {
    /// Called for each certificate and fault. Never overrules: returns what OpenSSL found.
    static func check(_ passed: Int32, _ store: OpaquePointer?) -> Int32 {
        guard passed == 0 else { return passed }
        // These two lead from the store's context to the session that it verifies for (SSL_CTX_set_verify(3)).
        let index = SSL_get_ex_data_X509_STORE_CTX_idx()
        guard let ssl = unsafe X509_STORE_CTX_get_ex_data(store, index),
            let wire = unsafe SSL_get_ex_data(OpaquePointer(ssl), 0)?.assumingMemoryBound(to: Wire.self),
            unsafe wire.pointee.refused == nil
        else { return 0 }
        let code = unsafe X509_STORE_CTX_get_error(store)
        let depth = unsafe X509_STORE_CTX_get_error_depth(store)
        let certificate = unsafe X509_STORE_CTX_get_current_cert(store)
        unsafe wire.pointee.refused = fault(code, depth: depth, certificate: certificate, serverName: wire.pointee.serverName)
        return 0
    }

    private static func fault(_ code: Int32, depth: Int32, certificate: OpaquePointer?, serverName: String) -> TLSFault {
        let subject = depth == 0 ? "the certificate" : "a certificate in the chain (\(unsafe name(X509_get_subject_name(certificate))))"
        let cause: TLSFault.Cause
        let words: String
        switch code {
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH:
            let names = unsafe alternativeNames(certificate)
            cause = .wrongName
            words = names.isEmpty
                ? "the certificate bears no alternative name at all, so not \(serverName) either"
                : "the certificate is for other names (\(names.joined(separator: ", "))), not for \(serverName)"
        case X509_V_ERR_CERT_HAS_EXPIRED:
            cause = .expired
            words = "\(subject) expired on \(unsafe day(X509_get0_notAfter(certificate)))"
        case X509_V_ERR_CERT_NOT_YET_VALID:
            cause = .notYetValid
            words = "\(subject) is not valid before \(unsafe day(X509_get0_notBefore(certificate)))"
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
            cause = .unknownAuthority
            words = "\(subject) is self-signed and not among the trusted authorities"
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_UNTRUSTED:
            cause = .unknownAuthority
            words = "\(subject) is of an unknown authority (\(unsafe name(X509_get_issuer_name(certificate))))"
        default:
            cause = .certificate
            words = "\(subject) was refused: \(unsafe String(cString: X509_verify_cert_error_string(Int(code))))"
        }
        return TLSFault(cause: cause, words: words, isBeforeRequest: true)
    }

    /// The first few DNS names and addresses of the certificate, fit for a log.
    private static func alternativeNames(_ certificate: OpaquePointer?) -> [String] {
        guard let list = unsafe X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else { return [] }
        let stack = OpaquePointer(list)
        defer { unsafe GENERAL_NAMES_free(stack) }
        let count = unsafe OPENSSL_sk_num(stack)
        var names: [String] = []
        for at in 0..<max(count, 0) {
            guard names.count < shownNames else { return names + ["and more"] }
            guard let entry = unsafe OPENSSL_sk_value(stack, at) else { continue }
            var type: Int32 = 0
            guard let value = unsafe GENERAL_NAME_get0_value(entry.assumingMemoryBound(to: GENERAL_NAME.self), &type),
                type == GEN_DNS || type == GEN_IPADD
            else { continue }
            let string = unsafe value.assumingMemoryBound(to: ASN1_STRING.self)
            guard let start = unsafe ASN1_STRING_get0_data(string) else { continue }
            let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: Int(ASN1_STRING_length(string))))
            names.append(type == GEN_DNS ? printable(bytes) : address(bytes))
        }
        return names
    }

    private static let shownNames = 5

    private static func address(_ bytes: [UInt8]) -> String {
        guard bytes.count != 4 else { return bytes.map { String($0) }.joined(separator: ".") }
        return stride(from: 0, to: min(bytes.count, 16) & ~1, by: 2)
            .map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }.joined(separator: ":")
    }

    /// `/C=.../CN=...`, cut to what fits.
    private static func name(_ name: OpaquePointer?) -> String {
        var text = [CChar](repeating: 0, count: 128)
        guard let name = unsafe name, unsafe X509_NAME_oneline(name, &text, Int32(text.count)) != nil else { return "nameless" }
        return printable(text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) })
    }

    /// What a stranger wrote, without what could forge a log line.
    private static func printable(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.prefix(128).map { $0 > 0x20 && $0 < 0x7F ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }

    private static func day(_ time: UnsafePointer<ASN1_TIME>?) -> String {
        // Unsafe for its zone's name, which is not looked at.
        var parts = unsafe tm()
        guard let time = unsafe time, unsafe ASN1_TIME_to_tm(time, &parts) == 1 else { return "a day that cannot be read" }
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return unsafe "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
    }
}
