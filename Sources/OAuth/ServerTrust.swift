// The MCP server itself is met as calls meet it: held to the same certificates, and shown the same. Whoever gives its tokens never is.

internal import Gateway
internal import Outbound
internal import TLS

/// How the server at an origin is recognised, and what it is shown. It says nothing of any other origin.
struct ServerTrust: Sendable {
    private let origin: String
    private let tls: UpstreamTLS

    init(_ server: ServiceURL, _ tls: UpstreamTLS) {
        origin = server.origin
        self.tls = tls
    }

    /// Tells what was had under one trust from what was had under another.
    var name: String {
        guard tls != UpstreamTLS() else { return "" }
        return [tls.authorities, tls.authoritiesDigest.map { "\($0.words)" }, tls.serverName, tls.certificate?.certificate].map { $0 ?? "" }.joined(separator: "\n")
    }

    /// Holds a request to `url` to it, where the URL is the server's.
    func apply(to request: inout OutboundRequest, at url: ServiceURL) {
        guard url.isEncrypted, url.origin == origin else { return }
        request.authorities = tls.authorities
        request.certificate = tls.certificate
        guard let name = tls.serverName else { return }
        // libcurl verifies the URL's host: the one that is connected to is another.
        let (own, named) = (Origin(scheme: .https, host: url.host, port: url.port), Origin(scheme: .https, host: name, port: url.port))
        request.url = "\(named)\(url.path.isEmpty ? "/" : url.path)\(url.query.map { "?\($0)" } ?? "")"
        request.fields.append(OutboundRequest.Field("Host", own.authority))
        request.place = OutboundRequest.Place(of: named.host, named.port, host: own.host, port: own.port)
    }
}
