// AWS's Security Token Service: a role's credentials for those of somebody who may take it on.

internal import Gateway
internal import Kernel
internal import Outbound

struct AWSSecurityTokenService: Sendable {
    private let endpoint: String
    private let region: String
    private let authorities: String?
    private let around: AWSSurroundings

    /// What a role is taken on as.
    struct Role: Sendable {
        let name: String
        var session = "claviger"
        var externalID: String?
        /// In seconds; nil leaves it to the service, which gives an hour.
        var duration: Int?
    }

    /// - Throws: where no region says which of them to ask.
    init(_ settings: AWSSettings, region: String?, around: AWSSurroundings) throws(AWSCredentialFault) {
        guard let region = region ?? settings.region else {
            throw AWSCredentialFault(isPassing: false, "no region says which security token service to ask for a role: set AWS_REGION, or region in the profile")
        }
        // The one global endpoint, for those regions that had it before each got its own.
        if settings.value("AWS_STS_REGIONAL_ENDPOINTS", .stsEndpoints) == "legacy", AWSSecurityTokenService.legacy.contains(region),
            settings.configuredEndpoint(of: "sts") == nil
        {
            (endpoint, self.region) = ("https://sts.amazonaws.com", "us-east-1")
        } else {
            (endpoint, self.region) = (settings.endpoint(of: "sts", in: region), region)
        }
        authorities = settings.authorities
        self.around = around
    }

    private static let legacy: Set<String> = [
        "ap-northeast-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "aws-global", "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1",
        "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
    ]

    /// AssumeRole, signed with `credentials`.
    ///
    /// - Parameter source: whose words faults begin with.
    func assume(_ role: Role, with credentials: AWSCredentials, for source: String) async throws(AWSCredentialFault) -> AWSCredentials {
        var form = form("AssumeRole", role)
        if let id = role.externalID { form.add("ExternalId", id) }
        let signature = OutboundRequest.Signature(
            region: region, service: "sts", accessKey: credentials.accessKey, secretKey: credentials.secretKey,
            sessionToken: credentials.sessionToken)
        return try await ask(form, signature, for: source)
    }

    /// AssumeRoleWithWebIdentity, which the token alone vouches for.
    func assume(_ role: Role, withWebIdentity token: Secret, for source: String) async throws(AWSCredentialFault) -> AWSCredentials {
        var form = form("AssumeRoleWithWebIdentity", role)
        form.add("WebIdentityToken", token.bytes)
        return try await ask(form, nil, for: source)
    }

    private func form(_ action: StaticString, _ role: Role) -> AWSForm {
        var form = AWSForm(action: action, version: "2011-06-15")
        form.add("RoleArn", role.name)
        form.add("RoleSessionName", role.session)
        if let duration = role.duration { form.add("DurationSeconds", "\(duration)") }
        return form
    }

    private func ask(
        _ form: consuming AWSForm, _ signature: OutboundRequest.Signature?, for source: String
    ) async throws(AWSCredentialFault) -> AWSCredentials {
        var request = OutboundRequest(
            .post, endpoint + "/",
            fields: [.init("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"), .init("Accept", "application/json")],
            body: form.finished())
        request.limits = .init(time: .seconds(5), connecting: .seconds(2), answer: 64 << 10)
        request.signature = signature
        request.authorities = authorities
        request.usesProxy = AWSEndpoint.usesProxy(endpoint)
        let exchange = AWSExchange(source: "\(source): \(endpoint)", attempts: 2)
        let response = try await exchange.send(request, by: around.client)
        return try exchange.credentials(in: response, token: "SessionToken", needsExpiry: true)
    }
}

/// A body of `application/x-www-form-urlencoded`, which may hold secrets.
private struct AWSForm: ~Copyable {
    private var buffer = LockedBuffer(capacity: 2048)

    init(action: StaticString, version: StaticString) {
        buffer.append("Action=")
        buffer.append(action)
        buffer.append("&Version=")
        buffer.append(version)
    }

    mutating func add(_ name: StaticString, _ value: String) {
        add(name, value.utf8Span.span.raw)
    }

    mutating func add(_ name: StaticString, _ value: RawSpan) {
        buffer.append("&")
        buffer.append(name)
        buffer.append("=")
        for at in 0..<value.byteCount { append(encoded: value[at]) }
    }

    consuming func finished() -> Secret { Secret(buffer) }

    /// Everything but RFC 3986's unreserved characters as `%XX`.
    private mutating func append(encoded byte: UInt8) {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
            buffer.append(byte: byte)
        default:
            buffer.append(byte: UInt8(ascii: "%"))
            for digit in [byte >> 4, byte & 15] { buffer.append(byte: digit < 10 ? 48 + digit : 55 + digit) }
        }
    }
}
