// A request in libcurl's terms, and what libcurl says in ours.

internal import Curl
internal import Gateway
internal import Kernel

extension OutboundRequest {
    /// - Throws: of kind `invalid`, where it cannot be sent as it is.
    func transfer(agent: String) throws(OutboundFault) -> CurlTransfer {
        do throws(CurlFault) {
            let transfer = try CurlTransfer(method.rawValue, url, answerLimit: limits.answer)
            try transfer.set(agent: agent)
            for field in fields {
                switch field.value {
                case .text(let text): try transfer.add(field: field.name, Array(text.utf8).span.raw)
                case .secret(let secret): try transfer.add(field: field.name, secret.bytes)
                }
            }
            if let body {
                try transfer.set(body: body.bytes, keptBy: body)
            } else if method == .post || method == .put {
                try transfer.setEmptyBody()
            }
            if redirects > 0 { try transfer.follow(redirects: redirects) }
            if let signature { try sign(transfer, signature) }
            if let authorities { try transfer.trust(authorities: authorities) }
            if let resolution { try transfer.resolve(resolution.host, resolution.port, to: resolution.addresses) }
            if !usesProxy { try transfer.avoidProxies() }
            if !isRepeatable { try transfer.demandFreshConnection() }
            return transfer
        } catch {
            throw fault(error, isSent: false)
        }
    }

    private func sign(_ transfer: CurlTransfer, _ signature: Signature) throws(CurlFault) {
        if let token = signature.sessionToken { try transfer.add(field: "X-Amz-Security-Token", token.bytes) }
        try transfer.sign(
            region: signature.region, service: signature.service, accessKey: signature.accessKey, secretKey: signature.secretKey.bytes)
    }

    // MARK: Faults

    func fault(_ kind: OutboundFault.Kind, _ retry: OutboundFault.Retry, _ words: String) -> OutboundFault {
        OutboundFault(kind, retry, "\(host): \(words)")
    }

    /// Its time was over before it began.
    var late: OutboundFault { fault(.timedOut, .safe, "no connection was free in time") }

    func fault(_ fault: CurlFault, isSent: Bool) -> OutboundFault {
        let kind: OutboundFault.Kind =
            switch fault.kind {
            case .invalid: .invalid
            case .unresolved: .unresolved
            case .unreachable: .unreachable
            case .untrusted: .untrusted
            case .timedOut: .timedOut
            case .broken: .broken
            case .tooLarge: .tooLarge
            case .other: .crowded
            }
        let retry: OutboundFault.Retry =
            switch kind {
            case .invalid, .tooLarge: .pointless
            default: isSent ? .ifRepeatable : .safe
            }
        return self.fault(kind, retry, fault.words)
    }

    /// Name and port of the URL, without user information: all that a message says of it.
    private var host: String {
        let parts = Array(url.utf8).split(separator: UInt8(ascii: "/"), maxSplits: 3, omittingEmptySubsequences: false)
        let name = parts.dropFirst(2).first?.split(separator: UInt8(ascii: "@")).last ?? []
        return String(decoding: name.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }, as: UTF8.self)
    }
}

extension OutboundResponse {
    init(_ transfer: CurlTransfer) {
        self.init(status: transfer.status, fields: transfer.fields, body: Secret(transfer.takeAnswer()))
    }
}
