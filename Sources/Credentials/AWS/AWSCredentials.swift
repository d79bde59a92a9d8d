// The gateway's own credentials toward AWS, and who gives them.

package import Gateway

/// What a request to AWS is signed with.
package struct AWSCredentials: Sendable {
    package let accessKey: String
    package let secretKey: Secret
    package let sessionToken: Secret?
    /// Seconds since 1970; nil for what does not expire.
    package let expires: Int64?

    package init(accessKey: String, secretKey: Secret, sessionToken: Secret?, expires: Int64?) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
        self.expires = expires
    }
}

/// Gives credentials that are good now, from wherever they come, renewed ahead of their end.
package protocol AWSCredentialProvider: Sendable {
    /// - Throws: where there are none, or none that live: which sources were asked, and what each lacked.
    func credentials() async throws(AWSCredentialFault) -> AWSCredentials

    /// AWS said that these are expired or unknown: the next `credentials()` asks the source again, unless it has done so since.
    func rejected(_ credentials: AWSCredentials) async

    /// Which source is in use, and until when; nil before the first use.
    func status() async -> AWSCredentialStatus?
}

/// Why there are no credentials. Names sources, files and variables, never a value.
package struct AWSCredentialFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// Whether the same question may be answered later: a source did not answer. Otherwise nothing is configured, or it is wrong.
    package let isPassing: Bool
    package let description: String

    package init(isPassing: Bool, _ description: String) {
        self.isPassing = isPassing
        self.description = description
    }
}

/// For `claviger status`.
package struct AWSCredentialStatus: Equatable, Sendable {
    /// Such as `environment`, `profile ops of /root/.aws/credentials`, `instance metadata (role gateway)`.
    package let source: String
    /// Seconds since 1970.
    package let expires: Int64?

    package init(source: String, expires: Int64?) {
        self.source = source
        self.expires = expires
    }
}
