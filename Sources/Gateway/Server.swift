// An MCP server as it is defined once: where it is, how a credential enters its requests.

package import Kernel
package import TLS

package final class Server: Sendable {
    package enum Transport: String, Sendable { case http, sse }

    package let name: ServerName
    package let title: String?
    /// What people read about it.
    package let description: String?
    /// What people see of it.
    package let icon: Icon?
    package let origin: Origin
    /// The URL's path, `/` first; with placeholders where the injector is `path`.
    package let path: Template
    /// The URL's own query without its `?`, as written; nil where there is none.
    package let query: String?
    package let transport: Transport
    package let injector: Injector
    /// Every placeholder of the injector that people give a value for, in the order of first mention: none where tokens come by OAuth.
    package let fields: [Field]
    /// Not nil exactly where tokens come by OAuth; the injector then is `OAuthSettings.injector`.
    package let oauth: OAuthSettings?
    package let tls: UpstreamTLS
    package let timeouts: UpstreamTimeouts
    /// Whether a value is tried out with it before it is kept.
    package let isProbed: Bool
    let shape: RequestShape
    /// Says all that it was made of; nil where nobody said it.
    package let stamp: Digest256?

    package init(
        name: ServerName, title: String?, origin: Origin, path: Template, query: String?, transport: Transport,
        injector: Injector, fields: [Field], oauth: OAuthSettings? = nil, tls: UpstreamTLS, timeouts: UpstreamTimeouts,
        description: String? = nil, icon: Icon? = nil, isProbed: Bool = true, stamp: Digest256? = nil
    ) {
        self.name = name
        self.title = title
        self.description = description
        self.icon = icon
        self.isProbed = isProbed
        self.origin = origin
        self.path = path
        self.query = query
        self.transport = transport
        self.injector = injector
        self.fields = fields
        self.oauth = oauth
        self.tls = tls
        self.timeouts = timeouts
        self.stamp = stamp
        shape = RequestShape(origin: origin, path: path, query: query, transport: transport, injector: injector)
    }
}

/// Scheme, host and port: what a credential is bound to, and what a pool of connections is kept for.
package struct Origin: Hashable, Sendable, CustomStringConvertible {
    package enum Scheme: String, Sendable { case http, https }

    package let scheme: Scheme
    /// Lower-case; an IPv6 address without its brackets.
    package let host: String
    package let port: UInt16

    package init(scheme: Scheme, host: String, port: UInt16) {
        self.scheme = scheme
        self.host = host
        self.port = port
    }

    /// As the Host field wants it: the port only where it is not the scheme's own.
    package var authority: String {
        let name = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
        return port == (scheme == .https ? 443 : 80) ? name : "\(name):\(port)"
    }

    package var description: String { "\(scheme.rawValue)://\(authority)" }
}

/// How a credential enters a request.
package enum Injector: Sendable {
    case none
    /// Field name as configured, and what it is set to.
    case header([(name: String, value: Template)])
    /// `Server.path` holds the placeholders.
    case path
    case query([(name: String, value: Template)])
}

/// Text with `{field}` placeholders.
package struct Template: Sendable {
    package enum Part: Sendable, Equatable {
        case literal(String)
        case field(FieldName)
    }

    package let parts: [Part]

    package init(parts: [Part]) {
        self.parts = parts
    }
}

/// One secret of a credential, as people are asked for it.
package struct Field: Sendable {
    package let name: FieldName
    package let label: String?
    package let help: String?
    /// A regular expression the whole value must match at deposit.
    package let pattern: String?

    package init(name: FieldName, label: String? = nil, help: String? = nil, pattern: String? = nil) {
        self.name = name
        self.label = label
        self.help = help
        self.pattern = pattern
    }
}

/// The gateway's timeouts with the server's own put in.
package struct UpstreamTimeouts: Sendable {
    package let connect: Duration
    package let response: Duration
    package let body: Duration
    package let streamIdle: Duration
    /// The same, as deadlines are reckoned.
    package let spans: Spans

    package struct Spans: Sendable {
        package let connect: Nanoseconds
        package let response: Nanoseconds
        package let body: Nanoseconds
        package let streamIdle: Nanoseconds
    }

    package init(connect: Duration, response: Duration, body: Duration, streamIdle: Duration) {
        self.connect = connect
        self.response = response
        self.body = body
        self.streamIdle = streamIdle
        spans = Spans(
            connect: Nanoseconds(connect), response: Nanoseconds(response), body: Nanoseconds(body), streamIdle: Nanoseconds(streamIdle))
    }
}
