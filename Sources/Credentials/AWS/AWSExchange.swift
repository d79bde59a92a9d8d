// One question to a service that gives credentials, and what its answer amounts to.

internal import Gateway
internal import Kernel
internal import Outbound

struct AWSExchange: Sendable {
    /// Whose words its faults begin with.
    let source: String
    /// How often it asks where no answer comes, or one that says to come again.
    let attempts: Int
    /// What status 404 means here.
    var missing: String?

    /// - Returns: an answer of status 200.
    func send(_ request: OutboundRequest, by client: any HTTPClient) async throws(AWSCredentialFault) -> OutboundResponse {
        var attempt = 1
        while true {
            let fault: AWSCredentialFault
            do throws(OutboundFault) {
                let response = try await client.send(request)
                if response.status == 200 { return response }
                fault = refusal(response)
            } catch {
                fault = AWSCredentialFault(isPassing: AWSExchange.isPassing(error), "\(source): \(error)")
            }
            // Asking for credentials changes nothing: it may be done twice.
            guard fault.isPassing, attempt < attempts else { throw fault }
            attempt += 1
        }
    }

    private static func isPassing(_ fault: OutboundFault) -> Bool {
        switch fault.kind {
        case .invalid, .untrusted, .tooLarge: false
        case .unresolved, .unreachable, .timedOut, .broken, .crowded, .cancelled: true
        }
    }

    /// Access key, secret key, token and expiry, under the names that all of AWS's services give them; the token's differs.
    func credentials(in response: OutboundResponse, token: String, needsExpiry: Bool) throws(AWSCredentialFault) -> AWSCredentials {
        guard let answer = AWSAnswer(response.body.bytes) else { throw fault("the answer is neither JSON nor XML") }
        // Instance metadata says so with status 200.
        if let code = answer.text("Code"), code != "Success" { throw fault("answered \(AWSExchange.plain(code))") }
        guard let access = answer.text("AccessKeyId"), let secret = answer["SecretAccessKey"] else { throw fault("the answer holds no credentials") }
        let expiry = answer.text("Expiration")
        let expires = expiry.flatMap(AWSTime.seconds)
        if expires == nil, needsExpiry || expiry != nil { throw fault("the answer does not say until when its credentials live") }
        return AWSCredentials(accessKey: access, secretKey: secret, sessionToken: answer[token], expires: expires)
    }

    private func fault(_ words: String) -> AWSCredentialFault {
        AWSCredentialFault(isPassing: true, "\(source): \(words)")
    }

    /// An answer of another status. Of its body only the code is said, and the message where that is known to quote nothing of the request.
    private func refusal(_ response: OutboundResponse) -> AWSCredentialFault {
        if response.status == 404, let missing { return AWSCredentialFault(isPassing: false, "\(source): \(missing)") }
        let answer = AWSAnswer(response.body.bytes)
        let code = answer?.text("Code") ?? answer?.text("code")
        let isPassing = response.status >= 500 || response.status == 429 || response.status == 408
            || code.map { AWSExchange.passing.contains($0) } ?? false
        var words = "answered \(response.status)"
        if let code { words += " \(AWSExchange.plain(code))" }
        if let code, AWSExchange.quotable.contains(code), let message = answer?.text("Message") { words += ": \(AWSExchange.plain(message))" }
        if let code, let remedy = AWSExchange.remedies[code] { words += ": \(remedy)" }
        return AWSCredentialFault(isPassing: isPassing, "\(source): \(words)")
    }

    private static let passing: Set<String> = [
        "Throttling", "ThrottlingException", "RequestLimitExceeded", "IDPCommunicationError", "InternalFailure", "ServiceUnavailable",
    ]
    /// Their messages name principals, actions and resources. Others may quote what was signed.
    private static let quotable: Set<String> = ["AccessDenied", "AccessDeniedException", "ValidationError"]
    private static let remedies = [
        "ExpiredToken": "the token that vouches has expired: whoever writes it must renew it",
        "ExpiredTokenException": "the token that vouches has expired: whoever writes it must renew it",
        "InvalidClientTokenId": "AWS does not know the access key that the role is taken on with",
        "SignatureDoesNotMatch": "the secret key that the role is taken on with does not belong to its access key, or this machine's clock is wrong",
        "InvalidIdentityToken": "the web identity token is not one that the role's identity provider takes",
        "IDPRejectedClaim": "the identity provider does not vouch for the token",
        "RegionDisabledException": "the account has this region's security token service switched off",
    ]

    /// Visible ASCII, 300 characters at most.
    static func plain(_ text: String) -> String {
        String(decoding: text.utf8.prefix(300).map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }
}
