// The instance metadata service of EC2, version 2: a token first, then the role, then its credentials.

internal import Gateway
internal import Kernel
internal import Outbound

/// Version 1, which needs no token, is never asked: any request that can be tricked out of a program reaches it.
struct AWSInstanceSource: AWSSource {
    private let base: String
    private let time: Duration
    private let attempts: Int
    private let client: any HTTPClient

    private static let path = "/latest/meta-data/iam/security-credentials/"

    /// - Throws: where its settings say nothing that makes sense.
    init(_ settings: AWSSettings, around: AWSSurroundings) throws(AWSCredentialFault) {
        client = around.client
        if let endpoint = settings.value("AWS_EC2_METADATA_SERVICE_ENDPOINT", .metadataEndpoint) {
            guard endpoint.utf8.starts(with: "http://".utf8) || endpoint.utf8.starts(with: "https://".utf8) else {
                throw AWSCredentialFault(isPassing: false, "AWS_EC2_METADATA_SERVICE_ENDPOINT is no URL of http:// or https://")
            }
            base = endpoint.utf8.last == UInt8(ascii: "/") ? String(endpoint.dropLast()) : endpoint
        } else {
            let mode = settings.value("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", .metadataMode) ?? "IPv4"
            switch mode.utf8.map(\.foldedASCII) {
            case Array("ipv4".utf8): base = "http://169.254.169.254"
            case Array("ipv6".utf8): base = "http://[fd00:ec2::254]"
            default: throw AWSCredentialFault(isPassing: false, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE is IPv4 or IPv6")
            }
        }
        time = .seconds(try AWSInstanceSource.number("AWS_METADATA_SERVICE_TIMEOUT", .metadataTimeout, 1...60, settings) ?? 1)
        attempts = try AWSInstanceSource.number("AWS_METADATA_SERVICE_NUM_ATTEMPTS", .metadataAttempts, 1...10, settings) ?? 1
    }

    private static func number(
        _ variable: String, _ setting: AWSSetting, _ range: ClosedRange<Int>, _ settings: AWSSettings
    ) throws(AWSCredentialFault) -> Int? {
        guard let text = settings.value(variable, setting) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw AWSCredentialFault(isPassing: false, "\(variable) is a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func grant() async throws(AWSCredentialFault) -> AWSGrant {
        let token = try await ask(.put, "/latest/api/token", .init("x-aws-ec2-metadata-token-ttl-seconds", "300"), "who answers there is not EC2").body
        let field = OutboundRequest.Field("x-aws-ec2-metadata-token", token)
        let roles = try await ask(.get, AWSInstanceSource.path, field, "the instance has no role: attach an instance profile to it").body
        let role = AWSInstanceSource.firstLine(roles)
        guard !role.isEmpty, role.utf8.allSatisfy(AWSInstanceSource.isOfRoleName) else { throw fault("names no role: attach an instance profile to the instance") }
        let exchange = AWSExchange(source: "instance metadata (role \(role))", attempts: attempts)
        let answer = try await exchange.send(request(.get, AWSInstanceSource.path + role, field), by: client)
        return AWSGrant(try exchange.credentials(in: answer, token: "Token", needsExpiry: true), from: exchange.source)
    }

    /// - Parameter missing: what it means where there is no such thing.
    private func ask(
        _ method: OutboundRequest.Method, _ path: String, _ field: OutboundRequest.Field, _ missing: String
    ) async throws(AWSCredentialFault) -> OutboundResponse {
        let exchange = AWSExchange(source: "instance metadata (\(base))", attempts: attempts, missing: missing)
        return try await exchange.send(request(method, path, field), by: client)
    }

    private func request(_ method: OutboundRequest.Method, _ path: String, _ field: OutboundRequest.Field) -> OutboundRequest {
        var request = OutboundRequest(method, base + path, fields: [field])
        // Where there is none, nobody answers; and from inside a container the token's answer may have no hop left to come.
        request.limits = .init(time: time, connecting: time, answer: 64 << 10)
        request.usesProxy = false
        return request
    }

    private func fault(_ words: String) -> AWSCredentialFault {
        AWSCredentialFault(isPassing: false, "instance metadata (\(base)): \(words)")
    }

    private static func firstLine(_ text: Secret) -> String {
        String(decoding: text.bytes.copied().prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }, as: UTF8.self)
    }

    /// IAM's names: letters, digits and `+=,.@_-`.
    private static func isOfRoleName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "+=,.@_-".utf8.contains(byte)
        }
    }
}
