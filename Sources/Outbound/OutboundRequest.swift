// What is asked of another service: one HTTP request, with everything that bounds it.

package import Gateway
package import Kernel

/// A request the gateway makes for itself: to the secret store, to a token endpoint. Nothing of it follows from what an agent sent.
package struct OutboundRequest: Sendable {
    package enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case delete = "DELETE"
    }

    package var method: Method
    /// Absolute, `https://` or `http://`, percent-encoded.
    package var url: String
    /// Asked for in place of `url`, of the same host, where a secret stands in path or query: no message repeats it.
    package var target: Secret?
    /// In the order they are sent; a name once. A value that is a secret is sent from where it lies.
    package var fields: [Field]
    /// Nil sends none. Its type is said by a field.
    package var body: Secret?
    package var limits = Limits()
    /// How many redirects are followed; each only to `https`, or to `http` where the request itself was.
    package var redirects = 0
    package var signature: Signature?
    /// A file of certificates that vouch for the other side, in place of the system's.
    package var authorities: String?
    /// Shown where the other side asks for one.
    package var certificate: CertificateFiles?
    /// Where the URL's host is reached, where the caller has looked it up and found it good: no other address is asked.
    package var resolution: Resolution?
    /// Where a connection leads that is for the URL's host by name, and by its certificate.
    package var place: Place?
    /// Whether `HTTPS_PROXY` and its kin of the environment count. A service of this machine is asked directly.
    package var usesProxy = true
    /// Whether it may be sent twice. libcurl does so where a kept connection turns out to be closed; otherwise each gets a connection of its own.
    package var isRepeatable = true
    /// Whether the answer is whole with its head: of an endless body nothing is waited for but its first byte.
    package var endsWithHead = false

    package struct Field: Sendable {
        package enum Value: Sendable {
            case text(String)
            case secret(Secret)
        }

        package let name: String
        package let value: Value

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = .text(value)
        }

        package init(_ name: String, _ value: Secret) {
            self.name = name
            self.value = .secret(value)
        }
    }

    package struct Resolution: Sendable {
        /// As it stands in the URL, an IPv6 address without its brackets.
        package let host: String
        package let port: UInt16
        /// At least one, in the order to be tried; their ports do not count.
        package let addresses: [SocketAddress]

        package init(host: String, port: UInt16, addresses: [SocketAddress]) {
            self.host = host
            self.port = port
            self.addresses = addresses
        }
    }

    package struct Place: Sendable {
        /// As it stands in the URL, an IPv6 address without its brackets.
        package let name: String
        package let namedPort: UInt16
        /// Where it is: a name, or an address without brackets.
        package let host: String
        package let port: UInt16

        package init(of name: String, _ namedPort: UInt16, host: String, port: UInt16) {
            self.name = name
            self.namedPort = namedPort
            self.host = host
            self.port = port
        }
    }

    package struct Limits: Sendable {
        /// For the whole of it, from the call on: waiting for a connection included.
        package var time: Duration
        /// For a connection, TLS included.
        package var connecting: Duration
        /// Bytes of the answer's body.
        package var answer: Int

        package init(time: Duration = .seconds(10), connecting: Duration = .seconds(5), answer: Int = 256 << 10) {
            self.time = time
            self.connecting = connecting
            self.answer = answer
        }
    }

    /// AWS Signature Version 4, made by libcurl over method, path, `Host`, `X-Amz-*` fields and body.
    ///
    /// libcurl 7.88 signs queries that are not sorted, percent-encoded paths and empty fields wrongly: a signed request has a plain path and no query.
    package struct Signature: Sendable {
        package let region: String
        package let service: String
        package let accessKey: String
        package let secretKey: Secret
        /// Sent, and signed, as `X-Amz-Security-Token`.
        package let sessionToken: Secret?

        package init(region: String, service: String, accessKey: String, secretKey: Secret, sessionToken: Secret?) {
            self.region = region
            self.service = service
            self.accessKey = accessKey
            self.secretKey = secretKey
            self.sessionToken = sessionToken
        }
    }

    package init(_ method: Method, _ url: String, fields: [Field] = [], body: Secret? = nil) {
        self.method = method
        self.url = url
        self.fields = fields
        self.body = body
    }
}
