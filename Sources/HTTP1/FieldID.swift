// The header fields that somebody here has to know, found once while parsing so that nobody compares names again.

/// A known field, its name matched with ASCII case folded and `_` read as `-`.
///
/// At most 64 cases: a head keeps them as bits.
package enum FieldID: UInt8, CaseIterable, Sendable {
    /// A name nobody here knows.
    case other
    // Framing and routing
    case host, contentLength, transferEncoding, connection, keepAlive, te, trailer, upgrade, http2Settings, expect
    /// Every `Proxy-…`.
    case proxyPrefix
    // Identity
    case authorization, cookie, setCookie, apiKey, userEmail, userToken, wwwAuthenticate, authenticationInfo
    // Browsers
    case origin, referer, vary, clearSiteData, altSvc, strictTransportSecurity
    case accessControlRequestMethod, accessControlRequestHeaders
    /// Every other `Access-Control-…`: a response's.
    case accessControl
    // Content
    case accept, acceptEncoding, contentType, contentEncoding, contentRange, cacheControl, range, date, server
    case location, contentLocation, link, refresh, retryAfter
    // MCP
    case mcpProtocolVersion, mcpMethod, mcpName, mcpSessionID, lastEventID
    // The way here
    case requestID, forwardedFor
    /// `Forwarded`, `Via`, `X-Real-IP`, every other `X-Forwarded-…`.
    case forwarded
    /// Every `X-Claviger-…`.
    case clavigerDoor
    case traceParent, traceState

    /// The one bit of this field in a head's masks.
    @inline(always)
    var bit: UInt64 { 1 &<< UInt64(rawValue) }

    /// Whether it belongs to one connection only and goes no further (RFC 9110, section 7.6.1), whatever `Connection` names.
    package var isHopByHop: Bool {
        switch self {
        case .connection, .keepAlive, .te, .trailer, .transferEncoding, .upgrade, .http2Settings, .proxyPrefix: true
        default: false
        }
    }

    /// Whether it must not stand behind a body (RFC 9110, section 6.5.1): whatever frames, routes, authenticates or says what the content is.
    package var isForbiddenAsTrailer: Bool {
        switch self {
        case .other, .acceptEncoding, .date, .server, .link, .requestID, .traceParent, .traceState, .retryAfter: false
        default: true
        }
    }
}
