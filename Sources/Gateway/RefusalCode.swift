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

    /// What the reference page says: when it is given.
    package var documentation: String { declaration.documentation }

    /// What the reference page says: what to do about it.
    package var remedy: String { declaration.remedy }

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
        let remedy: String
    }

    private var declaration: Declaration {
        switch self {
        case .badRequest:
            Declaration(
                status: 400, side: .agent,
                sentence: "The request is not well-formed HTTP.",
                documentation: "The request's HTTP was malformed or could be read in two ways. The connection is closed; the log says what was wrong.",
                remedy: "Look at what speaks to the gateway: a client or a proxy before it that writes HTTP loosely.")
        case .lineTooLong:
            Declaration(
                status: 414, side: .agent,
                sentence: "The request line is too long.",
                documentation: "The request line was longer than `gateway.limits.line`.",
                remedy: "Shorten the query, or raise the limit.")
        case .headTooLarge:
            Declaration(
                status: 431, side: .agent,
                sentence: "The request's header fields are too large.",
                documentation: "The header was larger than `gateway.limits.head` or had more fields than `gateway.limits.headers`.",
                remedy: "Send fewer or shorter fields, or raise the limit.")
        case .requestTimeout:
            Declaration(
                status: 408, side: .agent, isRetryable: true,
                sentence: "The request did not arrive in time.",
                documentation: "The header was not complete within `gateway.timeouts.head`, or the body made no progress for `gateway.timeouts.body`.",
                remedy: "Mostly a slow network or a client that hung; the agent tries again.")
        case .methodNotAllowed:
            Declaration(
                status: 405, side: .agent,
                sentence: "This method is not allowed here.",
                documentation: "TRACE and CONNECT are never served: the one would echo the injected credential, the other is a tunnel.",
                remedy: "Send POST, GET or DELETE, as MCP does.")
        case .expectationFailed:
            Declaration(
                status: 417, side: .agent,
                sentence: "Only the expectation 100-continue can be met.",
                documentation: "The request had an `Expect` other than `100-continue`.",
                remedy: "Leave the field out.")
        case .wrongHost:
            Declaration(
                status: 421, side: .agent,
                sentence: "This gateway does not answer to that host.",
                documentation: "The request's host is not among `gateway.hosts`.",
                remedy: "Add the name by which agents call the gateway, or correct the agent's URL.")
        case .notFound:
            Declaration(
                status: 404, side: .agent,
                sentence: "There is nothing at this address.",
                documentation: "The path is none that the gateway serves. MCP servers are at `/mcp/{server}`.",
                remedy: "Correct the agent's URL.")
        case .originNotAllowed:
            Declaration(
                status: 403, side: .agent,
                sentence: "This origin may not call the gateway.",
                documentation: "The request named a browser's origin that is not among `gateway.allowed_origins`.",
                remedy: "Add the web page's origin, if browsers may call the gateway from there.")
        case .unauthenticated:
            Declaration(
                status: 401, side: .agent,
                sentence: "A valid API key is needed in x-api-key, and where the key asks for it a valid user token in x-user-token.",
                documentation: "The API key was missing, doubled, unknown, wrong or expired; or it is one whose users come in tokens, and the token was missing, doubled, not signed by its issuer, for somebody else, or expired. The answer is one for all; the log tells them apart.",
                remedy: "Look at the log for which it was; give the agent a key of `claviger key new`, and put its line into the configuration. For a token, compare its `iss`, `aud` and `exp` with the navigator's `users.token`.")
        case .badEmail:
            Declaration(
                status: 400, side: .agent,
                sentence: "x-user-email must hold exactly one email address.",
                documentation: "`x-user-email` was missing, doubled, a list, or not an address of ASCII characters; or the claim of a user token was.",
                remedy: "Have the agent send one address; an international domain is written as its A-labels (`xn--…`). For a token, see which claim `users.token.claim` names.")
        case .userNotAllowed:
            Declaration(
                status: 403, side: .gateway,
                sentence: "This API key may not speak for this user.",
                documentation: "The user is outside the `users` of the key's navigator; or `x-user-email` names another one than the user token does.",
                remedy: "Add the user's domain or address to the navigator's `users`, if its agents may work for him. Where a token comes, leave `x-user-email` out.")
        case .unknownServer:
            Declaration(
                status: 404, side: .agent,
                sentence: "This project has no such server.",
                documentation: "The server is not in the key's project, is paused, or is denied to the navigator. The answer is one for all; the log tells them apart.",
                remedy: "Look at the log for which it was; add the server to the project's `servers`, or correct the name in the agent's URL.")
        case .denied:
            Declaration(
                status: 403, side: .gateway,
                sentence: "This tool is denied to this agent.",
                documentation: "The tool is among the `deny.tools` of the key's navigator.",
                remedy: "Take the tool from the list, if the navigator's agents may use it.")
        case .rateLimited:
            Declaration(
                status: 429, side: .agent, isRetryable: true,
                sentence: "Too many requests; try again later.",
                documentation: "The key sent more than its `rate`, or than `gateway.limits.per_key`, or the address more than `per_address`; or the user has as many event streams open as `gateway.limits.streams_per_user` allows. `Retry-After` says when to come back.",
                remedy: "Have the agent wait as it is told, or close streams that it does not need; or raise the limit.")
        case .overloaded:
            Declaration(
                status: 503, side: .gateway, isRetryable: true,
                sentence: "The gateway is at its limit; try again later.",
                documentation: "A limit of the gateway is reached: connections in all or of one address, descriptors; or the request waited for more than a second while a worker had more to do than it can. `Retry-After` says when to come back.",
                remedy: "Look at `claviger status` for what is used up; raise the limit, or find out who opens so many.")
        case .tooLarge:
            Declaration(
                status: 413, side: .agent,
                sentence: "The request's body is too large.",
                documentation: "The body was larger than `gateway.limits.body`.",
                remedy: "Send less, or raise the limit.")
        case .credentialMissing:
            Declaration(
                status: 403, side: .person,
                sentence: "No credential for this server is connected.",
                documentation: "No credential is deposited for this server, or it was deposited for another origin than the server has now. The answer says where to connect it.",
                remedy: "Have the person open the address in the answer; for a server of level `project`, an administrator, or `claviger credential set`.")
        case .credentialRejected:
            Declaration(
                status: 403, side: .person,
                sentence: "The server did not accept the connected credential.",
                documentation: "The server answered 401 to a fresh credential, or its OAuth provider has ended the connection, or the server asks for more scopes than were allowed (403 `insufficient_scope`). The answer says where to connect again; what the server asks for is then asked of the person.",
                remedy: "Have the person connect again at the address in the answer.")
        case .credentialInvalid:
            Declaration(
                status: 502, side: .store,
                sentence: "The stored credential cannot be used.",
                documentation: "The stored value lacks a field or may not be injected, since it would change the request's shape.",
                remedy: "Deposit it again.")
        case .storeUnavailable:
            Declaration(
                status: 503, side: .store, isRetryable: true,
                sentence: "The credential cannot be fetched now; try again later.",
                documentation: "The secret store or the token endpoint is down and nothing usable is cached; or the keys that user tokens are verified with cannot be had. `Retry-After` says when to come back.",
                remedy: "Look at the log for what the store or the endpoint answers, and at `claviger status` for its circuit; `claviger check --online` asks who signs user tokens.")
        case .upstreamUnreachable:
            Declaration(
                status: 502, side: .upstream, isRetryable: true,
                sentence: "The server cannot be reached.",
                documentation: "No connection to the MCP server came about: its name, its address, or its certificate. The log says which.",
                remedy: "Look at the log for which; then at the server, its name, the network, or `servers.*.tls`.")
        case .upstreamInvalid:
            Declaration(
                status: 502, side: .upstream,
                sentence: "The server's answer is not valid.",
                documentation: "The MCP server closed the connection before answering, or its answer was malformed HTTP or could be read in two ways.",
                remedy: "Look at the log for which; then at the server, or at a proxy before it.")
        case .upstreamTimeout:
            Declaration(
                status: 504, side: .upstream, isRetryable: true,
                sentence: "The server did not answer in time.",
                documentation: "The MCP server took longer than `timeouts.connect` to reach or `timeouts.response` to begin its answer.",
                remedy: "Look at the server; raise the time where its work takes that long.")
        }
    }
}
