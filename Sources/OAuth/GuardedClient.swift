// Sends to endpoints that a provider named, so that it cannot name one of ours.

internal import Gateway
internal import Kernel
package import Outbound

/// As `DocumentFetcher` does it: every address of the host is checked, and the connection goes to no other. Nothing is redirected.
package struct GuardedClient: HTTPClient {
    private let client: any HTTPClient
    private let resolve: DocumentFetcher.Resolve
    private let rule: AddressRule

    package init(_ client: any HTTPClient, resolve: @escaping DocumentFetcher.Resolve, rule: AddressRule) {
        self.client = client
        self.resolve = resolve
        self.rule = rule
    }

    package func send(_ request: OutboundRequest) async throws(OutboundFault) -> OutboundResponse {
        var request = request
        let url: ServiceURL
        do { url = try ServiceURL(request.url) } catch { throw OutboundFault(.invalid, .pointless, "an endpoint \(error)") }
        let addresses: [SocketAddress]
        do { addresses = try await resolve(url.host, url.port) } catch { throw OutboundFault(.unresolved, .safe, "\(url.host) does not resolve: \(error)") }
        do { try rule.check(addresses, of: url) } catch { throw OutboundFault(.invalid, .pointless, "\(url.host) \(error)") }
        request.resolution = OutboundRequest.Resolution(host: url.host, port: url.port, addresses: addresses)
        request.redirects = 0
        return try await client.send(request)
    }
}
