// The endpoint that ECS, EKS Pod Identity and Greengrass give a container: one URL that answers with credentials.

internal import Gateway
internal import Kernel
internal import Outbound

struct AWSContainerSource: AWSSource {
    private let url: String
    private let around: AWSSurroundings
    private let name: String
    private let isLocal: Bool
    private let authorities: String?

    static let relative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
    static let full = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
    private static let tokenFile = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
    private static let token = "AWS_CONTAINER_AUTHORIZATION_TOKEN"

    /// Nil where neither URI is set. The relative one counts first.
    ///
    /// - Throws: for a URI to which no token may be sent: of plain HTTP, and neither this machine's nor ECS's or EKS's own address.
    init?(_ around: AWSSurroundings, authorities: String?) throws(AWSCredentialFault) {
        if let path = around.variable(AWSContainerSource.relative) {
            guard path.utf8.first == UInt8(ascii: "/") else {
                throw AWSCredentialFault(isPassing: false, "\(AWSContainerSource.relative) does not begin with a slash")
            }
            url = "http://169.254.170.2" + path
            name = "container endpoint 169.254.170.2"
            isLocal = true
        } else if let full = around.variable(AWSContainerSource.full) {
            guard let host = AWSEndpoint.host(of: full) else {
                throw AWSCredentialFault(isPassing: false, "\(AWSContainerSource.full) is no URL of http:// or https:// with a host")
            }
            isLocal = AWSEndpoint.isOwn(host)
            guard isLocal || full.utf8.starts(with: "https://".utf8) else {
                throw AWSCredentialFault(
                    isPassing: false,
                    "\(AWSContainerSource.full): \(host) is asked over https:// only; over http:// just this machine, 169.254.170.2, 169.254.170.23 and fd00:ec2::23 are")
            }
            url = full
            name = "container endpoint \(host)"
        } else {
            return nil
        }
        self.around = around
        self.authorities = authorities
    }

    func grant() async throws(AWSCredentialFault) -> AWSGrant {
        var request = OutboundRequest(.get, url, fields: [.init("Accept", "application/json")])
        if let token = try token() { request.fields.append(.init("Authorization", token)) }
        request.limits = .init(time: .seconds(3), connecting: .seconds(1), answer: 64 << 10)
        request.usesProxy = !isLocal
        request.authorities = authorities
        let exchange = AWSExchange(source: name, attempts: 2)
        let response = try await exchange.send(request, by: around.client)
        return AWSGrant(try exchange.credentials(in: response, token: "Token", needsExpiry: false), from: name)
    }

    /// From the file, which is read anew each time, else from the variable.
    private func token() throws(AWSCredentialFault) -> Secret? {
        if let path = around.variable(AWSContainerSource.tokenFile) { return try around.token(at: path, for: name) }
        guard let token = around.variable(AWSContainerSource.token) else { return nil }
        guard token.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw AWSCredentialFault(isPassing: false, "\(AWSContainerSource.token) holds a line break or another control character")
        }
        return Secret(copying: token.utf8Span.span.raw)
    }
}
