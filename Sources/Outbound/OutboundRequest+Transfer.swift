// A request in libcurl's terms, and what libcurl says in ours.

internal import Curl
internal import Gateway
internal import Kernel

extension OutboundRequest {
    /// - Throws: of kind `invalid`, where it cannot be sent as it is.
    func transfer(agent: String) throws(OutboundFault) -> CurlTransfer {
        do throws(CurlFault) {
            let transfer = try CurlTransfer(method.rawValue, url, answerLimit: endsWithHead ? 0 : limits.answer)
            try transfer.set(agent: agent)
            if let target { try transfer.set(url: target.bytes) }
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
            if let certificate { try transfer.show(certificate: certificate.certificate, privateKey: certificate.privateKey) }
            if let resolution { try transfer.resolve(resolution.host, resolution.port, to: resolution.addresses) }
            if let place { try transfer.connect(place.name, place.namedPort, to: place.host, place.port) }
            if !usesProxy { try transfer.avoidProxies() }
            if !isRepeatable { try transfer.demandFreshConnection() }
            return transfer
        } catch {
            throw party.fault(error, isSent: false)
        }
    }

    private func sign(_ transfer: CurlTransfer, _ signature: Signature) throws(CurlFault) {
        if let token = signature.sessionToken { try transfer.add(field: "X-Amz-Security-Token", token.bytes) }
        try transfer.sign(
            region: signature.region, service: signature.service, accessKey: signature.accessKey, secretKey: signature.secretKey.bytes)
    }

    /// Name and port of the URL, without user information: all that a message says of it.
    var party: Party {
        let parts = Array(url.utf8).split(separator: UInt8(ascii: "/"), maxSplits: 3, omittingEmptySubsequences: false)
        let name = parts.dropFirst(2).first?.split(separator: UInt8(ascii: "@")).last ?? []
        return Party(name: String(decoding: name.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }, as: UTF8.self))
    }
}

extension OutboundResponse {
    init(_ transfer: CurlTransfer) {
        self.init(status: transfer.status, fields: transfer.fields, body: Secret(transfer.takeAnswer()))
    }
}
