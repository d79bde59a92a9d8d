// A source of AWS credentials, once the configuration has decided for it.

internal import Gateway
internal import Kernel

/// Credentials, and in words where they are from.
struct AWSGrant: Sendable {
    let credentials: AWSCredentials
    let source: String

    init(_ credentials: AWSCredentials, from source: String) {
        self.credentials = credentials
        self.source = source
    }
}

protocol AWSSource: Sendable {
    /// Asks anew, wherever it takes its credentials from.
    ///
    /// - Throws: which source it is, what is wrong and what to do; `isPassing` where it did not answer.
    func grant() async throws(AWSCredentialFault) -> AWSGrant
}

/// Credentials that were found whole: in the environment, in a file.
struct AWSFixedSource: AWSSource {
    private let found: AWSGrant

    init(_ found: AWSGrant) {
        self.found = found
    }

    func grant() throws(AWSCredentialFault) -> AWSGrant { found }
}

extension AWSCredentials {
    /// Whether a request can be signed with them: they become part of its head.
    var areWellFormed: Bool {
        let name = accessKey.utf8
        guard (1...128).contains(name.count), name.allSatisfy({ AWSCredentials.isOfAccessKey($0) }) else { return false }
        return [secretKey, sessionToken].compactMap(\.self).allSatisfy { secret in
            secret.count > 0 && (0..<secret.count).allSatisfy { secret.bytes[$0] > 0x20 && secret.bytes[$0] < 0x7F }
        }
    }

    private static func isOfAccessKey(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "-_.".utf8.contains(byte)
        }
    }
}

extension AWSGrant {
    /// The environment's keys; nil where it has none.
    init?(environmentOf around: AWSSurroundings) throws(AWSCredentialFault) {
        func secret(_ name: String) -> Secret? { around.variable(name).map { Secret(copying: $0.utf8Span.span.raw) } }
        guard let access = around.variable("AWS_ACCESS_KEY_ID") else { return nil }
        guard let key = secret("AWS_SECRET_ACCESS_KEY") else {
            throw AWSCredentialFault(isPassing: false, "AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not: set both or none")
        }
        var expires: Int64?
        if let text = around.variable("AWS_CREDENTIAL_EXPIRATION") {
            guard let time = AWSTime.seconds(text) else {
                throw AWSCredentialFault(isPassing: false, "AWS_CREDENTIAL_EXPIRATION is no time such as 2026-01-31T12:00:00Z")
            }
            expires = time
        }
        self.init(
            AWSCredentials(
                accessKey: access, secretKey: key, sessionToken: secret("AWS_SESSION_TOKEN") ?? secret("AWS_SECURITY_TOKEN"), expires: expires),
            from: "environment")
    }
}
