// Every "no" the gateway can say, each declared once: its code, status, side, and the sentences that tell of it.

/// The name a refusal bears in `x-claviger-refusal`, in logs and in metrics. The cases stand in the order in which refusals are given.
package enum RefusalCode: String, Sendable, CaseIterable {
    case badRequest = "bad_request"
    case lineTooLong = "line_too_long"
    case headTooLarge = "head_too_large"
    case requestTimeout = "request_timeout"
    case methodNotAllowed = "method_not_allowed"
    case expectationFailed = "expectation_failed"
    case wrongHost = "wrong_host"
    case notFound = "not_found"
    case originNotAllowed = "origin_not_allowed"
    case unauthenticated
    case badEmail = "bad_email"
    case userNotAllowed = "user_not_allowed"
    case unknownServer = "unknown_server"
    case denied
    case rateLimited = "rate_limited"
    case overloaded
    case tooLarge = "too_large"
    case credentialMissing = "credential_missing"
    case credentialRejected = "credential_rejected"
    case credentialInvalid = "credential_invalid"
    case storeUnavailable = "store_unavailable"
    case upstreamUnreachable = "upstream_unreachable"
    case upstreamInvalid = "upstream_invalid"
    case upstreamTimeout = "upstream_timeout"

    /// Who can change what led to it.
    package enum Side: String, Sendable {
        /// The agent's client: what it sent.
        case agent
        /// The person, or the administrator for project level: a credential is to be deposited.
        case person
        /// The operator of this gateway: its configuration, its capacity.
        case gateway
        /// The secret store or a token endpoint.
        case store
        /// The MCP server or the way to it.
        case upstream
    }

    /// The HTTP status (RFC 9110, section 15; 421: section 15.5.20; 429 and 431: RFC 6585). For `credential_missing` and `credential_rejected`
    /// this is what a request that is not JSON-RPC gets.
    package var status: Int { declaration.status }

    package var side: Side { declaration.side }

    /// Whether the same request, sent again a little later, may well be served with nobody having changed anything.
    package var isRetryable: Bool { declaration.isRetryable }

    /// What the answer says: one sentence that repeats nothing of the request.
    package var sentence: StaticString { declaration.sentence }

    /// What the reference page says: when it is given, and what to do.
    package var documentation: String { declaration.documentation }

    /// Whether the connection ends with the answer whatever the client asked for: where the request ends, or what follows it, is not known.
    package var endsConnection: Bool {
        switch self {
        case .badRequest, .lineTooLong, .headTooLarge, .requestTimeout, .methodNotAllowed, .expectationFailed, .tooLarge: true
        case .wrongHost, .notFound, .originNotAllowed, .unauthenticated, .badEmail, .userNotAllowed, .unknownServer, .denied,
            .rateLimited, .overloaded, .credentialMissing, .credentialRejected, .credentialInvalid, .storeUnavailable,
            .upstreamUnreachable, .upstreamInvalid, .upstreamTimeout: false
        }
    }

    /// Whether the answer tells when to come back though the refusal itself names no time.
    package var alwaysSaysRetryAfter: Bool {
        self == .rateLimited || self == .overloaded || self == .storeUnavailable
    }
}

extension RefusalCode {
    private struct Declaration {
        let status: Int
        let side: Side
        var isRetryable = false
        let sentence: StaticString
        let documentation: String
    }

    private var declaration: Declaration {
        switch self {
        case .badRequest:
            Declaration(
                status: 400, side: .agent,
                sentence: "The request is not well-formed HTTP.",
                documentation: "The request's HTTP was malformed or could be read in two ways. The connection is closed; the log says what was wrong.")
        case .lineTooLong:
            Declaration(
                status: 414, side: .agent,
                sentence: "The request line is too long.",
                documentation: "The request line was longer than `gateway.limits.line`.")
        case .headTooLarge:
            Declaration(
                status: 431, side: .agent,
                sentence: "The request's header fields are too large.",
                documentation: "The header was larger than `gateway.limits.head` or had more fields than `gateway.limits.headers`.")
        case .requestTimeout:
            Declaration(
                status: 408, side: .agent, isRetryable: true,
                sentence: "The request did not arrive in time.",
                documentation: "The header was not complete within `gateway.timeouts.head`, or the body made no progress for `gateway.timeouts.body`.")
        case .methodNotAllowed:
            Declaration(
                status: 405, side: .agent,
                sentence: "This method is not allowed here.",
                documentation: "TRACE and CONNECT are never served: the one would echo the injected credential, the other is a tunnel.")
        case .expectationFailed:
            Declaration(
                status: 417, side: .agent,
                sentence: "Only the expectation 100-continue can be met.",
                documentation: "The request had an `Expect` other than `100-continue`.")
        case .wrongHost:
            Declaration(
                status: 421, side: .agent,
                sentence: "This gateway does not answer to that host.",
                documentation: "The request's host is not among `gateway.hosts`.")
        case .notFound:
            Declaration(
                status: 404, side: .agent,
                sentence: "There is nothing at this address.",
                documentation: "The path is none that the gateway serves. MCP servers are at `/mcp/{server}`.")
        case .originNotAllowed:
            Declaration(
                status: 403, side: .agent,
                sentence: "This origin may not call the gateway.",
                documentation: "The request named a browser's origin that is not among `gateway.allowed_origins`.")
        case .unauthenticated:
            Declaration(
                status: 401, side: .agent,
                sentence: "A valid API key is needed in x-api-key.",
                documentation: "The API key was missing, doubled, unknown, wrong or expired. The answer is one for all; the log tells them apart.")
        case .badEmail:
            Declaration(
                status: 400, side: .agent,
                sentence: "x-user-email must hold exactly one email address.",
                documentation: "`x-user-email` was missing, doubled, a list, or not an address of ASCII characters.")
        case .userNotAllowed:
            Declaration(
                status: 403, side: .gateway,
                sentence: "This API key may not speak for this user.",
                documentation: "The user is outside the `users` of the key's navigator.")
        case .unknownServer:
            Declaration(
                status: 404, side: .agent,
                sentence: "This project has no such server.",
                documentation: "The server is not in the key's project, is paused, or is denied to the navigator. The answer is one for all; the log tells them apart.")
        case .denied:
            Declaration(
                status: 403, side: .gateway,
                sentence: "This tool is denied to this agent.",
                documentation: "The tool is among the `deny.tools` of the key's navigator.")
        case .rateLimited:
            Declaration(
                status: 429, side: .agent, isRetryable: true,
                sentence: "Too many requests; try again later.",
                documentation: "The key sent more than its `rate`, or than `gateway.limits.per_key`. `Retry-After` says when to come back.")
        case .overloaded:
            Declaration(
                status: 503, side: .gateway, isRetryable: true,
                sentence: "The gateway is at its limit; try again later.",
                documentation: "A limit of the gateway is reached: connections in all or of one address, or a user's streams. `Retry-After` says when to come back.")
        case .tooLarge:
            Declaration(
                status: 413, side: .agent,
                sentence: "The request's body is too large.",
                documentation: "The body was larger than `gateway.limits.body`.")
        case .credentialMissing:
            Declaration(
                status: 403, side: .person,
                sentence: "No credential for this server is connected.",
                documentation: "No credential is deposited for this server, or it was deposited for another origin than the server has now. The answer says where to connect it.")
        case .credentialRejected:
            Declaration(
                status: 403, side: .person,
                sentence: "The server did not accept the connected credential.",
                documentation: "The server answered 401 to a fresh credential, or its OAuth provider has ended the connection, or the server asks for more scopes than were allowed (403 `insufficient_scope`). The answer says where to connect again; what the server asks for is then asked of the person.")
        case .credentialInvalid:
            Declaration(
                status: 502, side: .store,
                sentence: "The stored credential cannot be used.",
                documentation: "The stored value lacks a field or may not be injected, since it would change the request's shape. Deposit it again.")
        case .storeUnavailable:
            Declaration(
                status: 503, side: .store, isRetryable: true,
                sentence: "The credential cannot be fetched now; try again later.",
                documentation: "The secret store or the token endpoint is down and nothing usable is cached. `Retry-After` says when to come back.")
        case .upstreamUnreachable:
            Declaration(
                status: 502, side: .upstream, isRetryable: true,
                sentence: "The server cannot be reached.",
                documentation: "No connection to the MCP server came about: its name, its address, or its certificate. The log says which.")
        case .upstreamInvalid:
            Declaration(
                status: 502, side: .upstream,
                sentence: "The server's answer is not valid.",
                documentation: "The MCP server closed the connection before answering, or its answer was malformed HTTP or could be read in two ways.")
        case .upstreamTimeout:
            Declaration(
                status: 504, side: .upstream, isRetryable: true,
                sentence: "The server did not answer in time.",
                documentation: "The MCP server took longer than `timeouts.connect` to reach or `timeouts.response` to begin its answer.")
        }
    }
}
